"""Connect this process to a Ray cluster that exists, within a limit, whatever listens there."""

# Run as a program as well, by its path: it imports nothing of this package.
import logging
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

# What a worker must share with the driver to round alike.
PASSED = (
    "ATEN_CPU_CAPABILITY",
    "ONEDNN_MAX_CPU_ISA",
    "MKL_CBWR",
    "OPENBLAS_CORETYPE",
    "OMP_WAIT_POLICY",
    "GOMP_SPINCOUNT",
)
KNOCKING = 10.0  # seconds for something to listen there
JOINING = 60.0  # seconds for it to be a cluster that lets us in
CLIENT = "ray://"
LOOPBACK = ("localhost", "127.0.0.1", "::1")


def join(where: str) -> None:
    """Connect to the cluster at an address; OSError or RuntimeError say why that can't be done.

    Ray itself tries for a quarter of an hour where something listens that is no cluster, without
    end where a cluster has stopped, and may end its process. So another process tries first.
    """
    _knock(where)
    command = [sys.executable, "-P", __file__, where]
    try:
        tried = subprocess.run(
            command, capture_output=True, text=True, timeout=JOINING, check=False
        )
    except subprocess.TimeoutExpired:
        raise TimeoutError(f"it did not answer within {JOINING:g} seconds") from None
    if tried.returncode:
        raise RuntimeError(tried.stdout.strip() or tried.stderr)
    _join(where)


def init(address: str, **options: Any) -> None:
    """Call Ray's `init`, and let it say nothing: what matters of it, messages of ours say."""
    import ray
    from ray._private import worker

    # Prints a page for each worker that dies.
    worker.print_to_stdstream = lambda *args, **kwargs: None
    logging.getLogger("ray").setLevel(logging.ERROR)
    ray.init(address, log_to_driver=False, logging_level=logging.ERROR, **options)


@contextmanager
def loopback(wanted: bool = True) -> Iterator[None]:
    """Let Ray stay at 127.0.0.1, which it replaces by this machine's other address."""
    from ray._private import ray_constants

    usual = ray_constants.ENABLE_RAY_CLUSTER
    ray_constants.ENABLE_RAY_CLUSTER = usual and not wanted
    try:
        yield
    finally:
        ray_constants.ENABLE_RAY_CLUSTER = usual


def _join(where: str) -> None:
    passed = {name: os.environ[name] for name in PASSED if name in os.environ}
    with loopback(_at_loopback_alone(where)):
        init(where, runtime_env={"env_vars": passed})


def _knock(where: str) -> None:
    """Raise OSError if nothing listens there."""
    host, port = _place(where)
    if port.isdecimal():
        socket.create_connection((host, int(port)), KNOCKING).close()


def _at_loopback_alone(where: str) -> bool:
    """Whether an address is one of this machine's loopback, and its other address has no cluster."""
    import ray

    host, port = _place(where)
    if host not in LOOPBACK or where.startswith(CLIENT):
        return False
    try:
        _knock(f"{ray.util.get_node_ip_address()}:{port}")
    except OSError:
        return True
    return False


def _place(where: str) -> tuple[str, str]:
    host, _, port = where.removeprefix(CLIENT).rpartition(":")
    return host.strip("[]"), port


def _try() -> None:
    signal.alarm(round(JOINING) + 5)  # ends this process, also where the one that waits was killed
    try:
        _join(sys.argv[1])
    except Exception as error:
        sys.stdout.write(str(error) or repr(error))
        sys.exit(1)


if __name__ == "__main__":
    _try()
