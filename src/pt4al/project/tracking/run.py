"""What MLflow sees: a run with its learning curve, and a child run for each of its cycles."""

import hashlib
import json
import os
import posixpath
import re
import subprocess
from pathlib import Path
from typing import Any
from uuid import uuid4

import yaml
from kedro.io import CatalogProtocol

from pt4al.files import records
from pt4al.project.configuration.identity import identity
from pt4al.project.configuration.parameters import Parameters
from pt4al.project.runs.folder import STAMPED, RunFolder
from pt4al.project.runs.history import History
from pt4al.project.tracking.logged_model import installed, log_model
from pt4al.project.tracking.store import NOTE, Store, curves
from pt4al.project.tracking.tracker import Tracker
from pt4al.training.tasks import TASKS

LIBRARIES = ("torch", "torchvision", "kedro", "mlflow", "dvc", "numpy", "pandas")
BATCH = {"metrics": 1000, "params": 100, "tags": 100}  # as many as MLflow takes at once
BY_CLASS = ("accuracy_", "iou_")  # what metrics of single classes begin with
LONGEST = 250  # characters of a metric's name


class Rows:
    """Which row of MLflow is a run's, written down beside the run's label sets."""

    def __init__(self, record: Path):
        self._file = record / "mlflow_run.json"

    def read(self) -> dict[str, Any]:
        """Return what is known of the row; nothing where that is not there, or damaged.

        `key` (a tag that the row has), `run_id`, `settings`, and `logged`: whether the row has all
        of the run.
        """
        return records.recall(self._file)

    def write(self, **known: Any) -> None:
        records.write(self._file, known)


