"""Workers that are tasks on a Ray cluster. Nothing but this module and Ray Train's imports Ray."""

import os
import socket
import time
from typing import Any

from pt4al import __version__
from pt4al.cluster.seam import Cluster, Crew, Died, Done, Failed, Outcome
from pt4al.cluster.worker import Job, Prepared, key_of_now
from pt4al.errors import InputError

RAY = "ray"
# What a worker must share with the driver to round alike.
PASSED = (
    "ATEN_CPU_CAPABILITY",
    "ONEDNN_MAX_CPU_ISA",
    "MKL_CBWR",
    "OPENBLAS_CORETYPE",
    "OMP_WAIT_POLICY",
    "GOMP_SPINCOUNT",
)
KNOCKING = 10.0  # seconds for a connection
GREETING = 60.0  # seconds for the first worker to answer
NODES = 1.0  # seconds after which the machines are looked at anew

_prepared = Prepared()


def connect(address: str) -> None:
    """Connect this process to a Ray cluster, once; InputError says why that can't be done.

    Parameters
    ----------
    address
        `ray` or `ray://host:port`: see `seam.Cluster`.
    """
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    try:
        import ray
    except ImportError as error:
        raise InputError(
            f"`engine.cluster` is {address}, and Ray is not installed: "
            'pip install "pt4al[ray]", or set it to local'
        ) from error
    if ray.is_initialized():
        return
    where = os.environ.get("RAY_ADDRESS", "local") if address == RAY else address
    options: dict[str, Any] = {"address": where, "log_to_driver": False}
    if where == "local":
        options |= {"include_dashboard": False, "_node_ip_address": "127.0.0.1"}
    else:
        passed = {name: os.environ[name] for name in PASSED if name in os.environ}
        options["runtime_env"] = {"env_vars": passed}
    try:
        _knock(where)
        ray.init(**options)
    except Exception as error:
        raise InputError(
            f"`engine.cluster` {address}: no Ray cluster that can be used answers at {where} "
            f"({_first_line(error)}): start one (`ray start --head`), set RAY_ADDRESS, or set "
            "`engine.cluster` to local"
        ) from error
    _greet(address)


def _knock(where: str) -> None:
    """Raise OSError if nothing listens there: Ray would try for half a minute."""
    host, _, port = where.removeprefix("ray://").rpartition(":")
    if port.isdecimal():
        socket.create_connection((host.strip("[]"), int(port)), KNOCKING).close()


def _greet(address: str) -> None:
    """Raise InputError if a worker there lacks this package, or has another version of it."""
    import ray

    def versions() -> str:
        import pt4al

        return pt4al.__version__

    try:
        theirs = ray.get(ray.remote(versions).options(num_cpus=0).remote(), timeout=GREETING)
    except Exception as error:
        ray.shutdown()
        raise InputError(
            f"`engine.cluster` {address}: its workers can't run pt4al ({_first_line(error)}): "
            f"install pt4al {__version__} on each machine of the cluster"
        ) from error
    if theirs != __version__:
        ray.shutdown()
        raise InputError(
            f"`engine.cluster` {address}: its workers have pt4al {theirs}, here is {__version__}: "
            "install the same on all"
        )


class RayCrew(Crew):
    """Tasks of Ray, one a shard. A worker of Ray that does several prepares once."""

    def __init__(self, cluster: Cluster, job: Job):
        import ray

        connect(cluster.address)
        self._cluster = cluster
        self._key = f"{os.getpid()} {key_of_now()}"
        self._job = ray.put(job.pack())
        options = {"num_cpus": cluster.threads, "num_gpus": cluster.gpus, "max_retries": 0}
        self._remote = ray.remote(_do).options(**options)
        self._running: dict[Any, tuple] = {}
        self._looked = -NODES
        self.slots()

    def __exit__(self, *error: object) -> None:
        for reference in self._running:
            _cancel(reference)

    def slots(self) -> int:
        """See Crew; InputError if no machine can take a worker."""
        import ray

        if time.monotonic() - self._looked < NODES:
            return self._slots
        nodes = [node["Resources"] for node in ray.nodes() if node["Alive"]]
        room = sum(self._room(node) for node in nodes)
        self._looked = time.monotonic()
        if not room and not self._running:
            largest = max((node.get("CPU", 0) for node in nodes), default=0)
            raise InputError(
                f"no machine of the cluster has {self._cluster.threads:g} cores and "
                f"{self._cluster.gpus:g} GPUs for a worker (the largest has {largest:g} cores): "
                "lower `engine.threads`, or add machines"
            )
        self._slots = min(room, self._cluster.workers or room)
        return self._slots

    def start(self, key: tuple, shard: Any) -> None:
        """See Crew."""
        # In a list, so that Ray does not fetch it for each task: a worker keeps what it prepared.
        reference = self._remote.remote(self._key, [self._job], shard)
        self._running[reference] = key

    def ended(self, seconds: float) -> list[tuple[tuple, Outcome]]:
        """See Crew."""
        import ray

        ready, _ = ray.wait(list(self._running), num_returns=1, timeout=seconds)
        return [(self._running.pop(reference), _outcome(reference)) for reference in ready]

    def stop(self, key: tuple) -> None:
        """See Crew."""
        reference = next(ref for ref, running in self._running.items() if running == key)
        del self._running[reference]
        _cancel(reference)

    def _room(self, node: dict[str, float]) -> int:
        room = node.get("CPU", 0) // self._cluster.threads
        if self._cluster.gpus:
            room = min(room, node.get("GPU", 0) // self._cluster.gpus)
        return int(room)


def _do(key: str, job: list, shard: Any) -> tuple[bool, Any]:
    import ray

    return _prepared.do(key, lambda: ray.get(job[0]), shard)


def _outcome(reference: Any) -> Outcome:
    import ray
    from ray import exceptions

    try:
        good, value = ray.get(reference)
    except exceptions.WorkerCrashedError:
        return Died("a worker was killed")
    except exceptions.OutOfMemoryError:
        return Died("a worker ran out of memory")
    except (
        exceptions.NodeDiedError,
        exceptions.ObjectLostError,
        exceptions.RaySystemError,
    ) as lost:
        return Died(f"a machine was lost ({_first_line(lost)})", blameless=True)
    except exceptions.RayTaskError as error:
        return Failed(InputError(f"a worker could not begin: {_first_line(error.cause or error)}"))
    return Done(value) if good else Failed(value)


def _cancel(reference: Any) -> None:
    import ray

    try:
        ray.cancel(reference, force=True)
    except Exception:  # the cluster has gone: there is nothing left to end
        return


def _first_line(error: BaseException) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[0][:200] if lines else type(error).__name__
