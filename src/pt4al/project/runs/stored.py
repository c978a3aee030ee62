"""Keep a command's files in a bucket: bring what it needs, write what it makes, one machine at a time."""

import logging
import queue
import threading
import time
from collections.abc import Iterable
from contextlib import chdir
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pt4al.errors import InputError, counted
from pt4al.files.mirror import Mirror
from pt4al.files.patience import Unreachable
from pt4al.files.remote_lock import RemoteLock
from pt4al.files.shard_cache import make_room
from pt4al.files.storage import FIRST, Storage
from pt4al.project.configuration.loading import hand_over_keys
from pt4al.project.configuration.next_commands import baseline_of
from pt4al.project.runs.command import Command, Kind
from pt4al.project.runs.folder import LAYERS, RECORDS, REPORTS, STAMP

logger = logging.getLogger(__name__)

SHARED = ("pool", "features", "pretext")
READ_BY_REPORTS = (RECORDS, "07_model_output", REPORTS)  # layers, of other runs
SECTION = "storage"  # of the settings
EVERYTHING = None  # in a queue of paths: all that the bucket lacks
STOP = Path()  # none follows


def opened(config: Any, project: Path) -> Storage | None:
    """Return the bucket that the settings name, checked; None where they name none.

    The record of the run is brought from it: what a command runs depends on it.

    Parameters
    ----------
    config
        Kedro's loader of the project's settings.

    Raises
    ------
    InputError
        If there is no such bucket, or the record here is not the one there.
    """
    named = config["parameters"].get(SECTION)
    if not isinstance(named, dict) or not named.get("address"):
        return None  # a block that is no block is told where all settings are checked
    from pt4al.project.configuration.parsing import parse

    with chdir(project):
        parameters = parse(config["parameters"])
    places = config["globals"]
    settings = parameters.storage
    if not places["versioned"]:
        raise InputError(
            f"`storage.address` {settings.address}: DVC keeps the files of this environment: set "
            "it to null, and use `dvc remote add` and `dvc push`"
        )
    hand_over_keys(project, settings.address)
    root = project / places["root"]
    storage = Storage(root, settings.address, settings.patience, settings.cache)
    storage.check()
    storage.attach()
    if not parameters.run.fresh:
        impatient = replace(storage, patience=min(FIRST, storage.patience))
        _mirror(impatient, [f"{RECORDS}/{parameters.run.name}"]).pull()
    return storage


class KeptCommand:
    """The files of a command, which a bucket keeps.

    Parameters
    ----------
    places
        Those of globals.yml, with the names of folders.
    """

    def __init__(self, storage: Storage, command: Command, places: dict[str, Any]):
        self._storage = storage
        self._fresh = None
        run = command.parameters.run
        if run.fresh and command.kind is Kind.RUN:
            self._fresh = run.name
        self._lock = RemoteLock(storage, command.lock)
        self._mirror = _mirror(storage, _in(LAYERS, _written_by(command, places)))
        self._beside = _mirror(storage, _in(READ_BY_REPORTS, _shown_beside(command)))
        self._queue: queue.Queue[Path | None] = queue.Queue()
        self._thread = threading.Thread(target=self._carry, daemon=True)
        self._error: Exception | None = None

    def begin(self) -> None:
        """Take the lock, and bring what the bucket has; InputError if that can't be."""
        self._lock.acquire()
        start = time.monotonic()
        try:
            brought = self._mirror.pull(without=self._fresh) + self._bring_beside()
        except InputError:
            self._lock.release()
            raise
        if brought:
            seconds = time.monotonic() - start
            files = counted(brought, "file")
            logger.info("%s brought from %s in %.1f s", files, self._storage.address, seconds)
        self._thread.start()

    def settled(self) -> None:
        """Write what the bucket lacks, once the command may start; a fresh one sets the old run aside."""
        if self._fresh is not None:
            stamped = f"{self._fresh}.{datetime.now(UTC):{STAMP}}"
            self._mirror.set_aside(self._fresh, stamped)
        self._queue.put(EVERYTHING)

    def saved(self, path: Path) -> None:
        """Write a dataset, while the command goes on.

        Raises
        ------
        InputError
            If that was not possible with an earlier one.
        """
        self._check()
        self._queue.put(path)

    def end(self) -> None:
        """Write what is left, and free the lock; InputError if that is not possible."""
        self._stop()
        self._check()
        start = time.monotonic()
        written = self._mirror.push()
        seconds = time.monotonic() - start
        logger.info("%s more written to %s in %.1f s", written, self._storage.address, seconds)
        make_room(self._storage)
        self._lock.release()

    def give_up(self, error: BaseException) -> None:
        """Write what can be written after an error, and free the lock."""
        self._stop()
        if isinstance(error, Unreachable):  # the next command here takes the lock over
            return
        try:
            self._check()
            self._mirror.push()
            self._lock.release()
        except InputError as another:
            if another is not error:
                logger.warning("%s", another)

    def _bring_beside(self) -> int:
        try:
            return self._beside.pull()
        except InputError as error:  # no run ends for another one's files
            logger.warning("%s", error)
            return 0

    def _check(self) -> None:
        self._lock.check()
        if self._error is not None:
            raise self._error

    def _carry(self) -> None:
        """Write datasets in the order in which they were saved, until told to stop."""
        while True:
            path = self._queue.get()
            if path is STOP:
                return
            try:
                self._mirror.push(path)
            except Exception as error:  # told when the next dataset is saved
                self._error = error
                return

    def _stop(self) -> None:
        self._queue.put(STOP)
        if self._thread.is_alive():
            self._thread.join()


def _written_by(command: Command, places: dict[str, Any]) -> list[str]:
    """Return the names of the folders that a command writes, its own and shared ones."""
    names = [places[shared] for shared in SHARED]
    if command.kind is Kind.COMPARISON:
        return [*names, command.parameters.comparison.name]
    run = command.parameters.run.name
    return [*names, run, f"{run}.predictions"]


def _shown_beside(command: Command) -> list[str]:
    """Return the names of runs that a run's report shows, if there are such runs."""
    if command.kind is not Kind.RUN:
        return []
    run = command.parameters.run.name
    names = {baseline_of(run), *command.parameters.report.baselines}
    return sorted(names - {run})


def _in(layers: Iterable[str], names: list[str]) -> list[str]:
    return [f"{layer}/{name}" for layer in layers for name in names]


def _mirror(storage: Storage, folders: list[str]) -> Mirror:
    return Mirror(storage, folders, guarded=f"{RECORDS}/")
