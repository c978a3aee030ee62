"""A PostgreSQL server of one's own on 127.0.0.1, where its programs are installed."""

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from support.ports import free_port

PASSWORD = "secret"
PLACES = [os.environ.get("PATH", ""), *map(str, sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True))]
PROGRAMS = {name: shutil.which(name, path=os.pathsep.join(PLACES)) for name in ("initdb", "postgres")}
NEEDED = [
    pytest.mark.external,
    pytest.mark.skipif(None in PROGRAMS.values(), reason="no PostgreSQL here: initdb and postgres are not on the path"),
]
STARTING = 60.0  # seconds


class Database:
    """A server that can be ended and started again, and keeps what it has."""

    def __init__(self, folder: Path):
        self._folder = folder
        # It refuses to run as root.
        self._user = {"user": "postgres", "group": "postgres", "extra_groups": []} if os.geteuid() == 0 else {}
        self._port = free_port()
        self._server = None

    def make(self) -> None:
        password = self._folder / "password"
        password.write_text(PASSWORD)
        if self._user:
            shutil.chown(self._folder, "postgres", "postgres")
        self._folder.chmod(0o755)  # the password is no secret
        command = [PROGRAMS["initdb"], "--pgdata", str(self._folder / "data"), "--username", "tester", "--no-sync"]
        command += ["--auth", "scram-sha-256", "--pwfile", str(password), "--encoding", "UTF8", "--locale", "C"]
        subprocess.run(command, cwd=self._folder, check=True, capture_output=True, **self._user)

    def start(self) -> None:
        command = [PROGRAMS["postgres"], "-D", str(self._folder / "data"), "-h", "127.0.0.1", "-p", str(self._port)]
        command += ["-k", str(self._folder), "-c", "fsync=off"]
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        self._server = subprocess.Popen(command, cwd=self._folder, **quiet, **self._user)
        end = time.monotonic() + STARTING
        while not self.answers():
            assert self._server.poll() is None
            assert time.monotonic() < end
            time.sleep(0.1)

    def answers(self) -> bool:
        import psycopg

        try:
            psycopg.connect(self.address("postgres"), connect_timeout=5).close()
        except psycopg.OperationalError:
            return False
        return True

    def end(self) -> None:
        self._server.send_signal(signal.SIGINT)  # at once, connected or not
        self._server.wait(STARTING)

    def address(self, name: str, password: str = PASSWORD) -> str:
        return f"postgresql://tester:{password}@127.0.0.1:{self._port}/{name}"

    def create(self, name: str) -> str:
        """Make an empty database; return its address."""
        import psycopg

        with psycopg.connect(self.address("postgres"), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}")
        return self.address(name)


@contextmanager
def serving() -> Iterator[Database]:
    """A server for as long as the block runs."""
    # Not pytest's folder, into which nobody but its owner may go.
    with tempfile.TemporaryDirectory(prefix="postgresql-") as folder:
        database = Database(Path(folder))
        database.make()
        database.start()
        try:
            yield database
        finally:
            database.end()
