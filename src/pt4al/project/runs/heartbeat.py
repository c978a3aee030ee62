"""Say that a node is still running, where no progress bar shows it."""

import logging
import sys
import threading
import time

logger = logging.getLogger(__name__)

PAUSE = 30.0  # seconds between two lines


class Heartbeat:
    """Logs a line every half minute while a node runs, unless the output is a terminal."""

    def __init__(self) -> None:
        self._ended = threading.Event()

    def start(self, node: str) -> None:
        """Begin for a node; ends the one before."""
        self.stop()
        if sys.stderr.isatty():
            return
        self._ended = threading.Event()
        threading.Thread(target=_beat, args=(node, self._ended), daemon=True).start()

    def stop(self) -> None:
        """End."""
        self._ended.set()


def _beat(node: str, ended: threading.Event) -> None:
    began = time.monotonic()
    while not ended.wait(PAUSE):
        logger.info("%s: %.0f s so far", node, time.monotonic() - began)