class RunTracker(Tracker):
    """Logs one run, under the same id however often it was interrupted.

    MLflow is imported late: it takes seconds, which nobody should wait for to read an error.
    """

    def __init__(
        self,
        parameters: Parameters,
        catalog: CatalogProtocol,
        project: Path,
        record: Path,
        store: Store,
        log_models: bool,
    ):
        self._parameters = parameters
        self._catalog = catalog
        self._project = project
        self._record = record
        self._store = store
        self._log_models = log_models
        self._classes = "run_classes" if parameters.oracle.kind == "people" else "classes"
        self._monitor = None

    def start(self) -> None:
        """Open the run, or reopen it, and log what is known before anything is computed."""
        rows = Rows(self._record)
        rows.write(
            **rows.read() | {"logged": False}
        )  # first: a comparison looks again after cells of which it is said
        self._client, self._experiment = self._store.connect()
        self._end_earlier()
        self._run = self._find_run()
        if self._parameters.engine.device == "cuda":
            from mlflow.system_metrics.system_metrics_monitor import SystemMetricsMonitor

            self._monitor = SystemMetricsMonitor(self._run, tracking_uri=self._store.uri)
            self._monitor.start()

    def missing(self) -> list[int]:
        """Return the cycles that are finished but were not logged: a kill can fall between the two."""
        logged = {
            int(child.data.tags["al.cycle"])
            for child in self._children()
            if child.info.status == "FINISHED"
        }
        missing = []
        for cycle in range(self._parameters.cycles.number):
            made = ["pool", "source_summary"]
            made += [
                f"cycle_{cycle}.{name}"
                for name in ("metrics", "training_curve", "query", "network")
            ]
            if cycle not in logged and all(
                self._catalog.exists(name) for name in made
            ):  # damaged ones may be removed
                missing.append(cycle)
        return missing

    def log_cycles(self, cycles: list[int]) -> None:
        """Log a child run for each cycle, in place of an earlier one.

        Its metrics go to the parent too, by labels, but for those of single classes: MLflow would
        draw a chart of each before the learning curve.
        """
        self._remove(cycles)
        logged = [self._log_child(cycle) for cycle in cycles]
        self._log_batches(
            self._run,
            metrics=[entry for _, of_cycle in logged for entry in of_cycle],
            tags=self._tags_of_pool(),
        )
        self._log_dataset()
        for child, _ in logged:  # last: what is not finished is logged again
            self._client.set_terminated(child, "FINISHED")

    def log_report(self) -> None:
        """Attach the report to the run."""
        self._client.log_artifact(self._run, str(self._path("report")))

    @property
    def chart(self) -> str:
        """The page that compares the learning curves of all runs."""
        return curves(self._store.address, self._experiment)

    def stop(self, status: str) -> None:
        """Close the run, and what of it was being logged."""
        if self._monitor is not None:
            self._monitor.finish()
        self._client.set_terminated(self._run, status)
        for child in self._children() if status != "FINISHED" else []:
            if child.info.status == "RUNNING":
                self._client.set_terminated(child.info.run_id, status)
        if status == "FINISHED" and not self.missing():
            self._describe()
            rows = Rows(self._record)
            rows.write(**rows.read() | {"logged": True})

    def _find_run(self) -> str:
        """The run's id in MLflow: of the row it had, if it has the same settings and the store still has the row."""
        history = self._history()
        settings = history.first.settings
        rows = Rows(self._record)
        known = rows.read()
        if known.get("settings") != settings:
            known = {"settings": settings}
        run = self._reopened(known)
        if run is None:
            known = {"key": uuid4().hex} | known
            rows.write(
                **known
            )  # before there is a row: a kill between the two leaves one that is found by its key
            run = self._create_run(known["key"], settings)
        rows.write(**known | {"run_id": run, "logged": False})
        if changes := history.sentences():
            self._client.set_tag(run, "al.changes", writable("\n".join(changes)))
        return run

    def _history(self) -> History:
        folder = RunFolder(self._record.parents[1], self._record.name)
        if folder.configuration_file.exists():
            return folder.history()
        return History.begin(identity(self._parameters))  # DVC keeps the files

    def _reopened(self, known: dict[str, Any]) -> str | None:
        named = [f"attributes.run_id = '{known['run_id']}'"] if "run_id" in known else []
        named += [f"tags.`al.key` = '{known['key']}'"] if "key" in known else []
        # By its key where a process was killed before it knew the id, or another store has been in
        # use since.
        found = (self._client.search_runs([self._experiment], name) for name in named)
        run = next((rows[0] for rows in found if rows), None)
        if run is None:  # deleted, or this is another store
            return None
        self._client.update_run(run.info.run_id, status="RUNNING")
        return run.info.run_id

    def _children(self) -> list[Any]:
        return self._client.search_runs(
            [self._experiment], f"tags.`mlflow.parentRunId` = '{self._run}'"
        )

    def _log_child(self, cycle: int) -> tuple[str, list[Any]]:
        """Return a cycle's child run, with all that it has, still running, and the parent's metrics."""
        metrics = self._load(cycle, "metrics")
        curve = self._load(cycle, "training_curve")
        tags = {"mlflow.parentRunId": self._run, "al.role": "cycle", "al.cycle": str(cycle)}
        child = self._client.create_run(
            self._experiment, run_name=f"{self._parameters.run.name}-c{cycle}", tags=tags
        )
        child = child.info.run_id
        made = self._path(f"cycle_{cycle}.metrics").stat().st_mtime
        of_cycle = entries(metrics, metrics["labels"], made)
        of_epochs = []
        for epoch in curve.drop(columns="steps").add_prefix("training_").to_dict("records"):
            step = int(epoch.pop("training_epoch"))
            of_epochs += entries(epoch, step, made)
        self._log_batches(child, metrics=of_cycle + of_epochs)
        self._client.log_artifact(child, str(self._path(f"cycle_{cycle}.query")))
        made_with = self._record / f"cycle_{cycle}" / "settings.json"
        if made_with.exists():
            self._client.log_artifact(child, str(made_with))
        if self._log_models:
            self._log_model(cycle, child)
        whole = {name: value for name, value in metrics.items() if not name.startswith(BY_CLASS)}
        return child, entries(whole, metrics["labels"], made)

    def _tags_of_pool(self) -> list[Any]:
        from mlflow.entities import RunTag

        read = writable(self._catalog.load("source_summary")["sentence"])
        return [RunTag("pool.sha256", self._catalog.load("pool").sha256), RunTag("pool.read", read)]

    def _log_dataset(self) -> None:
        """Name the pool as the run's data set; said twice, it is one."""
        from mlflow.entities import Dataset, DatasetInput, InputTag

        pool = self._catalog.load("pool")
        path = self._parameters.pool.source.path
        dataset = Dataset(
            name=writable(Path(path).name),
            digest=pool.sha256[:12],
            source_type="local",
            source=json.dumps({"uri": path}),
            profile=json.dumps({"num_rows": len(pool)}),
        )
        tags = [InputTag("mlflow.data.context", "pool")]
        self._client.log_inputs(self._run, [DatasetInput(dataset, tags)])

    def _describe(self) -> None:
        """Say in the run's description what was chosen how, and what it has come to."""
        query = self._parameters.query
        strategy = query.measure if query.strategy == "top" else query.strategy
        metric = TASKS[self._parameters.main.task].metric
        cycles = range(self._parameters.cycles.number)
        finished = [cycle for cycle in cycles if self._catalog.exists(f"cycle_{cycle}.metrics")]
        if not finished:  # people have not answered yet
            return
        last = self._load(finished[-1], "metrics")
        reached = "unknown" if last[metric] is None else f"{100 * last[metric]:.1f} %"
        page = Path(self._catalog["report"]._filepath).absolute()
        lines = [f"{strategy}: {metric} {reached} with {last['labels']:,} labels", page.as_uri()]
        self.model = self._logged_model(finished[-1])
        if self.model is not None:
            lines.append(self.model)
        self._client.set_tag(self._run, NOTE, "\n\n".join(lines))

    def _logged_model(self, cycle: int) -> str | None:
        """Where MLflow finds a cycle's model; None if none was logged."""
        for child in self._children():
            if child.data.tags["al.cycle"] == str(cycle):
                for model in models(self._client, self._experiment, child.info.run_id):
                    return model.model_uri
        return None

    def _remove(self, cycles: list[int]) -> None:
        """Remove what was logged of cycles: by a process that was killed, or before DVC made them again."""
        for child in self._children():
            if int(child.data.tags["al.cycle"]) in cycles:
                for model in models(self._client, self._experiment, child.info.run_id):
                    self._client.delete_logged_model(model.model_id)
                self._client.delete_run(child.info.run_id)

    def _load(self, cycle: int, name: str) -> Any:
        return self._catalog.load(f"cycle_{cycle}.{name}")

    def _path(self, name: str) -> Path:
        return Path(self._catalog[name]._get_load_path())

    def _log_batches(self, run: str, **logged: list[Any]) -> None:
        for kind, values in logged.items():
            for first in range(0, len(values), BATCH[kind]):
                self._client.log_batch(run, **{kind: values[first : first + BATCH[kind]]})

    def _create_run(self, key: str, settings: dict[str, Any]) -> str:
        from mlflow.entities import Param

        tags = self._tags() | {"al.key": key}
        run = self._client.create_run(
            self._experiment, run_name=self._parameters.run.name, tags=tags
        ).info.run_id
        self._log_batches(
            run, params=[Param(name, writable(value)) for name, value in settings.items()]
        )
        return run

    def _tags(self) -> dict[str, str]:
        import torch

        gpu = {"hardware.gpu": torch.cuda.get_device_name()} if torch.cuda.is_available() else {}
        return {
            "al.role": "run",
            "al.strategy": self._parameters.query.strategy,
            "al.measure": self._parameters.query.measure,
            "mlflow.source.name": "kedro run",
            "mlflow.source.git.commit": self._git("rev-parse", "HEAD"),
            "git.dirty": str(bool(self._git("status", "--porcelain"))),
            "dvc.pool": self._dvc_state(),
            "hardware.cores": str(os.cpu_count()),
            "hardware.cpu": torch.backends.cpu.get_cpu_capability(),
            **gpu,
            **{f"library.{name}": installed(name) or "not installed" for name in LIBRARIES},
        }

    def _git(self, *arguments: str) -> str:
        command = ["git", *arguments]
        try:
            done = subprocess.run(
                command, cwd=self._project, capture_output=True, text=True, check=False, timeout=30
            )
        except (OSError, subprocess.SubprocessError, UnicodeError):
            return "git can't be asked"
        return done.stdout.strip() if done.returncode == 0 else "not a git repository"

    def _dvc_state(self) -> str:
        """What DVC knows of the published run's pool: its MD5 in dvc.lock."""
        lock = self._project / "dvc.lock"
        try:
            outputs = yaml.safe_load(lock.read_text("utf-8"))["stages"]["pool"]["outs"]
            found = [output["md5"] for output in outputs if output["path"].endswith("/pool/pool")]
        except (OSError, ValueError, TypeError, LookupError, yaml.YAMLError):
            return "not in dvc.lock"
        return found[0] if found else "not in dvc.lock"

    def _log_model(self, cycle: int, run: str) -> None:
        artifacts = {
            "network": self._path(f"cycle_{cycle}.network"),
            "classes": self._path(self._classes),
        }
        if self._parameters.main.probes:
            own = self._parameters.features.from_pretext
            artifacts["backbone"] = self._path("pretext_network" if own else "features_network")
        name = model_name(self._parameters.run.name, self._parameters.run.seed, cycle)
        with self._store.chosen():
            log_model(run, name, self._catalog.load("pool"), artifacts)

    def _end_earlier(self) -> None:
        """Close the row of a run of this name that was killed, and set aside for a fresh start."""
        for record in self._record.parent.glob(f"{self._record.name}.{STAMPED}"):
            run = Rows(record).read().get("run_id")
            found = (
                self._client.search_runs([self._experiment], f"attributes.run_id = '{run}'")
                if run
                else []
            )
            for row in found:
                if row.info.status == "RUNNING":
                    self._client.update_run(run, status="KILLED", name=record.name)


