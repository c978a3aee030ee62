"""What MLflow sees: a run with its learning curve, and a child run for each of its cycles."""

import os
import re
import subprocess
import time
import warnings
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from kedro.io import CatalogProtocol

from pt4al import records
from pt4al.parameters import Parameters, identity

LIBRARIES = ("torch", "torchvision", "kedro", "mlflow", "dvc", "numpy", "pandas")
SERVING = (  # what a logged model needs
    "torch",
    "torchvision",
    "timm",
    "segmentation-models-pytorch",
    "mlflow",
    "safetensors",
    "pandas",
    "pydantic",
)
NOTE = "mlflow.note.content"  # an experiment's description
EXAMPLES = 4  # images in a logged model's input example
CHART = (
    "/#/experiments/{experiment}/runs?workflowType=machine_learning&compareRunsMode=CHART"
    "&searchFilter=tags.%60{tag}%60%20%3D%20%27{value}%27"
)


def open_experiment(project: Path, tracking_uri: str, experiment: str) -> tuple[Any, str]:
    """Return MLflow's client and the experiment's id, made if there is none."""
    import mlflow

    # A file is the project's, wherever the command was typed.
    local = tracking_uri.startswith("sqlite:///")
    mlflow.set_tracking_uri(f"sqlite:///{project / tracking_uri[10:]}" if local else tracking_uri)
    client = mlflow.MlflowClient()
    found = client.get_experiment_by_name(experiment)
    if found is not None:
        return client, found.experiment_id
    artifacts = (project / "mlruns").as_uri() if local else None
    created = client.create_experiment(experiment, artifact_location=artifacts)
    note = f"[Learning curves of all runs]({CHART.format(experiment=created, tag='al.role', value='run')})"
    client.set_experiment_tag(created, NOTE, note)
    return client, created


