"""A headless Chromium, driven by its own protocol (Chrome DevTools)."""

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

from websockets.sync.client import ClientConnection, connect

from tests.support.programs import skip_without

SECONDS = 30
"""After which a page that does not become as expected fails its test."""

_OPTIONS = [
    "--headless=new",
    "--disable-background-networking",
    "--disable-dev-shm-usage",
    "--disable-gpu",
    "--no-first-run",
    "--no-sandbox",  # it needs rights that containers do not have
    "--remote-debugging-port=0",
]

# The page answers as soon as the condition holds, since its own changes call the observer.
_WAIT = """new Promise((resolve, reject) => {
    const check = () => { if (%(condition)s) { observer.disconnect(); resolve(true); } };
    const observer = new MutationObserver(check);
    const all = {subtree: true, childList: true, attributes: true, characterData: true};
    observer.observe(document, all);
    setTimeout(() => reject(document.body.innerText), %(milliseconds)s);
    check();
})"""


def _wait(condition: str) -> str:
    """Return the expression of the promise that a JavaScript expression becomes true."""
    return _WAIT % {"condition": condition, "milliseconds": SECONDS * 1000}


class Tab:
    """A tab; elements are named by CSS selectors.

    Args:
        socket: its connection.
    """

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket
        self._numbers = count(1)

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Call a method of the protocol; events in the meantime are ignored."""
        number = next(self._numbers)
        self._socket.send(json.dumps({"id": number, "method": method, "params": parameters}))
        while True:
            message = json.loads(self._socket.recv(SECONDS))
            if message.get("id") == number:
                assert "error" not in message, message["error"]
                result: dict[str, Any] = message["result"]
                return result

    def evaluate(self, expression: str) -> Any:
        """Return the value of a JavaScript expression, or of its promise."""
        found = self.call(
            "Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True
        )
        assert "exceptionDetails" not in found, found
        return found["result"].get("value")

    def navigate(self, url: str) -> None:
        """Go to a page; it returns when that is there."""
        self.call("Page.navigate", url=url)

    def emulate(self, width: int, scheme: str) -> None:
        """Show pages as on a screen of this width, and in the scheme ``light`` or ``dark``."""
        screen = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 500}
        self.call("Emulation.setDeviceMetricsOverride", **screen)
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        self.call("Emulation.setEmulatedMedia", features=features)

    def wait_for(self, condition: str) -> None:
        """Wait until a JavaScript expression is true."""
        self.evaluate(_wait(condition))

    def wait_for_text(self, selector: str, part: str) -> None:
        """Wait until an element contains a string."""
        found = f"document.querySelector({json.dumps(selector)})"
        self.wait_for(f"{found} && {found}.textContent.includes({json.dumps(part)})")

    def fill(self, selector: str, text: str) -> None:
        """Replace the content of an input, as typing does, once it is there."""
        element = f"document.querySelector({json.dumps(selector)})"
        self.evaluate(f"{_wait(element)}.then(() => {element}.select())")
        self.call("Input.insertText", text=text)

    def press(self, key: str, code: int) -> None:
        """Press a key, by its name and number, such as ``Tab`` and 9."""
        for kind in ("keyDown", "keyUp"):
            self.call("Input.dispatchKeyEvent", type=kind, key=key, windowsVirtualKeyCode=code)

    def click(self, selector: str) -> None:
        """Click an element, once it is there."""
        self.click_element(f"document.querySelector({json.dumps(selector)})")

    def click_element(self, element: str) -> None:
        """Click the element of a JavaScript expression, once it is there."""
        self.evaluate(f"{_wait(element)}.then(() => {element}.click())")


class Chromium:
    """A running browser.

    Args:
        address: of its protocol, on loopback.
        stack: closes the tabs.
    """

    def __init__(self, address: str, stack: ExitStack) -> None:
        self._address = address
        self._stack = stack

    def open(self, url: str) -> Tab:
        """Open a page in a new tab."""
        request = Request(f"http://{self._address}/json/new", method="PUT")
        with urlopen(request, timeout=SECONDS) as response:
            target = json.load(response)["webSocketDebuggerUrl"]
        socket = connect(target, max_size=None, compression=None)
        tab = Tab(self._stack.enter_context(socket))
        # Each tab is like the front one.
        tab.call("Emulation.setFocusEmulationEnabled", enabled=True)
        # A tab that is opened with the address of the page would still be at the one before.
        tab.navigate(url)
        return tab


@contextmanager
def running_chromium(folder: Path) -> Iterator[Chromium]:
    """Run the browser with its profile in a folder; a machine without it skips the test."""
    program = shutil.which("chromium")
    if program is None:
        skip_without("Chromium", "it is not installed; on Debian: apt-get install chromium")
    process = subprocess.Popen(
        [program, *_OPTIONS, f"--user-data-dir={folder}", "about:blank"],
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "HOME": str(folder)},
    )
    assert process.stderr is not None
    with process, ExitStack() as stack:
        try:
            started = (line for line in process.stderr if "DevTools listening on" in line)
            url = next(started).split()[-1]
            yield Chromium(urlsplit(url).netloc, stack)
        finally:
            process.terminate()
