"""The command of a run, as a child of `kedro label`: says how it gets on, and ends with its parent.

    python -m pt4al.project.runs.training_child --pipelines=active_learning --params=...

takes what `kedro run` takes. Its standard output has a JSON object a line: `step` (a node that
begins), `bar` with `done` and `total` (of a progress bar), `message` and `error` (the sentence with
which the command ends). Whoever holds the other end of its standard input is its parent.
"""

import json
import logging
import os
import signal
import sys
import threading
import time
from typing import Any

import click
import tqdm

from pt4al.project.hooks.steps import STEPS

PAUSE = 0.2  # seconds between two reports of a bar
LAST = 20.0  # seconds that an interrupted command has to end by itself
INTERRUPTED = 130  # exit status

_reports = sys.stdout


def report(**event: Any) -> None:
    """Tell the parent; one that has gone is no error, since the command is about to end."""
    try:
        _reports.write(json.dumps(event) + "\n")
        _reports.flush()
    except (BrokenPipeError, ValueError):
        pass


class Bar(tqdm.tqdm):
    """A progress bar that is reported, whether a terminal shows it or not."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._title = kwargs.get("desc") or ""
        self._whole = kwargs.get("total")
        self._done = 0
        self._reported = time.monotonic()
        report(bar=self._title, done=0, total=self._whole)

    def update(self, n: float | None = 1) -> bool | None:
        """See tqdm."""
        self._done += n
        if time.monotonic() > self._reported + PAUSE:
            self._reported = time.monotonic()
            report(bar=self._title, done=int(self._done), total=self._whole)
        return super().update(n)


class _Steps(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        report(step=record.getMessage())


def _end_with_parent() -> None:
    """Interrupt this process, as Ctrl-C does, when the other end of its input is closed."""
    while os.read(0, 1024):
        pass
    os.kill(os.getpid(), signal.SIGINT)
    time.sleep(LAST)
    os._exit(INTERRUPTED)  # what was being written is whole, or not there


def main(arguments: list[str]) -> int:
    """Run the command; return its exit status."""
    sys.stdout = sys.stderr  # what is printed goes where messages go
    # A shell without job control lets its children ignore Ctrl-C.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    tqdm.tqdm = Bar  # before anything that shows a bar is imported
    logging.getLogger(STEPS).addHandler(_Steps())
    try:
        threading.Thread(target=_end_with_parent, daemon=True).start()
        from kedro.framework.cli.utils import find_run_command
        from kedro.framework.project import configure_project

        configure_project("pt4al")
        find_run_command("pt4al").main(arguments, "kedro run", standalone_mode=False)
    except click.ClickException as ended:
        waits = ended.exit_code == os.EX_TEMPFAIL
        report(**{"message" if waits else "error": ended.format_message()})
        return ended.exit_code
    except KeyboardInterrupt:
        return INTERRUPTED
    except click.exceptions.Exit as ended:
        return ended.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
