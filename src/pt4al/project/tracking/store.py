"""Open MLflow's store: made whole or not at all, at home where the project is now, or one sentence why not."""

import logging
import os
import sqlite3
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, nullcontext, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from filelock import FileLock, Timeout
from pydantic import Field, ValidationError

from pt4al.block import Block
from pt4al.errors import InputError
from pt4al.project.tracking.database import is_database, prepared

logger = logging.getLogger(__name__)

NOTE = "mlflow.note.content"  # an experiment's description
OURS = "al.made"  # a tag of experiments that were made here
CHART = (
    "/#/experiments/{experiment}/runs?workflowType=machine_learning&compareRunsMode=CHART"
    "&searchFilter=tags.%60{tag}%60%20%3D%20%27{value}%27"
)
KIND = {"mlflow.experimentKind": "custom_model_development"}  # not a language model's
HOST = "127.0.0.1"
LOCAL = f"http://{HOST}:5000"  # where `kedro ui` serves what is no server
ALL_RUNS = "Learning curves of all runs"
SQLITE = "sqlite:///"
WAIT = 60.0  # seconds for another process that is making the store
QUIET = 20  # seconds without a change, after which nobody is making a store any more
BUSY = 5.0  # seconds for another process that is writing to it
HOLDERS = (
    "runs",
    "registered_models",
    "logged_models",
)  # tables: a store with none of these holds nothing
# Where MLflow has written the place of an experiment's artifacts.
PLACES = (
    ("experiments", "artifact_location"),
    ("runs", "artifact_uri"),
    ("logged_models", "artifact_location"),
    ("model_versions", "storage_location"),
    ("model_versions", "source"),
)
OVERRULED = ("MLFLOW_RUN_ID", "MLFLOW_RUN_NAME")


class Settings(Block):
    """conf/base/mlflow.yml."""

    tracking_uri: str
    experiment: str
    log_models: bool
    artifacts: str | None = Field(default=None, pattern="^[a-z0-9+]+://")


