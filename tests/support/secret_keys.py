"""Secret keys, and files in which no secret may be."""

from base64 import b64encode
from pathlib import Path

CANARY = "c4n4ry-t0k3n-0f-j1r4"
KEY, OTHER_KEY = (b64encode(bytes([number]) * 32).decode() for number in (1, 2))
VARIABLE = "BURNDOWN_SECRET_KEY"
FILE_VARIABLE = "BURNDOWN_SECRET_KEY_FILE"


def files_with(folder: Path, secret: str = CANARY) -> list[str]:
    """Return the names of the files below a folder that hold a secret, in any of their bytes."""
    return [
        path.name
        for path in folder.rglob("*")
        if path.is_file() and secret.encode() in path.read_bytes()
    ]
