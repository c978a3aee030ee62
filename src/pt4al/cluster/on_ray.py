"""Workers that are tasks on a Ray cluster."""

import time
from contextlib import suppress
from itertools import count
from types import ModuleType
from typing import Any
from uuid import uuid4

import cloudpickle

from pt4al.cluster.ray_session import connect, last_line
from pt4al.cluster.seam import Cluster, Crew, Died, Done, Failed, Outcome
from pt4al.cluster.worker import Job, Prepared
from pt4al.errors import InputError

NODES = 1.0  # seconds after which the machines are looked at anew
# Where Ray's head keeps the marks of shards that workers have begun: among the names of functions,
# which it forgets with their job, however that ends.
MARKS = "fun"
MARK = "RemoteFunction:{job}:pt4al {crew} "

_prepared = Prepared()


class RayCrew(Crew):
    """Tasks of Ray, one a shard. A worker of Ray that does several prepares once."""

    def __init__(self, cluster: Cluster, job: Job):
        import ray

        connect(cluster.address)
        self._cluster = cluster
        self._key = uuid4().hex
        self._job = ray.put(job.pack())
        options = {
            "num_cpus": cluster.threads,
            "num_gpus": cluster.gpus,
            "max_retries": 0,
            # Or a machine that is ready takes what comes, as long as shards are short.
            "scheduling_strategy": "SPREAD",
        }
        self._remote = ray.remote(_do).options(**options)
        self._running: dict[Any, tuple[tuple, str]] = {}  # keys, and marks of their beginning
        job_id = ray.get_runtime_context().get_job_id()
        self._mark = MARK.format(job=job_id, crew=self._key)
        self._numbers = count()
        self._looked = -NODES
        self.slots()

    def __exit__(self, *error: object) -> None:
        for reference in self._running:
            _cancel(reference)
        with suppress(Exception):  # the cluster has gone, with its marks
            _marks()._internal_kv_del(self._mark, del_by_prefix=True, namespace=MARKS)

    def slots(self) -> int:
        """See Crew; InputError if no machine can take a worker."""
        if time.monotonic() - self._looked < NODES:
            return self._slots
        room = _room(self._cluster, needed=not self._running)
        self._looked = time.monotonic()
        self._slots = min(room, self._cluster.workers or room)
        return self._slots

    def start(self, key: tuple, shard: Any) -> None:
        """See Crew."""
        # In a list, so that Ray does not fetch it for each task: a worker keeps what it prepared.
        # Packed here: Ray's own packing knows nothing of modules that workers lack.
        mark = f"{self._mark}{next(self._numbers)}"
        packed = cloudpickle.dumps(shard)
        self._running[self._remote.remote(self._key, [self._job], packed, mark)] = (key, mark)

    def ended(self, seconds: float) -> list[tuple[tuple, Outcome]]:
        """See Crew."""
        import ray

        ready, _ = ray.wait(list(self._running), num_returns=1, timeout=seconds)
        return [(self._running.pop(reference)[0], _outcome(reference)) for reference in ready]

    def waiting(self) -> set[tuple]:
        """See Crew."""
        try:
            begun = set(_marks()._internal_kv_list(self._mark, namespace=MARKS))
        except Exception:  # the cluster has gone, as the next call says
            return set()
        return {key for key, mark in self._running.values() if mark.encode() not in begun}

    def stop(self, key: tuple) -> None:
        """See Crew."""
        reference = next(ref for ref, (running, _) in self._running.items() if running == key)
        del self._running[reference]
        _cancel(reference)


def check_room(cluster: Cluster) -> None:
    """Connect; raise InputError if that can't be done, or no machine there can take a worker."""
    connect(cluster.address)
    _room(cluster, needed=True)


def _room(cluster: Cluster, needed: bool) -> int:
    """Return how many workers find room; InputError if one is needed and none does."""
    import ray

    nodes = [node["Resources"] for node in ray.nodes() if node["Alive"]]
    room = sum(_room_of(node, cluster) for node in nodes)
    if needed and not room:
        largest = max((node.get("CPU", 0) for node in nodes), default=0)
        raise InputError(
            f"no machine of the cluster has {cluster.threads:g} cores and "
            f"{cluster.gpus:g} GPUs for a worker (the largest has {largest:g} cores): "
            "lower `engine.threads`, or add machines"
        )
    return room


def _room_of(node: dict[str, float], cluster: Cluster) -> int:
    room = node.get("CPU", 0) // cluster.threads
    if cluster.gpus:
        room = min(room, node.get("GPU", 0) // cluster.gpus)
    return int(room)


def _do(key: str, job: list, shard: bytes, mark: str) -> tuple[bool, Any]:
    import ray

    with suppress(Exception):  # else its time is not limited
        _marks()._internal_kv_put(mark, b"", namespace=MARKS)
    try:
        unpacked = cloudpickle.loads(shard)
        return _prepared.do(key, lambda: ray.get(job[0]), unpacked)
    except Exception as error:  # a shard that can't be unpacked
        return False, error
    finally:
        with suppress(Exception):
            _marks()._internal_kv_del(mark, namespace=MARKS)


def _marks() -> ModuleType:
    """Return Ray's small table of names, which its head keeps for all processes."""
    from ray.experimental import internal_kv

    return internal_kv


def _outcome(reference: Any) -> Outcome:
    import ray
    from ray import exceptions

    try:
        good, value = ray.get(reference)
    except exceptions.WorkerCrashedError:
        return Died("a worker was killed")
    except exceptions.OutOfMemoryError:
        return Died("a worker ran out of memory")
    except (exceptions.NodeDiedError, exceptions.ObjectLostError) as lost:
        return Died(f"a machine was lost ({last_line(lost)})", blameless=True)
    except exceptions.RayTaskError as error:  # which may be a RaySystemError as well
        return Failed(InputError(f"a worker could not begin: {last_line(error)}"))
    except exceptions.RaySystemError as lost:
        return Died(f"a machine was lost ({last_line(lost)})", blameless=True)
    return Done(value) if good else Failed(value)


def _cancel(reference: Any) -> None:
    import ray

    try:
        ray.cancel(reference, force=True)
    except Exception:  # the cluster has gone: there is nothing left to end
        return
