"""Pipeline `predict`: a finished run's model asked about other pictures."""

import json
import os
import shutil
from pathlib import Path

import click
import numpy as np
import pandas as pd
import pytest

from people import write_photos
from projects import newest, run
from pt4al.training.tasks import classification


@pytest.fixture
def project(finished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of a project with a finished run, and photos."""
    copy = tmp_path / "project"
    shutil.copytree(finished, copy, symlinks=True)
    monkeypatch.chdir(copy)
    write_photos(copy / "photos", 30)
    (copy / "photos/odd.png").write_text("no picture")
    return copy


def go(project: Path, **settings: object) -> None:
    run(project, "predict", predict={"path": "photos", **settings})


def predictions(project: Path) -> pd.DataFrame:
    return pd.read_parquet(newest(project, "07_model_output", "tiny", "predictions.parquet"))


def test_every_good_picture_has_a_class_and_probabilities_that_add_up(project: Path) -> None:
    before = {
        path: path.stat().st_mtime_ns for path in (project / "data/05_model_input").glob("**/*") if path.is_file()
    }
    go(project)
    table = predictions(project)
    assert len(table) == 30
    classes = [name for name in table.columns if name not in ("id", "label", "probability")]
    assert len(classes) == 10
    np.testing.assert_allclose(table[classes].sum(axis=1), 1, atol=1e-5)
    assert list(table["label"]) == [classes[best] for best in table[classes].to_numpy().argmax(axis=1)]
    page = newest(project, "08_reporting", "tiny", "predictions.html").read_text()
    assert "odd.png" in page
    assert "Look here first" in page
    after = {path: path.stat().st_mtime_ns for path in (project / "data/05_model_input").glob("**/*") if path.is_file()}
    assert {path: time for path, time in after.items() if path in before} == before  # the run is left alone


def test_an_onnx_file_answers_as_the_network_does_on_raw_pixels(project: Path) -> None:
    onnxruntime = pytest.importorskip("onnxruntime")
    from pt4al.images.pool import open_pool

    go(project, onnx=True)
    file = newest(project, "07_model_output", "tiny", "network.onnx")
    session = onnxruntime.InferenceSession(file.read_bytes(), providers=["CPUExecutionProvider"])
    pool = open_pool(newest(project, "02_intermediate", "tiny.predictions", "pool"))
    (logits,) = session.run(None, {"images": pool.gather(np.arange(7)).numpy()})
    likely = classification.probabilities(logits)
    table = predictions(project).head(7)
    np.testing.assert_allclose(likely.max(axis=1), table["probability"], atol=1e-4)
    names = json.loads(session.get_modelmeta().custom_metadata_map["classes"])
    assert [names[best] for best in likely.argmax(axis=1)] == list(table["label"])


def test_the_best_cycles_model_is_found_under_its_alias(project: Path) -> None:
    import mlflow

    go(project, register_as="champion", cycle="best")
    mlflow.set_tracking_uri(f"sqlite:///{project}/mlflow.db")
    found = mlflow.MlflowClient().get_model_version_by_alias("tiny", "champion")
    curve = pd.read_csv(newest(project, "08_reporting", "tiny", "learning_curve.csv"))
    assert mlflow.MlflowClient().get_logged_model(found.model_id).name == f"tiny-s0-c{curve['accuracy'].argmax()}"


MISTAKES = {
    "no path": ({"path": None}, "`predict.path` is missing"),
    "no such folder": ({"path": "nowhere"}, "nowhere: no such file or folder"),
    "no such run": ({}, "there is no run 'other'"),
    "a cycle that is not there": ({"cycle": 9}, "`predict.cycle` is 9; run 'tiny' has finished 0, 1, 2"),
}


@pytest.mark.parametrize("settings, told", MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_is_one_message(project: Path, settings: dict, told: str) -> None:
    name = "other" if "other" in told else "tiny"
    with pytest.raises(click.ClickException) as refused:
        run(project, "predict", run={"name": name}, predict={"path": "photos", **settings})
    assert told in refused.value.message
    assert not os.path.exists(project / "data/02_intermediate/tiny.predictions")  # noqa: PTH110
