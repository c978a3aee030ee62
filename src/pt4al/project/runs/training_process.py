"""Start the command of a run as a process of its own, hear how it gets on, and end it."""

import json
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO

WAITS = 75  # exit status: people have to answer first
PATIENCE = 20.0  # seconds that a process has to end by itself
CHILD = "pt4al.project.runs.training_child"

# What a node does, in words; others go without saying.
STEPS = {
    "build_pool": "Decoding pictures",
    "build_test_pool": "Decoding pictures",
    "inspect": "Looking for duplicates",
    "report_intake": "Drawing the intake report",
    "compute_features": "Computing features",
    "compute_views": "Computing features of views",
    "train_pretext": "Training on the pretext task",
    "score_pretext": "Computing pretext losses",
    "rank_pool": "Ranking pictures",
    "choose_query": "Choosing pictures to ask for",
    "suggest": "Guessing their classes",
    "explain_query": "Noting why they were chosen",
    "train_main": "Training the model",
    "evaluate": "Measuring the model",
    "evaluate_control": "Measuring the model",
    "gather_history": "Making the report",
    "draw_pictures": "Making the report",
    "write_report": "Making the report",
}


@dataclass(frozen=True)
class Work:
    """What a command does now: words, and how far it is (`total` 0: that is not known)."""

    text: str
    done: int = 0
    total: int = 0


class TrainingProcess:
    """The command of a run, in a process of its own: its memory is free again when it ends."""

    def __init__(self, project: Path, arguments: list[str], watch: Callable[[Work], None]):
        """Start it.

        Parameters
        ----------
        project
            Folder of the project.
        arguments
            Those of `kedro run`.
        watch
            Called, in another thread, with what it does.
        """
        self.message = ""
        self._watch = watch
        # In a session of its own: a Ctrl-C in the terminal is for `kedro label`, which ends this.
        self._process = subprocess.Popen(
            [sys.executable, "-m", CHILD, *arguments],
            cwd=project,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,
            text=True,
            encoding="utf-8",
        )
        self._reader = threading.Thread(
            target=self._read, args=(self._process.stdout,), daemon=True
        )
        self._reader.start()

    def wait(self) -> int:
        """Wait until it has ended; return its exit status."""
        status = self._process.wait()
        self._reader.join(PATIENCE)
        self._process.stdin.close()
        return status

    def stop(self) -> None:
        """End it, and wait for that: as by Ctrl-C, and after a while by force."""
        self._process.stdin.close()  # it sees that nobody holds the other end
        try:
            self._process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._reader.join(PATIENCE)

    def _read(self, reports: IO[str]) -> None:
        words = "Checking the settings"  # before the first step
        with reports:
            for line in reports:
                event = json.loads(line)
                self.message = event.get("error") or event.get("message") or self.message
                if "step" in event:
                    words = STEPS.get(event["step"].rpartition(".")[2], "Preparing")
                    self._watch(Work(words))
                elif "bar" in event:
                    self._watch(Work(words, event["done"], event["total"] or 0))
