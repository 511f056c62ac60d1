"""Take the pictures of the dashboard in ``docs/``: ``python -m tests.web.screenshots``.

They show the data of ``burndown demo``, on screens of two widths, light and dark.
"""

import base64
import subprocess
import sys
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory

from PIL import Image

from tests.support.chromium import Tab, running_chromium
from tests.web.gunicorn import ROOT, running_gunicorn

FOLDER = ROOT / "docs" / "images"
DRAWN = "document.querySelectorAll('.js-plotly-plot .main-svg').length >= 33"
"""Each of the 11 charts has three layers."""


def take(tab: Tab, url: str, width: int, scheme: str, file: str, height: int | None = None) -> None:
    """Take the picture of a page, down to a height, or else of all of it, in 256 colours."""
    tab.emulate(width, scheme)
    tab.navigate(url)
    tab.wait_for("document.querySelector('#save')" if "settings" in url else DRAWN)
    full = tab.evaluate("document.documentElement.scrollHeight")
    clip = {"x": 0, "y": 0, "width": width, "height": height or full, "scale": 1}
    picture = tab.call("Page.captureScreenshot", captureBeyondViewport=True, clip=clip)
    image = Image.open(BytesIO(base64.b64decode(picture["data"])))
    image.convert("RGB").quantize(256).save(FOLDER / file, optimize=True)


def main() -> None:
    """Take them all."""
    FOLDER.mkdir(exist_ok=True)
    with TemporaryDirectory() as name:
        folder = Path(name)
        command = [sys.executable, "-m", "burndown", "demo", str(folder / "demo")]
        subprocess.run(command, check=True, cwd=ROOT, stdout=subprocess.DEVNULL)
        profiles = folder / "demo" / "profiles"
        app = "examples.dashboard.app:server"
        with (
            running_gunicorn(app, profiles) as url,
            running_chromium(folder / "chromium") as browser,
        ):
            for scheme in ("light", "dark"):
                tab = browser.open("about:blank")
                for width, height in ((1440, None), (360, 1500)):
                    take(tab, url, width, scheme, f"dashboard-{width}-{scheme}.png", height)
            tab = browser.open("about:blank")
            take(
                tab, f"{url}/settings?profile=kafka", 1440, "light", "settings-1440-light.png", 720
            )


if __name__ == "__main__":
    main()
