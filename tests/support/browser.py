"""A real headless Chromium, driven by its DevTools protocol: keys, screenshots, scripts."""

import base64
import json
import shutil
import subprocess
import time
import urllib.request
from pathlib import Path
from types import TracebackType
from typing import Any

from websockets.sync.client import connect

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
QUIET = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--remote-debugging-port=0",
]
KEYS = {"Enter": 13, "Escape": 27, "ArrowLeft": 37, "ArrowRight": 39}
PATIENCE = 30.0  # seconds


class Browser:
    """One tab. A context manager, so that nothing is left running."""

    def __init__(self, folder: Path, width: int = 1280, height: int = 800):
        self._folder, self._size, self._sent = folder, (width, height), 0

    def __enter__(self) -> "Browser":
        size = f"--window-size={self._size[0]},{self._size[1]}"
        command = [CHROMIUM, *QUIET, size, f"--user-data-dir={self._folder}", "about:blank"]
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            self._connect()
        except BaseException:
            self._process.kill()
            raise
        return self

    def _connect(self) -> None:
        file = self._folder / "DevToolsActivePort"
        wait(lambda: file.exists() and "\n" in file.read_text())
        port = file.read_text().split()[0]
        tabs = json.load(urllib.request.urlopen(f"http://127.0.0.1:{port}/json"))
        address = next(tab["webSocketDebuggerUrl"] for tab in tabs if tab["type"] == "page")
        self._socket = connect(address, max_size=2**26).__enter__()
        metrics = {
            "width": self._size[0],
            "height": self._size[1],
            "deviceScaleFactor": 1,
            "mobile": self._size[0] < 500,
        }
        self.send("Emulation.setDeviceMetricsOverride", **metrics)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._socket.close()
        self._process.kill()
        self._process.wait()

    def send(self, method: str, **parameters: Any) -> dict:
        """Send a command, return its result."""
        self._sent += 1
        self._socket.send(json.dumps({"id": self._sent, "method": method, "params": parameters}))
        while True:
            reply = json.loads(self._socket.recv(PATIENCE))
            if reply.get("id") == self._sent:
                return reply.get("result", reply)

    def open(self, url: str) -> None:
        self.send("Page.navigate", url=url)

    def run(self, script: str) -> Any:
        """Return the value of an expression in the page."""
        found = self.send("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True)
        return found["result"].get("value")

    def until(self, script: str) -> None:
        """Wait for an expression to become true."""
        wait(lambda: self.run(script))

    def press(self, key: str) -> None:
        text = {} if key in KEYS and key != "Enter" else {"text": "\r" if key == "Enter" else key}
        code = {"windowsVirtualKeyCode": KEYS[key]} if key in KEYS else {}
        self.send("Input.dispatchKeyEvent", type="keyDown", key=key, **code, **text)
        self.send("Input.dispatchKeyEvent", type="keyUp", key=key, **code)

    def type(self, text: str) -> None:
        self.send("Input.insertText", text=text)

    def picture(self, path: Path) -> None:
        path.write_bytes(base64.b64decode(self.send("Page.captureScreenshot")["data"]))


def wait(condition: Any) -> None:
    """Wait for a condition; fail if it does not come true."""
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.05)
