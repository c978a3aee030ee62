"""Pipeline `predict`: a finished run's model asked about other pictures."""

import io
import json
import os
import subprocess
import sys
from pathlib import Path

import click
import numpy as np
import pandas as pd
import pytest
from PIL import Image

from pt4al.images.pool import open_pool
from pt4al.training.tasks import classification
from support.hardware import PRECISION
from support.layouts import write_cityscapes
from support.people import write_photos
from support.projects import make_project, newest, run

# How far predictions may be from the file's, which computes in fp32: docs/predict.md says so.
PROMISED = {"fp32": 1e-4, "bf16": 0.1}


@pytest.fixture
def project(copied: Path) -> Path:
    """A copy of a project with a finished run, and photos."""
    write_photos(copied / "photos", 30)
    (copied / "empty").mkdir()
    (copied / "photos/odd.png").write_text("no picture")
    return copied


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
    listed = pd.read_csv(newest(project, "07_model_output", "tiny", "predictions.csv"))
    assert list(listed) == ["id", "label", "probability"]
    assert list(listed["label"]) == list(table["label"])
    np.testing.assert_allclose(listed["probability"], table["probability"], atol=1e-4)
    page = newest(project, "08_reporting", "tiny", "predictions.html").read_text()
    assert "odd.png" in page
    assert "Look here first" in page
    after = {path: path.stat().st_mtime_ns for path in (project / "data/05_model_input").glob("**/*") if path.is_file()}
    assert {path: time for path, time in after.items() if path in before} == before  # the run is left alone


def test_an_onnx_file_answers_as_the_network_does_on_raw_pixels(project: Path) -> None:
    onnxruntime = pytest.importorskip("onnxruntime")
    go(project, onnx=True)
    file = newest(project, "07_model_output", "tiny", "network.onnx")
    session = onnxruntime.InferenceSession(file.read_bytes(), providers=["CPUExecutionProvider"])
    pool = open_pool(newest(project, "02_intermediate", "tiny.predictions", "pool"))
    (logits,) = session.run(None, {"images": pool.gather(np.arange(7)).numpy()})
    likely = classification.probabilities(logits)
    names = json.loads(session.get_modelmeta().custom_metadata_map["classes"])
    table = predictions(project).head(7)
    np.testing.assert_allclose(likely, table[names], atol=PROMISED[PRECISION])
    best, second = np.sort(likely, axis=1)[:, :-3:-1].T
    sure = best - second > 2 * PROMISED[PRECISION]
    assert sure.any() or PRECISION == "bf16"  # a network that has learnt little is sure of nothing
    assert list(np.array(names)[likely.argmax(axis=1)][sure]) == list(table["label"][sure])


