"""What MLflow has after a run, asked through MLflow."""

from pathlib import Path

import mlflow
import numpy as np
import pandas as pd
import pytest

from support.projects import run


@pytest.fixture
def client(finished: Path, monkeypatch: pytest.MonkeyPatch) -> mlflow.MlflowClient:
    monkeypatch.chdir(finished)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "")  # which the next line sets, for processes started later
    mlflow.set_tracking_uri(f"sqlite:///{finished}/mlflow.db")
    return mlflow.MlflowClient()


def runs(client: mlflow.MlflowClient, role: str) -> list:
    experiment = client.get_experiment_by_name("pt4al").experiment_id
    return client.search_runs([experiment], f"tags.`al.role` = '{role}'")


def test_the_parent_shows_the_learning_curve_by_number_of_labels(client: mlflow.MlflowClient) -> None:
    (parent,) = runs(client, "run")
    assert parent.info.run_name == "tiny"
    assert parent.info.status == "FINISHED"
    history = client.get_metric_history(parent.info.run_id, "accuracy")
    assert sorted(metric.step for metric in history) == [20, 40, 60]


def test_the_parent_says_what_ran_where(client: mlflow.MlflowClient) -> None:
    (parent,) = runs(client, "run")
    assert parent.data.params["query.measure"] == "margin"
    assert parent.data.params["engine.precision"] in {"fp32", "bf16"}
    assert {"mlflow.source.git.commit", "dvc.pool", "hardware.cores", "library.torch"} <= parent.data.tags.keys()


def test_each_cycle_is_a_child_with_metrics_query_model_and_epochs(client: mlflow.MlflowClient) -> None:
    (parent,) = runs(client, "run")
    children = runs(client, "cycle")
    assert {child.data.tags["al.cycle"] for child in children} == {"0", "1", "2"}
    for child in children:
        assert child.data.tags["mlflow.parentRunId"] == parent.info.run_id
        assert {"accuracy", "loss", "training_loss"} <= child.data.metrics.keys()
        assert len(client.get_metric_history(child.info.run_id, "training_loss")) > 1
        assert "query.parquet" in [artifact.path for artifact in client.list_artifacts(child.info.run_id)]


def test_a_logged_model_answers_with_class_names(client: mlflow.MlflowClient, finished: Path) -> None:
    (model,) = (m for m in client.search_logged_models(experiment_ids=["1"]) if m.name == "tiny-s0-c2")
    loaded = mlflow.pyfunc.load_model(model.model_uri)
    images = np.load(next((finished / "data/02_intermediate").glob("*/test_pool/*/test_pool/*.npy")))[:50]
    answers = loaded.predict(images)
    assert isinstance(answers, pd.DataFrame)
    assert set(answers["label"]) <= {
        "t-shirt",
        "trouser",
        "pullover",
        "dress",
        "coat",
        "sandal",
        "shirt",
        "sneaker",
        "bag",
        "ankle boot",
    }
    assert answers["probability"].between(0.1, 1).all()
    assert loaded.metadata.signature is not None
    assert len(loaded.predict(loaded.input_example)) == 4


def test_the_run_says_where_its_newest_model_is(client: mlflow.MlflowClient) -> None:
    (parent,) = runs(client, "run")
    uri = parent.data.tags["mlflow.note.content"].splitlines()[-1]
    assert client.get_logged_model(uri.removeprefix("models:/")).name == "tiny-s0-c2"


def test_a_cycle_that_was_not_logged_before_a_kill_is_logged_by_the_same_command(
    copied: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "")
    mlflow.set_tracking_uri(f"sqlite:///{copied}/mlflow.db")
    client = mlflow.MlflowClient()
    lost = next(child for child in runs(client, "cycle") if child.data.tags["al.cycle"] == "1")
    client.delete_run(lost.info.run_id)
    run(copied)
    assert {child.data.tags["al.cycle"] for child in runs(client, "cycle")} == {"0", "1", "2"}
    assert len(runs(client, "run")) == 1