class Tracking:
    """One run in MLflow, under the same id however often it was interrupted.

    MLflow is imported late: it takes seconds, which nobody should wait for to read an error.
    """

    def __init__(
        self,
        parameters: Parameters,
        catalog: CatalogProtocol,
        project: Path,
        record: Path,
        tracking_uri: str,
        experiment: str,
        log_models: bool,
    ):
        self._parameters, self._catalog, self._project = parameters, catalog, project
        self._id_file, self._log_models = record / "mlflow_run.json", log_models
        self._store = project, tracking_uri, experiment
        self._classes = "run_classes" if parameters.oracle.kind == "people" else "classes"
        self._monitor = None

    def start(self) -> None:
        """Open the run, or reopen it, and log what is known before anything is computed."""
        self._client, self._experiment = open_experiment(*self._store)
        self._run = self._find_run()
        if self._parameters.engine.device == "cuda":
            from mlflow.system_metrics.system_metrics_monitor import SystemMetricsMonitor

            self._monitor = SystemMetricsMonitor(self._run)
            self._monitor.start()

    def catch_up(self) -> None:
        """Log the cycles that are finished but were not logged: a kill can fall between the two."""
        logged = {int(child.data.tags["al.cycle"]) for child in self._children() if child.info.status == "FINISHED"}
        for cycle in range(self._parameters.cycles.number):
            made = ["pool", *(f"cycle_{cycle}.{name}" for name in ("metrics", "training_curve", "query", "network"))]
            if cycle not in logged and all(self._catalog.exists(name) for name in made):  # damaged ones may be removed
                self.log_cycle(cycle)

    def log_cycle(self, cycle: int) -> None:
        """Log a cycle's child run, in place of an earlier one; its metrics go to the parent too, by labels."""
        for child in self._children():
            if child.data.tags["al.cycle"] == str(cycle):
                self._client.delete_run(child.info.run_id)
        metrics, curve = self._load(cycle, "metrics"), self._load(cycle, "training_curve")
        tags = {"mlflow.parentRunId": self._run, "al.role": "cycle", "al.cycle": str(cycle)}
        child = self._client.create_run(self._experiment, run_name=f"{self._parameters.run.name}-c{cycle}", tags=tags)
        child, found = child.info.run_id, self._metrics(metrics, metrics["labels"])
        for epoch in curve.drop(columns="steps").add_prefix("training_").to_dict("records"):
            step = int(epoch.pop("training_epoch"))
            found += self._metrics(epoch, step)
        self._client.log_batch(child, metrics=found)
        self._client.log_artifact(child, str(self._catalog[f"cycle_{cycle}.query"]._get_load_path()))
        if self._log_models:
            self._log_model(cycle, child)
        self._client.log_batch(self._run, metrics=self._metrics(metrics, metrics["labels"]))
        self._client.set_tag(self._run, "pool.sha256", self._catalog.load("pool").sha256)
        self._client.set_terminated(child, "FINISHED")

    def log_report(self) -> None:
        """Attach the report to the run, and say what was read."""
        self._client.set_tag(self._run, "pool.read", self._catalog.load("source_summary")["sentence"])
        self._client.log_artifact(self._run, str(self._catalog["report"]._get_load_path()))

    @property
    def chart(self) -> str:
        """Where MLflow's pages compare the learning curves of all runs, after the server's address."""
        return CHART.format(experiment=self._experiment, tag="al.role", value="run")

    def stop(self, status: str) -> None:
        """Close the run."""
        if self._monitor is not None:
            self._monitor.finish()
        self._client.set_terminated(self._run, status)

    def _find_run(self) -> str:
        """The run's id in MLflow: the one it had, if it has the same settings and the store still knows it."""
        from mlflow.exceptions import MlflowException

        settings = identity(self._parameters)
        known = records.recall(self._id_file)
        if known.get("settings") == settings:
            try:
                self._client.update_run(known["run_id"], status="RUNNING")
            except MlflowException:  # the store was removed: log everything again
                return self._create_run(settings)
            return known["run_id"]
        return self._create_run(settings)

    def _children(self) -> list[Any]:
        return self._client.search_runs([self._experiment], f"tags.`mlflow.parentRunId` = '{self._run}'")

    def _load(self, cycle: int, name: str) -> Any:
        return self._catalog.load(f"cycle_{cycle}.{name}")

    def _metrics(self, values: dict[str, float], step: int) -> list[Any]:
        from mlflow.entities import Metric

        now = int(1000 * time.time())
        # MLflow takes few signs in a name; a class may have any.
        named = {re.sub(r"[^\w .:/-]", "_", key): value for key, value in values.items() if key != "labels"}
        return [Metric(key, float(value), now, step) for key, value in named.items()]

    def _create_run(self, settings: dict[str, Any]) -> str:
        from mlflow.entities import Param

        name = self._parameters.run.name
        run = self._client.create_run(self._experiment, run_name=name, tags=self._tags()).info.run_id
        self._client.log_batch(run, params=[Param(key, str(value)) for key, value in settings.items()])
        records.write(self._id_file, {"run_id": run, "settings": settings})
        return run

    def _tags(self) -> dict[str, str]:
        import torch

        gpu = {"hardware.gpu": torch.cuda.get_device_name()} if torch.cuda.is_available() else {}
        return {
            "al.role": "run",
            "mlflow.source.name": "kedro run",
            "mlflow.source.git.commit": self._git("rev-parse", "HEAD"),
            "git.dirty": str(bool(self._git("status", "--porcelain"))),
            "dvc.pool": self._dvc_state(),
            "hardware.cores": str(os.cpu_count()),
            "hardware.cpu": torch.backends.cpu.get_cpu_capability(),
            **gpu,
            **{f"library.{name}": version(name) for name in LIBRARIES},
        }

    def _git(self, *arguments: str) -> str:
        done = subprocess.run(["git", *arguments], cwd=self._project, capture_output=True, text=True, check=False)
        return done.stdout.strip() if done.returncode == 0 else "not a git repository"

    def _dvc_state(self) -> str:
        """What DVC knows of the published run's pool: its MD5 in dvc.lock."""
        lock = self._project / "dvc.lock"
        stages = yaml.safe_load(lock.read_text(encoding="utf-8"))["stages"] if lock.exists() else {}
        outputs = stages.get("pool", {}).get("outs", [])
        found = [output["md5"] for output in outputs if output["path"].endswith("/pool/pool")]
        return found[0] if found else "not in dvc.lock"

    def _log_model(self, cycle: int, run: str) -> None:
        """Log the network with an input example and a signature. Its code travels with it."""
        import mlflow

        pool = self._catalog.load("pool")
        example = pool.gather(np.arange(min(EXAMPLES, len(pool)))).numpy()
        here = Path(__file__).parent
        with mlflow.start_run(run_id=run), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # hints for other kinds of model
            mlflow.pyfunc.log_model(
                name=f"{self._parameters.run.name}-s{self._parameters.run.seed}-c{cycle}",
                python_model=str(here / "serving.py"),
                artifacts={
                    "network": str(self._catalog[f"cycle_{cycle}.network"]._get_load_path()),
                    "classes": str(self._catalog[self._classes]._get_load_path()),
                },
                code_paths=[str(here)],
                input_example=example,
                pip_requirements=[f"{name}=={version(name)}" for name in SERVING],
            )
