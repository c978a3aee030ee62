"""Connect this process to Ray: to a cluster that exists, or to one started here and ended with it."""

import atexit
import os
import re
import secrets
import signal
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pt4al.cluster import joining
from pt4al.cluster.seam import LOCAL
from pt4al.errors import InputError
from pt4al.files.scratch import Scratch

RAY = "ray"
GREETING = 60.0  # seconds for the first worker to answer
DECIDING = ("torch", "numpy", "pillow")
LONGEST = 30  # letters of the folder for temporary files: a socket's path has at most 107
SIGNALS = (signal.SIGINT, signal.SIGTERM)
VERSIONS = re.compile(r"Ray: (\S+)\s+Python: (\S+)")


def connect(address: str) -> None:
    """Connect this process to a Ray cluster, once; InputError says why that can't be done.

    It takes at most as long as a knock, joining and a worker's first answer may take together, two
    minutes and ten seconds, whatever is at the address.

    Parameters
    ----------
    address
        `ray` or `ray://host:port`: see `seam.Cluster`.
    """
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    where = address
    if address == RAY:
        where = os.environ.get("RAY_ADDRESS") or LOCAL
    try:
        import ray
    except ImportError as error:
        raise InputError(
            f"`engine.cluster` is {address}, and Ray is not installed: "
            'pip install "pt4al[ray]", or set it to local'
        ) from error
    if ray.is_initialized():
        return
    try:
        with _own_signals():
            if where == LOCAL:
                _start()
            else:
                joining.join(where)
    except Exception as error:
        raise InputError(_reason(address, where, error)) from error
    _greet(address)


def _start() -> None:
    """Start a Ray that other machines can't reach, in a folder that goes with this process."""
    os.environ.setdefault("RAY_AUTH_TOKEN", secrets.token_hex(32))  # or it writes one into ~/.ray
    scratch = Scratch.begin(_temporary())
    atexit.register(_end, scratch)
    place = {"_node_ip_address": "127.0.0.1", "_temp_dir": os.fspath(scratch.folder)}
    with joining.loopback():
        joining.init(LOCAL, include_dashboard=False, **place)


@contextmanager
def _own_signals() -> Iterator[None]:
    """Keep this process's answers to signals, which Ray would replace."""
    before = {number: signal.getsignal(number) for number in SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            if signal.getsignal(number) != handler:
                signal.signal(number, handler)


def _temporary() -> Path:
    """Return where Ray's folder can be made: its path must be short."""
    usual = Path(tempfile.gettempdir())
    return usual if len(os.fspath(usual)) <= LONGEST else Path("/tmp")


def _end(scratch: Scratch) -> None:
    import ray

    ray.shutdown()
    scratch.end()


def _greet(address: str) -> None:
    """Raise InputError if a machine there lacks this package, or has other versions."""
    import ray
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    nodes = {node["NodeID"]: node["NodeManagerAddress"] for node in ray.nodes() if node["Alive"]}
    task = ray.remote(_greeting)
    places = [NodeAffinitySchedulingStrategy(node, soft=False) for node in nodes]
    answers = [task.options(num_cpus=0, scheduling_strategy=place).remote() for place in places]
    here = _greeting()
    for machine, answer in zip(nodes.values(), answers, strict=True):
        try:
            there = ray.get(answer, timeout=GREETING)
        except Exception as error:
            ray.shutdown()
            raise InputError(
                f"`engine.cluster` {address}: workers on {machine} can't run pt4al "
                f"({last_line(error)}): install pt4al {here['pt4al']} on each machine of the cluster"
            ) from error
        for name, version in here.items():
            if there[name] != version:
                ray.shutdown()
                raise InputError(
                    f"`engine.cluster` {address}: workers on {machine} have {name} {there[name]}, "
                    f"here is {version}: install the same on all"
                )


def _greeting() -> dict[str, str]:
    """Return the versions that decide about bytes."""
    from importlib.metadata import version

    import pt4al

    return {"pt4al": pt4al.__version__} | {name: version(name) for name in DECIDING}


def _reason(address: str, where: str, error: Exception) -> str:
    """Say in a sentence why there is no connection."""
    versions = VERSIONS.findall(str(error))
    if len(versions) == 2:
        (ray, python), (our_ray, our_python) = versions
        return (
            f"`engine.cluster` {address}: the cluster at {where} has Ray {ray} and Python {python}, "
            f"here are Ray {our_ray} and Python {our_python}: install the same on all"
        )
    return (
        f"`engine.cluster` {address}: no Ray cluster that can be used answers at {where} "
        f"({first_line(error)}): start one (`ray start --head`), set RAY_ADDRESS, and RAY_AUTH_TOKEN "
        "if it asks for one, or set `engine.cluster` to local"
    )


def first_line(error: BaseException) -> str:
    """Return the first line of an error's message."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[0][:200] if lines else type(error).__name__


def last_line(error: BaseException) -> str:
    """Return the last line of an error's message: where it ends in a traceback, what was raised."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[-1][:200] if lines else type(error).__name__
