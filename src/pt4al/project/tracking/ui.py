"""Serve MLflow's pages on this machine, and open the page that compares the runs' curves."""

import os
import signal
import socket
import subprocess
import sys
import time
import webbrowser
from collections.abc import Callable
from contextlib import contextmanager, suppress
from urllib.error import HTTPError
from urllib.request import urlopen

from pt4al.errors import InputError
from pt4al.project.tracking.store import HOST, Store, curves

STARTING = 120.0  # seconds that the server may take


def serve(store: Store, port: int, ready: Callable[[str], None]) -> None:
    """Serve a store's pages until Ctrl-C or SIGTERM; of one that is a server, only name the page.

    Parameters
    ----------
    port
        Of 127.0.0.1; only this machine can open the pages.
    ready
        Is given the address of the page with the curves of all runs, once it can be opened.

    Raises
    ------
    InputError
        If the store can't be used, the port is taken, or the server does not start.
    """
    _, experiment = store.connect()
    if store.is_server:
        ready(curves(store.address, experiment))
        return
    address = f"http://{HOST}:{port}"
    link = curves(address, experiment)
    _check_free(port, link)
    command = [sys.executable, "-m", "mlflow", "ui"]
    command += ["--host", HOST, "--port", str(port), "--workers", "1"]
    quiet = {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false", "PYTHONWARNINGS": "ignore"}
    # Not in the command: a database's address can have a password, and everybody sees commands.
    its_store = {"MLFLOW_BACKEND_STORE_URI": store.uri}
    with (
        _ended_by_signals(),
        suppress(KeyboardInterrupt),
        subprocess.Popen(
            command,
            env=os.environ | quiet | its_store,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            # Ctrl-C reaches this process alone, which then ends the server and its children.
            start_new_session=True,
        ) as server,
    ):
        try:
            _wait(server, address)
            ready(link)
            server.wait()
        finally:
            _end(server)


def open_page(link: str) -> None:
    """Open a page in the browser, where there is a screen to show it on."""
    screens = os.environ.keys() & {"DISPLAY", "WAYLAND_DISPLAY"}
    if screens or sys.platform in ("darwin", "win32"):
        with suppress(webbrowser.Error):
            webbrowser.open_new_tab(link)


def _check_free(port: int, link: str) -> None:
    with socket.socket() as probe:
        probe.settimeout(1)
        if probe.connect_ex((HOST, port)) == 0:
            raise InputError(
                f"port {port} of {HOST} is taken: if by MLflow, the page is {link}; if not, "
                "--port takes another"
            )


def _wait(server: subprocess.Popen, address: str) -> None:
    """Wait until the server answers."""
    end = time.monotonic() + STARTING
    while time.monotonic() < end:
        if server.poll() is not None:
            break
        try:
            with urlopen(f"{address}/health", timeout=5):
                return
        except HTTPError:
            return
        except OSError:
            time.sleep(0.2)
    raise InputError(f"MLflow's server has not started: `{' '.join(server.args)}` says why")


def _end(server: subprocess.Popen) -> None:
    """End the server and the processes that it has started."""
    if os.name != "posix":
        server.terminate()
        return
    with suppress(ProcessLookupError):
        os.killpg(server.pid, signal.SIGTERM)


@contextmanager
def _ended_by_signals():
    """Let SIGTERM end the block as Ctrl-C does."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
