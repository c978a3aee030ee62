"""What is tracked of a command, and a tracker that never ends a run: what could not be logged is logged later."""

import logging
import os
import signal
import threading
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import click

from pt4al.errors import InputError
from pt4al.project.tracking.store import LOCAL

logger = logging.getLogger(__name__)

SIGNALS = [
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)
]
GRACE = 10.0  # seconds for a last word to MLflow
PATIENCE = 5.0  # seconds that a failure may take before the others are left for later
PAUSE = 10.0  # seconds: cycles that end sooner after the last entry are logged together, which takes half the time


class Tracker:
    """Tells MLflow of a command. All methods do nothing by default.

    Attributes
    ----------
    required
        Whether a failure ends the command; else what could not be logged is logged later.
    chart
        Page of MLflow that shows the curves, if there is one.
    model
        Where MLflow finds the newest cycle's model, `models:/...`, once the row is closed.
    """

    required = False
    chart: str | None = None
    model: str | None = None

    def start(self) -> None:
        """Open the row of the command."""

    def missing(self) -> list[int]:
        """Return the finished cycles that are not logged yet."""
        return []

    def log_cycles(self, cycles: list[int]) -> None:
        """Log finished cycles."""

    def log_report(self) -> None:
        """Log the report."""

    def stop(self, status: str) -> None:
        """Close the row: FINISHED, FAILED or KILLED."""


class PatientTracker:
    """Wraps a tracker: what could not be logged is tried again before the next entry, and ends nothing."""

    def __init__(self, tracker: Tracker):
        self._tracker = tracker
        self._left: list[Callable[[], None]] = []
        self._waiting: list[int] = []
        self._last = time.monotonic()
        self._told = False

    def start(self, catch_up: bool) -> None:
        """Open the run's row, and log what earlier commands have not."""
        self._log(self._tracker.start, *([self._catch_up] if catch_up else []))

    def log_cycle(self, cycle: int) -> None:
        """Log a cycle, with those before it that still wait."""
        self._waiting.append(cycle)
        if time.monotonic() - self._last > PAUSE:
            self._log_waiting()

    def log_report(self) -> None:
        """Log the report, after the cycles that still wait."""
        self._log_waiting()
        self._log(self._tracker.log_report)

    def stop(self, status: str) -> None:
        """Close the row."""
        self._log_waiting()
        opened = self._tracker.start not in self._left
        self._left.insert(0 if opened else len(self._left), partial(self._tracker.stop, status))
        self._log()

    def close(self) -> None:
        """Close the row of a command that has finished; say where its curves and its model are."""
        self.stop("FINISHED")
        if self.chart is not None:
            shown = f"kedro ui, then {self.chart}" if self.chart.startswith(LOCAL) else self.chart
            logger.info("curves: %s", shown)
        if self._tracker.model is not None:
            logger.info(
                "model: mlflow.pyfunc.load_model('%s').predict(['picture.jpg'])",
                self._tracker.model,
            )

    @property
    def chart(self) -> str | None:
        """Page of MLflow that shows the curves; None if there is none, or something is not logged."""
        return None if self._left else self._tracker.chart

    def _catch_up(self) -> None:
        self._left += self._one_by_one(self._tracker.missing())

    def _log_waiting(self) -> None:
        if self._waiting:
            together = self._waiting
            self._waiting = []
            self._log(partial(self._tracker.log_cycles, together))

    def _one_by_one(self, cycles: list[int]) -> list[Callable[[], None]]:
        return [partial(self._tracker.log_cycles, [cycle]) for cycle in cycles]

    def _again(self, entry: Callable[[], None]) -> list[Callable[[], None]]:
        """What to try later: of cycles logged together, one may keep the others from being logged."""
        if getattr(entry, "func", None) == self._tracker.log_cycles:
            return self._one_by_one(*entry.args)
        return [entry]

    def _log(self, *entries: Callable[[], None]) -> None:
        self._left += entries
        failed = []
        while self._left:
            entry = self._left.pop(0)
            began = time.monotonic()
            try:
                entry()
            except Exception as error:
                if self._tracker.required:
                    raise
                failed += self._again(entry)
                self._tell(error)
                # A server that doesn't answer need not be asked for each entry.
                if entry == self._tracker.start or time.monotonic() - began > PATIENCE:
                    break
        self._left = failed + self._left
        self._last = time.monotonic()

    def _tell(self, error: Exception) -> None:
        logger.debug("MLflow", exc_info=True)
        if not self._told:
            logger.warning(
                "logging to MLflow failed, and the run goes on without it: %s. What is missing"
                " there is logged later, by this command or the next one.",
                reason(error).rstrip("."),
            )
        self._told = True


def reason(error: Exception) -> str:
    """Return an error's first line."""
    first = str(error).strip().partition("\n")[0]
    return first if isinstance(error, InputError) else f"{type(error).__name__}: {first[:300]}"


def end_on_signals(close: Callable[[], None]) -> Callable[[], None]:
    """Let Ctrl-C, SIGTERM and a closed terminal end this command at once, after `close`; return what undoes that.

    Nothing else has to be put in order: what is on disk is whole, whenever a process ends. Kedro
    would wait for the node that is running. Only in a command's own process: what a notebook's
    process does is not ours to say.
    """
    ours = click.get_current_context(silent=True) is not None
    if not ours or threading.current_thread() is not threading.main_thread():
        return lambda: None

    def end(number: int, frame: Any) -> None:
        for ending in before:
            signal.signal(ending, signal.SIG_DFL)  # a second one does not wait for MLflow
        # In a thread: this one may have been interrupted in the middle of MLflow's own locks.
        last = threading.Thread(target=close, daemon=True)
        last.start()
        last.join(GRACE)
        click.echo(f"\nEnded by {signal.Signals(number).name}; the same command goes on.", err=True)
        os.kill(os.getpid(), number)

    before = {number: signal.getsignal(number) for number in SIGNALS}
    before = {
        number: handler for number, handler in before.items() if handler != signal.SIG_IGN
    }  # nohup
    for number in before:
        signal.signal(number, end)

    def undo() -> None:
        for number, handler in before.items():
            signal.signal(number, handler)

    return undo