def test_a_model_of_pixels_gives_masks_by_its_name_alone(
    tmp_path: Path, empty_store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("onnxruntime")
    place = make_project(tmp_path, empty_store)
    monkeypatch.chdir(place)
    write_cityscapes(place / "raw", np.random.default_rng(0), pictures=6)
    short = {"schedule": {"epochs": 1, "minimum_steps": 2, "minibatch": 8}}
    source = {"source": {"path": str(place / "raw")}, "size": [32, 64]}
    run(place, env="cityscapes", pool=source, cycles={"number": 1, "budget": 3}, pretext=short, main=short)
    write_photos(place / "photos", 5)
    run(place, "predict", run={"name": "cityscapes"}, predict={"path": "photos", "onnx": True})
    table = pd.read_parquet(newest(place, "07_model_output", "cityscapes", "predictions.parquet"))
    assert list(table.columns) == ["id", "mask"]
    assert sorted(table["id"]) == [f"{number:05d}.png" for number in range(5)]
    masks = [np.array(Image.open(io.BytesIO(mask))) for mask in table["mask"]]
    assert all(mask.shape == (32, 64) and mask.dtype == np.uint8 for mask in masks)
    assert newest(place, "07_model_output", "cityscapes", "network.onnx").stat().st_size > 0


def test_classes_called_like_other_columns_keep_their_own(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    names = ["label", "class label", "id", "probability", *"abcdef"]
    monkeypatch.setattr("pt4al.pipelines.predict.models.Finished.classes", names)
    go(project)
    columns = list(predictions(project).columns)
    assert len(columns) == len(set(columns)) == 13


def test_the_best_cycles_model_is_found_under_its_alias(project: Path) -> None:
    import mlflow

    go(project, register_as="champion", cycle="best")
    client = mlflow.MlflowClient(tracking_uri=f"sqlite:///{project}/mlflow.db")
    found = client.get_model_version_by_alias("tiny", "champion")
    curve = pd.read_csv(newest(project, "08_reporting", "tiny", "learning_curve.csv"))
    logged = client.get_logged_model(found.source.removeprefix("models:/"))
    assert logged.name == f"tiny-s0-c{curve['accuracy'].argmax()}"


def test_the_logged_model_answers_to_files_as_the_pipeline_does(project: Path) -> None:
    import mlflow

    (project / "photos/odd.png").unlink()
    run(project, "predict", predict={"path": "photos"}, engine={"precision": "fp32"})
    table = predictions(project)
    client = mlflow.MlflowClient(tracking_uri=f"sqlite:///{project}/mlflow.db")
    (model,) = client.search_logged_models(["1"], "name = 'tiny-s0-c2'")
    code = (
        "import mlflow, pathlib, sys; import pandas as pd\n"
        "mlflow.set_tracking_uri(sys.argv[1])\n"
        "paths = [str(path) for path in sorted(pathlib.Path(sys.argv[3]).iterdir())]\n"
        "answers = mlflow.pyfunc.load_model(sys.argv[2]).predict(pd.DataFrame({'path': paths}))\n"
        "answers.to_parquet(sys.argv[4])\n"
    )
    elsewhere = project / "elsewhere"  # a folder without this project's configuration
    elsewhere.mkdir()
    given = [f"sqlite:///{project}/mlflow.db", model.model_uri, str(project / "photos"), "answers.parquet"]
    subprocess.run([sys.executable, "-c", code, *given], cwd=elsewhere, check=True)
    answers = pd.read_parquet(elsewhere / "answers.parquet")
    table = table.sort_values("id", ignore_index=True)
    assert list(answers["label"]) == list(table["label"])
    np.testing.assert_allclose(answers["probability"], table["probability"], atol=1e-6)


def test_another_folder_with_the_same_names_sizes_and_times_is_read_anew(project: Path) -> None:
    folders = [project / name for name in ("first", "second")]
    for folder, level in zip(folders, (0, 255), strict=True):
        folder.mkdir()
        for number in range(4):
            Image.new("L", (28, 28), level).save(folder / f"{number}.bmp")  # not compressed: all of one size
            os.utime(folder / f"{number}.bmp", (1e9, 1e9))
    found = []
    for folder in folders:
        go(project, path=str(folder))
        pool = open_pool(newest(project, "02_intermediate", "tiny.predictions", "pool"))
        found.append(int(pool.gather(np.arange(1)).max()))
    assert found == [0, 255]


def test_broken_pictures_are_listed_however_many_they_are(project: Path) -> None:
    for number in range(40):
        (project / f"photos/odd{number}.png").write_text("no picture")
    go(project)
    assert len(predictions(project)) == 30
    page = newest(project, "08_reporting", "tiny", "predictions.html").read_text()
    assert all(f"odd{number}.png" in page for number in range(40))


def test_without_the_libraries_of_onnx_nothing_is_decoded(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "onnxscript", None)
    with pytest.raises(click.ClickException, match="onnxscript is missing"):
        go(project, onnx=True)
    assert not (project / "data/02_intermediate/tiny.predictions").exists()


MISTAKES = {
    "an empty folder": ({"path": "empty"}, "empty: holds no"),
    "no path": ({"path": None}, "`predict.path` is missing"),
    "no such folder": ({"path": "nowhere"}, "nowhere: no such file or folder (`predict.path`)"),
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