@dataclass(frozen=True)
class Store:
    """Where a project's runs are logged.

    Attributes
    ----------
    uri
        As MLflow takes it.
    experiment
        A name, or the id of one that is there.
    by_id
        Whether it is an id.
    file
        Of a store that is a file.
    artifacts
        Where files go that are logged, such as s3://bucket/folder; None: beside the store, or into
        the project; of a server: its own affair.
    """

    uri: str
    experiment: str
    by_id: bool
    file: Path | None
    project: Path
    artifacts: str | None = None

    @property
    def is_server(self) -> bool:
        """Whether it is a server, which has pages of its own."""
        return self.uri.startswith(("http://", "https://"))

    @property
    def address(self) -> str:
        """Where a browser finds its pages; without name and password."""
        if not self.is_server:
            return LOCAL
        parts = urlsplit(self.uri)
        host = parts.netloc.rpartition("@")[2]
        return parts._replace(netloc=host).geturl().rstrip("/")

    def connect(self) -> tuple[Any, str]:
        """Return MLflow's client and the experiment's id; both are made if there is none.

        Raises
        ------
        InputError
            If the store, or the experiment, can't be used: says why, and what would help.
        """
        if self.file is not None:
            _make(self.file)
            _check(self.file)
        with prepared(self.uri) if is_database(self.uri) else nullcontext():
            client = self._client()
        if self.file is not None:
            _tidy(self.file)
        found = self._experiment(client)
        if found.lifecycle_stage != "active":
            raise InputError(
                f"experiment {found.name!r} has been deleted in MLflow: bring it back (mlflow"
                f" experiments restore --experiment-id {found.experiment_id}), or name another one"
                " in conf/base/mlflow.yml"
            )
        if self.file is not None:
            self._bring_along(found)
        return client, found.experiment_id

    @contextmanager
    def chosen(self) -> Iterator[None]:
        """Let MLflow's functions that take no address log to this store, and no process started later inherit it."""
        import mlflow

        before = os.environ.get("MLFLOW_TRACKING_URI")
        mlflow.set_tracking_uri(self.uri)  # which sets the variable, too
        try:
            yield
        finally:
            os.environ.pop("MLFLOW_TRACKING_URI", None)
            if before is not None:
                os.environ["MLFLOW_TRACKING_URI"] = before

    def _client(self) -> Any:
        """MLflow's client; the first one makes the tables of a database."""
        import mlflow

        client = mlflow.MlflowClient(tracking_uri=self.uri)
        if is_database(self.uri):
            client.search_experiments(max_results=1)
        return client

    @property
    def _artifacts(self) -> str | None:
        if self.is_server:
            return None
        folder = self.file.parent if self.file else self.project
        return self.artifacts or (folder.resolve() / "mlruns").as_uri()

    def _experiment(self, client: Any) -> Any:
        from mlflow.exceptions import MlflowException

        if self.by_id:
            return client.get_experiment(self.experiment)
        found = client.get_experiment_by_name(self.experiment)
        if found is None:
            with suppress(MlflowException):  # another process may be faster
                client.create_experiment(
                    self.experiment, self._artifacts, tags={OURS: "true", **KIND}
                )
            found = client.get_experiment_by_name(self.experiment)
        note = found.tags.get(NOTE)
        ours = OURS in found.tags and found.lifecycle_stage == "active"
        if ours and (note is None or f"[{ALL_RUNS}](" in note):
            link = curves(self.address, found.experiment_id)
            with suppress(MlflowException):  # another process may have said so at this moment
                client.set_experiment_tag(
                    found.experiment_id, NOTE, with_link(note or "", ALL_RUNS, link)
                )
        chosen = None if self.is_server else self.artifacts
        if chosen and found.artifact_location.rstrip("/") != chosen.rstrip("/"):
            logger.warning(
                "MLflow: experiment %r keeps its files in %s, where it was begun; another experiment"
                " (conf/base/mlflow.yml) would have them in %s",
                found.name,
                found.artifact_location,
                self.artifacts,
            )
        return found

    def _bring_along(self, experiment: Any) -> None:
        """Tell a store that came with its project where the artifacts are now: MLflow keeps absolute paths."""
        then = experiment.artifact_location.rstrip("/")
        # Not a place that somebody chose, and no store that other projects have in common.
        ours = then.endswith("/mlruns") and experiment.tags.keys() & {OURS, NOTE}
        inside = self.file.resolve().is_relative_to(self.project.resolve())
        if not ours or not inside or self.artifacts or then == self._artifacts:
            return
        with closing(sqlite3.connect(self.file, timeout=BUSY)) as store, store:
            for table, column in PLACES:
                store.execute(
                    f"UPDATE {table} SET {column} = ? || substr({column}, ?) WHERE substr({column},"
                    " 1, ?) = ?",
                    (self._artifacts, len(then) + 1, len(then) + 1, f"{then}/"),
                )
            store.execute(
                "UPDATE experiments SET artifact_location = ? WHERE artifact_location = ?",
                (self._artifacts, then),
            )
        logger.info("MLflow's artifacts were in %s, and are in %s now", then, self._artifacts)


def curves(address: str, experiment: str, tag: str = "al.role", value: str = "run") -> str:
    """Return the page that compares the learning curves of the runs with a tag; by default of all."""
    return address + CHART.format(experiment=experiment, tag=tag, value=value)


def with_link(note: str, title: str, link: str) -> str:
    """Return a description that has a line with a link: plain, since lists show it as it is."""
    starts = (f"{title}: ", f"[{title}](")
    kept = [line for line in note.split("\n\n") if line and not line.startswith(starts)]
    return "\n\n".join([*kept, f"{title}: {link}"])


def checked(raw: dict) -> Settings:
    """Return what mlflow.yml says, or raise InputError."""
    try:
        return Settings.model_validate(raw)
    except ValidationError as error:
        wrong = ", ".join(
            f"`{'.'.join(map(str, found['loc']))}`: {found['msg']}" for found in error.errors()
        )
        raise InputError(
            f"mlflow.yml: {wrong}; it has {', '.join(Settings.model_fields)}"
        ) from None


def find(project: Path, settings: Settings, environment: Mapping[str, str] = os.environ) -> Store:
    """Return the store that the settings name, or MLflow's environment variables, which go before them."""
    told = environment.get("MLFLOW_TRACKING_URI")
    name = environment.get("MLFLOW_EXPERIMENT_NAME")
    number = environment.get("MLFLOW_EXPERIMENT_ID")
    uri = told or settings.tracking_uri
    file = None
    if uri.startswith(
        SQLITE
    ):  # a file of mlflow.yml is the project's, wherever the command was typed
        path = unquote(uri.removeprefix(SQLITE).partition("?")[0])
        file = (Path.cwd() if told else project) / path
        uri = _address_of(file)
    experiment = name or number or settings.experiment
    by_id = bool(number and not name)
    return Store(uri, experiment, by_id, file, project, settings.artifacts)


