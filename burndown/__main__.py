"""The entry point of the program ``burndown`` and of ``python -m burndown``."""

import signal
import sys
from types import FrameType


def main() -> None:
    """Run the command line and exit."""
    # Imported here, so that importing this module does not load typer and rich.
    from burndown.cli import run

    signal.signal(signal.SIGTERM, _end)
    sys.exit(run(sys.argv[1:]))


def _end(number: int, _frame: FrameType | None) -> None:
    """End the command as an error does, so that it removes its unfinished files."""
    sys.exit(128 + number)


if __name__ == "__main__":
    main()
