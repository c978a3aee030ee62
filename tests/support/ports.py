"""Ports for servers of the tests: of a range from which no connection takes one in between."""

import itertools
import os
import socket

# Below the ports that Linux gives to connections; each process begins elsewhere.
_ports = itertools.count(20_000 + 20 * os.getpid() % 12_000)


def free_port() -> int:
    """Return a port of 127.0.0.1 on which nothing listens, another one each time."""
    return next(filter(_is_free, _ports))


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True
