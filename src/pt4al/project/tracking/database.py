"""Open MLflow's store in a database server: made by one process at a time, or one sentence why it can't be used."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from pt4al.errors import InputError

KINDS = ("postgresql", "mysql", "mssql")  # that MLflow takes
WAIT = 10  # seconds for a server that does not answer
# Of PostgreSQL's advisory locks: any number, the same for all who make the store.
LOCK = 7_484_125


def is_database(uri: str) -> bool:
    """Whether an address is that of a database server."""
    scheme = uri.partition("://")[0]
    return scheme.partition("+")[0] in KINDS


@contextmanager
def prepared(uri: str) -> Iterator[None]:
    """Keep others from making the store while the block, which opens MLflow's client, makes it.

    MLflow would try ten times, for 100 seconds, to reach a server that is not there; and of several
    processes that fill one empty database at once, all but one would fail. Those who come later find
    the tables and are let through at once. The server drops the lock of a process that dies.

    Raises
    ------
    InputError
        If the server can't be used: says why, and what would help.
    """
    import sqlalchemy
    from sqlalchemy.exc import ArgumentError, DBAPIError

    try:
        engine = _engine(uri)
        connection = engine.connect()
    except ModuleNotFoundError as error:
        raise InputError(
            f"MLflow's database needs the Python package {error.name}; PostgreSQL's comes with"
            " pip install 'pt4al[postgres]'"
        ) from None
    except (ArgumentError, ValueError) as error:
        raise InputError(
            f"MLflow's database: {error}; an address is postgresql://name@host:5432/database"
        ) from None
    except DBAPIError as error:
        reason = str(error.orig).strip().partition("\n")[0]
        raise InputError(
            f"MLflow's database can't be used: {reason}; start it, or correct the address"
            " (MLFLOW_TRACKING_URI, or conf/base/mlflow.yml) or the password (PGPASSWORD)"
        ) from None
    with connection:
        locks = connection.dialect.name == "postgresql" and not _filled(connection)
        if locks:
            connection.execute(sqlalchemy.text(f"SELECT pg_advisory_lock({LOCK})"))
        yield


def _engine(uri: str) -> Any:
    """An engine whose connections end when they are closed, and their locks with them."""
    import sqlalchemy
    from sqlalchemy.pool import NullPool

    url = sqlalchemy.make_url(uri)
    # Words of libpq, which both drivers have in common.
    patience = {"connect_timeout": WAIT} if "psycopg" in url.get_dialect().driver else {}
    return sqlalchemy.create_engine(url, poolclass=NullPool, connect_args=patience)


def _filled(connection: Any) -> bool:
    """Whether MLflow's tables are there, all of them: the making of them ends with their version."""
    import sqlalchemy

    if not sqlalchemy.inspect(connection).has_table("alembic_version"):
        return False
    version = connection.execute(sqlalchemy.text("SELECT version_num FROM alembic_version"))
    return version.scalar() is not None
