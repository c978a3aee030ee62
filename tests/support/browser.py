"""A real headless Chromium, driven by its DevTools protocol: keys, screenshots, scripts."""

import atexit
import base64
import json
import shutil
import subprocess
import tempfile
import time
import urllib.request
from contextlib import suppress
from functools import cache
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
KEYS = {"Enter": 13, "Escape": 27, "ArrowLeft": 37, "ArrowUp": 38, "ArrowRight": 39, "ArrowDown": 40}
PATIENCE = 120.0  # seconds
ANSWERING = 10.0  # seconds for an answer that a page which is left may never give


class Chromium:
    """The program, which takes a second to start: one for all tests of a process, ended with it."""

    def __init__(self):
        self._folder = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        command = [CHROMIUM, *QUIET, f"--user-data-dir={self._folder.name}", "about:blank"]
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        atexit.register(self._end)
        file = Path(self._folder.name) / "DevToolsActivePort"
        wait(lambda: file.exists() and "\n" in file.read_text())
        self.port = file.read_text().split()[0]
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/json/version") as reply:
            self._connection = Connection(json.load(reply)["webSocketDebuggerUrl"])
        self.send = self._connection.send
        self.post = self._connection.post

    def _end(self) -> None:
        self._connection.close()
        self._process.kill()
        self._process.wait()
        self._folder.cleanup()


class Connection:
    """Sends commands, and waits for what becomes of them."""

    def __init__(self, address: str):
        self._socket, self._sent = connect(address, max_size=2**26).__enter__(), 0

    def post(self, method: str, **parameters: Any) -> None:
        """Send a command."""
        self._sent += 1
        self._socket.send(json.dumps({"id": self._sent, "method": method, "params": parameters}))

    def send(self, method: str, **parameters: Any) -> dict:
        """Send a command, return its result."""
        return self.ask(PATIENCE, method, **parameters)

    def ask(self, patience: float, method: str, **parameters: Any) -> dict:
        """Send a command, return its result; TimeoutError if nothing comes for so many seconds."""
        self.post(method, **parameters)
        while True:
            reply = json.loads(self._socket.recv(patience))
            if reply.get("id") == self._sent:
                return reply.get("result", reply)

    def close(self) -> None:
        self._socket.close()


@cache
def chromium() -> Chromium:
    return Chromium()


class Browser:
    """One tab, which knows nothing of the others: cookies and storage are its own."""

    def __init__(self, width: int = 1280, height: int = 800):
        self._size = width, height

    def __enter__(self) -> "Browser":
        started = chromium()
        self._context = started.send("Target.createBrowserContext")["browserContextId"]
        target = started.send("Target.createTarget", url="about:blank", browserContextId=self._context)["targetId"]
        self._connection = Connection(f"ws://127.0.0.1:{started.port}/devtools/page/{target}")
        self.send = self._connection.send
        width, height = self._size
        metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 500}
        self.send("Emulation.setDeviceMetricsOverride", **metrics)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._connection.close()
        # Nobody waits for the answer: Chromium has been seen to give none, and the test is over.
        chromium().post("Target.disposeBrowserContext", browserContextId=self._context)

    def open(self, url: str) -> None:
        self.send("Page.navigate", url=url)

    def run(self, script: str) -> Any:
        """Return the value of an expression in the page; None where the page was left while it was computed."""
        return self._evaluated(PATIENCE, script)

    def _evaluated(self, patience: float, script: str) -> Any:
        given = {"expression": script, "awaitPromise": True, "returnByValue": True}
        found = self._connection.ask(patience, "Runtime.evaluate", **given)
        return found.get("result", {}).get("value")

    def until(self, script: str) -> None:
        """Wait for an expression to become true; a page that was left may give no answer, and is asked again."""

        def become() -> Any:
            with suppress(TimeoutError):
                return self._evaluated(ANSWERING, script)

        wait(become)

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
