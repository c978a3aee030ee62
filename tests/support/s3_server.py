"""A real S3 server on this machine, which can be killed in the middle and started again with what it held.

moto's server keeps objects in memory and can write down each request; started again it is told them once more.
"""

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import requests

from support.ports import free_port

BUCKET = "pt4al-test"
KEYS = {"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing", "AWS_DEFAULT_REGION": "us-east-1"}
PROGRAM = Path(__file__).with_name("kept_moto.py")


class S3Server:
    """A server with a bucket. `allowed`: requests before each needs a right, which nobody has."""

    bucket = BUCKET

    def __init__(self, folder: Path, allowed: int | None = None):
        self._journal = folder / "requests.jsonl"
        self._log = folder / "server.log"
        self._allowed = allowed
        self.port = free_port()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def environment(self) -> dict[str, str]:
        """What a process needs to find it."""
        return {**KEYS, "AWS_ENDPOINT_URL": self.url}

    def start(self) -> None:
        """Start it, with all that was written before."""
        extra = {"MOTO_ENABLE_RECORDING": "1", "MOTO_RECORDER_FILEPATH": str(self._journal)}
        if self._allowed is not None:
            extra["INITIAL_NO_AUTH_ACTION_COUNT"] = str(self._allowed)
        command = [sys.executable, str(PROGRAM), "-H", "127.0.0.1", "-p", str(self.port)]
        fresh = not self._journal.exists()
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(command, env={**os.environ, **extra}, stdout=log, stderr=log)
        self._wait()
        if fresh:
            requests.put(f"{self.url}/{BUCKET}", timeout=30).raise_for_status()
            return
        lines = self._journal.read_text().splitlines(keepends=True)
        self._journal.write_text("".join(line for line in lines if line.endswith("\n")))  # the last may be torn
        requests.post(f"{self.url}/moto-api/recorder/replay-recording", timeout=300).raise_for_status()

    def kill(self) -> None:
        """Kill it with SIGKILL, in whatever it is doing."""
        self._process.send_signal(signal.SIGKILL)
        self._process.wait()

    def _wait(self) -> None:
        deadline = time.monotonic() + 300
        while time.monotonic() < deadline and self._process.poll() is None:
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
                return
            except OSError:
                time.sleep(0.05)
        raise AssertionError(self._log.read_text())
