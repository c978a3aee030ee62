"""Do work shard by shard, on one machine or many: order, retries, limits, cancellation."""

import heapq
import logging
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from itertools import count
from typing import Any

from pt4al.cluster.worker import Job
from pt4al.errors import InputError, counted

logger = logging.getLogger(__name__)

LOCAL = "local"
TRIES = 2  # of a shard whose worker dies, before it is halved, and of each half
MOVES = 10  # of a shard whose machine is lost, which is not the shard's doing
AHEAD = 4  # shards a worker that may wait for those before them
POLL = 1.0  # seconds between two looks at what has run too long
QUIET = 60.0  # seconds for which nothing may run for want of room before it is said, and again

Work = Callable[[Any, Any], Any]
Lost = Callable[[Any, str], Any]


@dataclass(frozen=True)
class Cluster:
    """Where work in shards is done.

    Attributes
    ----------
    address
        `local`: this machine. `ray`: the cluster that the variable RAY_ADDRESS names, or else one
        that is started on this machine. `ray://host:port`: by Ray's client.
    workers
        Processes side by side; 0 for as many as the cluster has room for. One that is local and
        warm is this process itself.
    threads
        Cores that each takes. Another number gives other roundings.
    gpus
        GPUs that each takes; a part of one may be shared.
    patience
        Seconds that one shard may take, from when a worker begins it.
    warm
        Whether local processes stay for the next work. Else all are new, one alone too, and end
        with the work.
    """

    address: str = LOCAL
    workers: int = 1
    threads: int = 1
    gpus: float = 0.0
    patience: float = 3600.0
    warm: bool = True

    @property
    def alone(self) -> bool:
        """Whether this process does all of it."""
        return self.address == LOCAL and self.workers == 1 and self.warm


ALONE = Cluster()  # this process


@dataclass(frozen=True)
class Done:
    """A shard's result."""

    result: Any


@dataclass(frozen=True)
class Failed:
    """What the work raised."""

    error: BaseException


@dataclass(frozen=True)
class Died:
    """A worker that ended over a shard.

    Attributes
    ----------
    blameless
        Whether the machine went, and not the process alone.
    final
        Whether somebody ended it on purpose, who does not want it done again.
    """

    reason: str
    blameless: bool = False
    final: bool = False


Outcome = Done | Failed | Died


class Crew(AbstractContextManager):
    """Workers that take one shard each at a time."""

    def slots(self) -> int:
        """Return how many shards they can take at once."""
        raise NotImplementedError

    def start(self, key: tuple, shard: Any) -> None:
        """Hand out a shard."""
        raise NotImplementedError

    def ended(self, seconds: float) -> list[tuple[tuple, Outcome]]:
        """Wait for an end, at most so long; return the shards that ended, by key."""
        raise NotImplementedError

    def waiting(self) -> set[tuple]:
        """Return the shards handed out that no worker has begun, for want of room."""
        return set()

    def stop(self, key: tuple) -> None:
        """End the worker that has a shard; it does not come back from `ended`."""
        raise NotImplementedError


def nothing() -> None:
    """Prepare nothing."""


def in_shards(
    work: Work,
    shards: Iterable[Sequence | None],
    cluster: Cluster,
    prepare: Callable[[], Any] = nothing,
    title: str = "work",
    on_lost: Lost | None = None,
    ordered: bool = True,
) -> Iterator[tuple[Sequence, Any]]:
    """Yield each shard with `work(prepared, shard)`, where `prepared = prepare()`.

    Shards are handed out as there is room for their results. A shard whose worker dies, or takes
    longer than the limit (waiting for a worker is not counted), is given to another; one that ends
    two workers is halved; a half that ends two is lost. So a shard may come back as two, and must
    be a sequence. The same shards give the same bytes whatever the cluster, if workers have as many
    threads.

    Parameters
    ----------
    work
        Called in the workers. What it raises is raised here, and ends all that is running.
    shards
        May give None where the next shard has to wait for the result of one that is running.
    prepare
        Called once in each worker, before its first shard: it opens a pool, moves a network.
    title
        What messages call the work.
    on_lost
        `on_lost(shard, reason)` returns the result of a lost shard; by default InputError.
    ordered
        Whether shards come in their order; else as they end.
    """
    if cluster.alone:
        prepared = prepare()
        for shard in shards:
            yield shard, work(prepared, shard)
        return
    with _crew(cluster, Job(work, prepare, cluster.threads)) as crew:
        yield from _Schedule(crew, shards, cluster, title, on_lost or _refuse(title), ordered)


def check(cluster: Cluster) -> None:
    """Raise InputError if nobody could work on a cluster: none is there, or none with the room."""
    if cluster.address != LOCAL:
        from pt4al.cluster.on_ray import check_room

        check_room(cluster)


def _crew(cluster: Cluster, job: Job) -> Crew:
    if cluster.address == LOCAL:
        from pt4al.cluster.processes import Processes

        return Processes(cluster, job)
    from pt4al.cluster.on_ray import RayCrew

    return RayCrew(cluster, job)


