"""A lock in a bucket: one machine at a time works at what has its name.

It is an object that says who has it, and that is written again every half minute. One whose owner
is dead, or has been silent for ten minutes by the server's clock, is taken over.
"""

import json
import logging
import os
import socket
import threading
import uuid
from typing import Any

import psutil

from pt4al.errors import InputError
from pt4al.files.patience import Unreachable
from pt4al.files.storage import Storage

logger = logging.getLogger(__name__)

FOLDER = ".locks"
BEAT = 30.0  # seconds between two signs of life
SILENT = 600.0  # seconds without one after which it is taken over


class RemoteLock:
    """The lock of a name. It is had from `acquire` to `release`, or to the end of the process."""

    def __init__(self, storage: Storage, name: str, silent: float = SILENT):
        self._storage = storage
        self._name = name
        self._object = f"{FOLDER}/{name}.json"
        self._silent = silent
        self._mine = {"host": socket.gethostname(), "pid": os.getpid(), "token": uuid.uuid4().hex}
        self._ended = threading.Event()
        self._taken_by: str | None = None
        self._thread = threading.Thread(target=self._beat, daemon=True)

    def acquire(self) -> None:
        """Take the lock.

        Raises
        ------
        InputError
            If another machine or process has it.
        """
        if not self._storage.create(self._object, self._written()):
            self._take_over(self._owner())
        self._thread.start()

    def check(self) -> None:
        """Raise InputError if another machine has taken the lock, since this one was silent."""
        if self._taken_by is not None:
            raise InputError(
                f"{self._name!r} in {self._storage.address} was taken over by {self._taken_by}, "
                f"since this process could not reach the bucket: what it finished is kept in "
                f"{self._storage.root}"
            )

    def release(self) -> None:
        """Free the lock, unless it is another one's by now. Nothing happens twice."""
        if self._ended.is_set():
            return
        self._ended.set()
        if self._thread.is_alive():  # it may be writing the object
            self._thread.join()
        if self._owner() == self._mine:
            self._storage.remove(self._object)

    def _take_over(self, owner: dict[str, Any]) -> None:
        if owner == self._mine:  # it was written, and only the answer was lost
            return
        if not self._is_dead(owner):
            raise InputError(self._refusal(owner))
        # Of several that find it dead one may go on.
        claim = f"{self._object}.{owner.get('token')}"
        if not self._storage.create(claim, self._written()):
            raise InputError(f"{self._refusal(owner)} ({claim} says that it is being taken over)")
        try:
            if self._owner() != owner:
                raise InputError(self._refusal(self._owner()))
            self._storage.write(self._object, self._written())
        finally:
            self._storage.remove(claim)
        logger.info("%s was left by %s, and is taken over", self._name, _called(owner))

    def _is_dead(self, owner: dict[str, Any]) -> bool:
        if owner.get("host") == self._mine["host"]:
            # A container may begin anew with the name and the number that one had before.
            pid = owner.get("pid", -1)
            return pid == self._mine["pid"] or not psutil.pid_exists(pid)
        return self._now() - self._storage.modified(self._object) > self._silent

    def _now(self) -> float:
        """Return the time by the server's clock: those of two machines may differ."""
        probe = f"{self._object}.{self._mine['token']}"
        self._storage.write(probe, self._written())
        try:
            return self._storage.modified(probe)
        finally:
            self._storage.remove(probe)

    def _owner(self) -> dict[str, Any]:
        content = self._storage.read(self._object)
        try:
            owner = json.loads(content or b"{}")
        except ValueError:  # it is just being written
            owner = {}
        return owner if isinstance(owner, dict) else {}

    def _beat(self) -> None:
        while not self._ended.wait(BEAT):
            try:
                owner = self._owner()
                if owner == self._mine:
                    self._storage.write(self._object, self._written())
                elif owner:
                    self._taken_by = _called(owner)
                    return
            except Unreachable:
                continue
            except InputError as error:
                logger.warning("%s", error)

    def _written(self) -> bytes:
        return json.dumps(self._mine).encode()

    def _refusal(self, owner: dict[str, Any]) -> str:
        return (
            f"{self._name!r} in {self._storage.address} is being run by {_called(owner)}: wait, or "
            f"use another `run.name`; it is free {self._silent / 60:.0f} minutes after the last "
            f"sign of life"
        )


def _called(owner: dict[str, Any]) -> str:
    return f"process {owner.get('pid', '?')} of {owner.get('host', 'another machine')}"