def _address_of(file: Path) -> str:
    """Return the address of a store that is a file; in addresses % and ? mean something else."""
    path = str(file).replace("%", "%25").replace("?", "%3F")
    return f"{SQLITE}{path}"


def _tidy(file: Path) -> None:
    """Remove the empty folders that MLflow makes, as it takes an address with %25 for a path."""
    taken = Path(_address_of(file).removeprefix(SQLITE)).parent
    if taken == file.parent:
        return
    for folder in (taken, *taken.parents):
        try:
            folder.rmdir()
        except OSError:  # it holds something
            return


def tell(environment: Mapping[str, str] = os.environ) -> None:
    """Say in a line which of MLflow's environment variables are obeyed, and which are not."""
    obeyed = [
        name for name in ("MLFLOW_TRACKING_URI", "MLFLOW_EXPERIMENT_NAME") if environment.get(name)
    ]
    if environment.get("MLFLOW_EXPERIMENT_ID"):
        obeyed += [] if "MLFLOW_EXPERIMENT_NAME" in obeyed else ["MLFLOW_EXPERIMENT_ID"]
    ignored = [
        name
        for name in (*OVERRULED, "MLFLOW_EXPERIMENT_ID")
        if environment.get(name) and name not in obeyed
    ]
    words = [f"{name} goes before mlflow.yml ({_public(environment[name])})" for name in obeyed]
    words += [f"{name} is not obeyed: each run has a row of its own" for name in ignored]
    if words:
        logger.info("MLflow: %s", "; ".join(words))


def _public(value: str) -> str:
    """An address without a password."""
    parts = urlsplit(value)
    return value if parts.password is None else value.replace(f":{parts.password}@", ":***@")


def _make(file: Path) -> None:
    """Make the store under another name, if there is none: MLflow takes seconds to fill it, and can be killed."""
    if not _unusable(file):
        return
    file.parent.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(file.with_name(f".{file.name}.lock"), timeout=WAIT):
            if not _left_alone(file):  # another process has made it
                return
            for left in file.parent.glob(f".{file.name}.new*"):  # by a process that was killed
                left.unlink()
            new = file.with_name(f".{file.name}.new.{os.getpid()}")
            import mlflow

            mlflow.MlflowClient(tracking_uri=_address_of(new)).search_experiments()
            _tidy(new)
            if file.exists() and file.stat().st_size:
                aside = file.with_name(f"{file.name}.unfinished")
                file.replace(aside)
                logger.warning(
                    "%s was never finished and held nothing: it is %s now", file, aside.name
                )
            new.replace(file)
    except Timeout:
        raise InputError(
            f"another process has been making {file} for {WAIT:.0f} s: end it"
        ) from None


def _left_alone(file: Path) -> bool:
    """Wait while another program, such as MLflow's own server, makes the store; whether it has given up."""
    for _ in range(QUIET):
        if not _unusable(file):
            return False
        if (
            not file.exists()
            or not file.stat().st_size
            or time.time() - file.stat().st_mtime > QUIET
        ):
            return True
        time.sleep(1)
    return True


def _unusable(file: Path) -> bool:
    """Whether there is no store, or one that a process was killed over before it held anything."""
    if not file.exists() or not file.stat().st_size:
        return True
    try:
        with closing(_connect(file)) as store:
            tables = {
                name
                for (name,) in store.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
            }
            if any(
                store.execute(f"SELECT 1 FROM {table} LIMIT 1").fetchone()
                for table in tables & set(HOLDERS)
            ):
                return False
            if "alembic_version" not in tables:
                return True
            made = store.execute("SELECT version_num FROM alembic_version").fetchone()
    except sqlite3.Error:  # `_check` says what is the matter
        return False
    from mlflow.store.db.utils import _get_latest_schema_revision

    return made is None or made[0] != _get_latest_schema_revision()


def _check(file: Path) -> None:
    """Find out at once what MLflow would try again and again for minutes."""
    try:
        with closing(_connect(file)) as store:
            store.execute("BEGIN IMMEDIATE")
            store.rollback()
    except sqlite3.Error as error:
        ways = {
            "locked": "another process is writing to it: wait, or end it",
            "readonly": "make the file and its folder writable",
            "unable to open": "make the file readable and writable",
        }
        way = next((way for words, way in ways.items() if words in str(error)), "")
        way = (
            way
            or "move it away, and the next command makes a new one and logs this run's cycles to it"
        )
        raise InputError(f"{file}: {error}; {way}") from None


def _connect(file: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"{file.absolute().as_uri()}?mode=rw", uri=True, timeout=BUSY)