def _refuse(title: str) -> Lost:
    def refuse(shard: Sequence, reason: str) -> None:
        raise InputError(
            f"{title}: {counted(len(shard), 'item')}, {_named(shard)}, can't be worked on: "
            f"{reason}; what is finished is kept, and the same command goes on"
        )

    return refuse


def _named(shard: Sequence) -> str:
    first = str(shard[0])
    last = str(shard[len(shard) - 1])
    return first if first == last else f"{first[:80]} to {last[:80]}"


@dataclass(frozen=True, order=True)
class _Task:
    """A shard on its way: its place among all, and what happened to it."""

    key: tuple
    shard: Any = field(compare=False)
    deaths: int = field(default=0, compare=False)
    moves: int = field(default=0, compare=False)

    @property
    def halved(self) -> bool:
        return len(self.key) > 1

    def halves(self) -> list["_Task"]:
        middle = len(self.shard) // 2
        parts = (self.shard[:middle], self.shard[middle:])
        return [_Task((*self.key, number), part) for number, part in enumerate(parts)]


class _Schedule:
    """Hands shards out and takes results in, until all have come."""

    def __init__(
        self,
        crew: Crew,
        shards: Iterable[Sequence | None],
        cluster: Cluster,
        title: str,
        on_lost: Lost,
        ordered: bool,
    ):
        self._crew = crew
        self._new = iter(shards)
        self._numbers = count()
        self._limit = cluster.patience
        self._title = title
        self._on_lost = on_lost
        self._ordered = ordered
        self._again: deque[_Task] = deque()
        self._running: dict[tuple, tuple[_Task, float]] = {}  # with the time when it must end
        self._looked = -POLL
        self._told = 0.0  # when something ran last, or it was said that nothing does
        self._open: list[tuple] = []  # keys that have not been yielded, the first first
        self._results: dict[tuple, tuple[Sequence, Any]] = {}

    def __iter__(self) -> Iterator[tuple[Sequence, Any]]:
        self._told = time.monotonic()
        while True:
            self._hand_out()
            if not self._running:
                return
            for key, outcome in self._crew.ended(POLL):
                task, _ = self._running.pop(key)
                self._take(task, outcome)
            self._end_overdue()
            yield from self._ready()

    def _hand_out(self) -> None:
        slots = self._crew.slots()
        while len(self._running) < slots:
            task = self._next(slots)
            if task is None:
                return
            self._running[task.key] = (task, time.monotonic() + self._limit)
            self._crew.start(task.key, task.shard)

    def _next(self, slots: int) -> _Task | None:
        if self._again:
            return self._again.popleft()
        if len(self._open) >= AHEAD * slots:
            return None
        shard = next(self._new, None)
        if shard is None:
            return None
        task = _Task((next(self._numbers),), shard)
        heapq.heappush(self._open, task.key)
        return task

    def _take(self, task: _Task, outcome: Outcome) -> None:
        if isinstance(outcome, Failed):
            raise outcome.error
        if isinstance(outcome, Done):
            self._results[task.key] = (task.shard, outcome.result)
        elif outcome.blameless and task.moves < MOVES:
            logger.warning("%s: %s; its shard goes to another", self._title, outcome.reason)
            self._again.append(replace(task, moves=task.moves + 1))
        elif task.deaths + 1 < TRIES and not outcome.final:
            logger.warning("%s: %s; its shard goes to another", self._title, outcome.reason)
            self._again.append(replace(task, deaths=task.deaths + 1))
        elif not task.halved and len(task.shard) > 1 and not outcome.final:
            logger.warning("%s: %s, twice; its shard is halved", self._title, outcome.reason)
            self._open.remove(task.key)
            heapq.heapify(self._open)
            for half in task.halves():
                heapq.heappush(self._open, half.key)
                self._again.append(half)
        else:
            self._results[task.key] = (task.shard, self._on_lost(task.shard, outcome.reason))

    def _end_overdue(self) -> None:
        now = time.monotonic()
        if now < self._looked + POLL:
            return
        self._looked = now
        waiting = self._crew.waiting() & self._running.keys()
        if len(waiting) < len(self._running) or not waiting:
            self._told = now
        elif now >= self._told + QUIET:
            self._told = now
            number = counted(len(waiting), "shard")
            logger.warning(
                "%s: nothing runs for want of room on the cluster: %s waiting", self._title, number
            )
        for key in waiting:
            self._running[key] = (self._running[key][0], now + self._limit)
        for key, (task, end) in list(self._running.items()):
            if now > end:
                self._crew.stop(key)
                del self._running[key]
                reason = f"it did not end within {self._limit:g} seconds (`engine.patience`)"
                self._take(task, Died(reason))

    def _ready(self) -> Iterator[tuple[Sequence, Any]]:
        if not self._ordered:
            for key in list(self._results):
                self._open.remove(key)
                yield self._results.pop(key)
            heapq.heapify(self._open)
            return
        while self._open and self._open[0] in self._results:
            yield self._results.pop(heapq.heappop(self._open))