def entries(values: dict[str, float | None], step: int, made: float) -> list[Any]:
    """Return numbers as MLflow takes them. `made`: when; logged twice with one time, they are one entry."""
    from mlflow.entities import Metric

    when = int(1000 * made)
    measured = {
        name: value for name, value in values.items() if name != "labels" and value is not None
    }
    return [
        Metric(metric_name(_folded(name)), float(value), when, step)
        for name, value in measured.items()
    ]


def _folded(name: str) -> str:
    """Return a metric's name; those of classes have a prefix, under which MLflow folds them."""
    return f"class/{name}" if name.startswith(BY_CLASS) else name


def metric_name(name: str) -> str:
    """Return a name that MLflow takes: this one, or one of its own for each name that has other signs or is longer."""
    plain = re.sub(r"[^\w .:/-]", "_", name)
    if (
        plain == name
        and len(name) <= LONGEST
        and posixpath.normpath(name) == name
        and name[0] not in "./"
    ):
        return name
    return f"{plain.replace('/', '_')[:200]}-{_digest(name)}"


def model_name(run: str, seed: int, cycle: int) -> str:
    """Return the name of a cycle's logged model, which can have no dots."""
    name = run if "." not in run else f"{run.replace('.', '_')}-{_digest(run)}"
    return f"{name}-s{seed}-c{cycle}"


def models(client: Any, experiment: str, run: str) -> list[Any]:
    """Return the models that a row of MLflow has logged."""
    return list(client.search_logged_models([experiment], f"source_run_id = '{run}'"))


def writable(value: Any) -> str:
    """Return a value as text that a database takes: a path may have bytes that are no text."""
    return str(value).encode("utf-8", "replace").decode("utf-8")


def _digest(name: str) -> str:
    return hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:8]
