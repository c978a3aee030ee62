"""What a worker does, whoever started it: prepare once, then one shard after another."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import cloudpickle
from threadpoolctl import threadpool_limits

from pt4al.cluster.packing import pack


@dataclass(frozen=True)
class Job:
    """What is done to every shard.

    Attributes
    ----------
    work, prepare
        See `seam.in_shards`.
    threads
        Of each worker.
    """

    work: Callable[[Any, Any], Any]
    prepare: Callable[[], Any]
    threads: int

    def pack(self) -> bytes:
        """Return the job as bytes for workers, which run what is in them."""
        return pack(self)


class Prepared:
    """The last job of this process, with what it has prepared."""

    def __init__(self) -> None:
        self._key: str | None = None
        self._prepared: Any = None

    def has(self, key: str) -> bool:
        """Whether a job is the last one."""
        return key == self._key

    def do(self, key: str, packed: Callable[[], bytes], shard: Any) -> tuple[bool, Any]:
        """Return (True, the shard's result), or (False, what was raised)."""
        try:
            if not self.has(key):
                self._key = None
                self._prepared = None  # the last job's end goes before this one's beginning
                self._job: Job = cloudpickle.loads(packed())
                limit_threads(self._job.threads)
                self._prepared = self._job.prepare()
                self._key = key
            return True, self._job.work(self._prepared, shard)
        except Exception as error:
            return False, error


def limit_threads(threads: int) -> None:
    """Let torch, numpy and scikit-learn use so many threads."""
    import torch

    torch.set_num_threads(threads)
    threadpool_limits(threads)


def key_of_now() -> str:
    """Return a key that no other job of this process has."""
    return f"{time.monotonic_ns()}"
