"""Workers that are processes of this machine."""

import atexit
import os
import signal
import threading
from collections.abc import Callable
from contextlib import suppress
from multiprocessing import get_context, parent_process
from multiprocessing.connection import Connection, wait
from typing import Any

import cloudpickle

from pt4al.cluster.seam import Cluster, Crew, Died, Done, Failed, Outcome
from pt4al.cluster.worker import Job, Prepared, key_of_now

KILLED = "its process was killed, or ran out of memory"
GRACE = 60.0  # seconds for a process to end by itself: MLflow may have to be told of its last run
IDLE = 120.0  # seconds after which a process that has no work ends

_idle: list["Process"] = []


class Processes(Crew):
    """Processes, each of which serves many shards, and is replaced if it dies."""

    def __init__(self, cluster: Cluster, job: Job):
        self._cluster = cluster
        self._key = key_of_now()
        self._packed = job.pack()
        self._busy: dict[tuple, Process] = {}
        self._own: list[Process] = []  # without work, with this job prepared

    def __exit__(self, kind: type[BaseException] | None, *error: object) -> None:
        for process in self._busy.values():
            # At Ctrl-C they are told as well, and end by themselves.
            process.end(GRACE if kind is KeyboardInterrupt else 0.0)
        if self._cluster.warm:
            _idle.extend(self._own)
        else:
            for process in self._own:
                process.end(GRACE)

    def slots(self) -> int:
        """See Crew."""
        return self._cluster.workers

    def start(self, key: tuple, shard: Any) -> None:
        """See Crew."""
        while True:
            process = self._free()
            try:
                process.give(self._key, lambda: self._packed, shard)
            except OSError:
                if process.served:  # it had ended, as one does without work
                    process.end(0.0)
                    continue
            self._busy[key] = process  # where it could not begin, that is an end like others
            return

    def ended(self, seconds: float) -> list[tuple[tuple, Outcome]]:
        """See Crew."""
        pipes = {process.pipe: key for key, process in self._busy.items()}
        outcomes = []
        for pipe in wait(list(pipes), seconds):
            key = pipes[pipe]
            process = self._busy.pop(key)
            outcome = process.take()
            if isinstance(outcome, Died):
                process.end(0.0)
            else:
                self._own.append(process)
            outcomes.append((key, outcome))
        return outcomes

    def stop(self, key: tuple) -> None:
        """See Crew."""
        self._busy.pop(key).end(0.0)

    def _free(self) -> "Process":
        if self._own:
            return self._own.pop()
        while self._cluster.warm and _idle:
            process = _idle.pop()
            if process.alive:
                return process
            process.end(0.0)
        return Process()


class Process:
    """One process, which does one thing after another."""

    def __init__(self) -> None:
        context = get_context("spawn")
        self.pipe, theirs = context.Pipe()
        self._process = context.Process(target=_work, args=(theirs,))
        self._process.start()
        theirs.close()  # so that its end is seen as the end of the pipe
        self._job: str | None = None

    @property
    def alive(self) -> bool:
        """Whether it runs."""
        return self._process.is_alive()

    @property
    def served(self) -> bool:
        """Whether it has had work."""
        return self._job is not None

    def give(self, key: str, packed: Callable[[], bytes], shard: Any) -> None:
        """Send a shard, and the job where the last one was another; OSError if it has ended."""
        job = None if key == self._job else packed()
        self.pipe.send_bytes(cloudpickle.dumps((key, job, shard)))
        self._job = key

    def take(self) -> Outcome:
        """Return what became of the shard."""
        try:
            good, value = cloudpickle.loads(self.pipe.recv_bytes())
        except (EOFError, OSError):
            self._process.join(GRACE)
            ended_by = -min(self._process.exitcode or 0, 0)
            final = ended_by in (signal.SIGTERM, signal.SIGINT)
            return Died(KILLED, final=final)
        return Done(value) if good else Failed(value)

    def end(self, grace: float) -> None:
        """End the process, which may take so long to end by itself, and wait for that."""
        self.pipe.close()
        if grace:
            self._process.join(grace)
        if self._process.is_alive():
            self._process.kill()
        self._process.join()
        self._process.close()


@atexit.register
def end_idle() -> None:
    """End the processes that wait for work."""
    while _idle:
        _idle.pop().end(GRACE)


def _work(pipe: Connection) -> None:
    """Do work from the pipe until it is closed, or nothing comes."""
    if signal.getsignal(signal.SIGINT) != signal.SIG_IGN:  # as for a command in the background
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    threading.Thread(target=_leave_with_parent, daemon=True).start()
    prepared = Prepared()
    with suppress(EOFError, OSError):
        while pipe.poll(IDLE):
            key, job, shard = cloudpickle.loads(pipe.recv_bytes())
            pipe.send_bytes(_packed(*prepared.do(key, lambda job=job: job, shard)))


def _packed(good: bool, value: Any) -> bytes:
    try:
        return cloudpickle.dumps((good, value))
    except Exception as error:  # a result or an error that can't be sent
        return cloudpickle.dumps(
            (False, RuntimeError(f"{type(value).__name__}: {value} ({error})"))
        )


def _leave_with_parent() -> None:
    """End this process as soon as its parent has, however that ended."""
    parent_process().join()
    os._exit(1)
