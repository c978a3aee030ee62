"""Runs on features that others' networks find: stored once, read by pretext task, queries and main model."""

import json
import shutil
from pathlib import Path
from typing import Any

import click
import mlflow
import numpy as np
import pandas as pd
import pytest

from pt4al.features import probe as linear_probe
from pt4al.features.vectors import open_features
from pt4al.images.pool import open_pool
from pt4al.training import networks
from pt4al.training.tasks import classification
from support.hardware import PRECISION
from support.people import write_photos
from support.projects import WITHOUT_REPORT, make_project, newest, run, tables

# The recommended default, at a size that takes seconds.
ON_FEATURES: dict[str, dict[str, Any]] = {
    "features": {"network": "efficientnet_lite0", "size": 28},  # the pictures' own
    "pretext": {"start_from": "features", "losses": "cross_fitted"},
    "query": {"start": "herding", "strategy": "uncertainty_herding", "features": "cached"},
    "main": {"start_from": "features", "frozen": "all"},
}
PROMISED = 5e-3  # of probabilities: features are stored in half precision


def merged(**changes: dict[str, Any]) -> dict[str, dict[str, Any]]:
    names = ON_FEATURES.keys() | changes.keys()
    return {name: ON_FEATURES.get(name, {}) | changes.get(name, {}) for name in names}


@pytest.fixture(scope="module")
def learnt(tmp_path_factory: pytest.TempPathFactory, empty_store: Path) -> Path:
    """A project in which a run on features is finished. Tests read it."""
    folder = make_project(tmp_path_factory.mktemp("learnt"), empty_store, models=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        run(folder, **ON_FEATURES)
    return folder


def store(project: Path, name: str) -> Path:
    first = min(project.glob("data/04_feature/features_*"), key=lambda folder: folder.stat().st_ctime_ns)
    return max((first / name).glob(f"*/{name}"))


@pytest.fixture
def computed(learnt: Path, project: Path) -> Path:
    """A project with no run, but with the pool and features of the finished one."""
    folder = store(learnt, "features").parents[2]
    for there in (*learnt.glob("data/02_intermediate/pool_*"), folder):
        shutil.copytree(there, project / there.relative_to(learnt))
    return project


def test_every_picture_has_features_in_the_order_of_the_pool(learnt: Path) -> None:
    pool = open_pool(next(learnt.glob("data/02_intermediate/*/pool/*/pool")))
    features = open_features(store(learnt, "features"))
    assert list(features.ids) == list(pool.ids)
    assert features.shape == (1280,)
    views = open_features(store(learnt, "rotation_features"))
    assert views.shape == (4, 1280)
    # The first of the four turns is the picture itself.
    np.testing.assert_allclose(
        views.gather(np.arange(9))[:, 0].numpy(), features.gather(np.arange(9)).numpy(), atol=0.05, rtol=0.05
    )


def test_the_main_model_is_the_probe_that_scikit_learn_fits(learnt: Path) -> None:
    features = open_features(store(learnt, "features"))
    network = networks.load(newest(learnt, "06_models", "tiny", "cycle_1", "network.safetensors"))
    labels = pd.read_parquet(newest(learnt, "05_model_input", "tiny", "cycle_1", "label_set.parquet"))
    classes = json.loads(next(learnt.glob("data/02_intermediate/*/classes.json/*/classes.json")).read_text())
    targets = classification.targets(labels["label"], classes).numpy()
    weight, bias, _ = linear_probe.fit_calibrated(
        features.gather(features.rows(labels["id"])).numpy(), targets, len(classes)
    )
    np.testing.assert_array_equal(network.head.weight.detach().numpy(), weight)
    np.testing.assert_array_equal(network.head.bias.detach().numpy(), bias)


def test_another_run_computes_no_feature_again_and_another_network_has_a_store_of_its_own(
    learnt: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(learnt)
    before = sorted(learnt.glob("data/04_feature/features_*"))
    made = store(learnt, "features")
    run(learnt, WITHOUT_REPORT, **merged(run={"name": "second"}, query={"strategy": "top"}, cycles={"number": 1}))
    assert store(learnt, "features") == made
    run(learnt, ("pool", "features"), **merged(run={"name": "third"}, features={"size": 40}))
    assert len(sorted(learnt.glob("data/04_feature/features_*"))) == len(before) + 1


def test_the_same_command_gives_the_same_queries(learnt: Path, project: Path) -> None:
    run(project, WITHOUT_REPORT, **ON_FEATURES)
    assert tables(project) == {name: digest for name, digest in tables(learnt).items() if name in tables(project)}


def test_a_logged_model_takes_pictures(learnt: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(learnt)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "")
    mlflow.set_tracking_uri(f"sqlite:///{learnt}/mlflow.db")
    client = mlflow.MlflowClient()
    (model,) = (m for m in client.search_logged_models(experiment_ids=["1"]) if m.name == "tiny-s0-c2")
    test = open_pool(next(learnt.glob("data/02_intermediate/*/test_pool/*/test_pool")))
    answers = mlflow.pyfunc.load_model(model.model_uri).predict(test.gather(np.arange(50)).numpy())
    assert len(answers) == 50
    assert answers["probability"].between(0.1, 1).all()


def test_new_pictures_are_predicted_by_the_probe_and_the_network_of_its_features(
    learnt: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(learnt)
    write_photos(learnt / "photos", 12)
    run(learnt, "predict", **merged(predict={"path": "photos", "onnx": True}))
    found = pd.read_parquet(newest(learnt, "07_model_output", "tiny", "predictions.parquet"))
    assert len(found) == 12
    pool = open_pool(next(learnt.glob("data/02_intermediate/tiny.predictions/pool/*/pool")))
    assert pool.shape == (3, 28, 28)


def test_cells_of_a_comparison_share_features_and_are_ordinary_runs(computed: Path) -> None:
    compared = {"name": "c", "compared": ["random", "uncertainty_herding"], "seeds": [0, 1], "share": 0.8}
    rule = {"claim": "uncertainty_herding", "against": ["random"]}
    comparison = compared | {"rule": rule, "repeated": None, "workers": 1}
    run(computed, "comparison", **merged(comparison=comparison, cycles={"number": 2}))
    assert len(list(computed.glob("data/04_feature/features_*"))) == 1
    cells = pd.read_csv(computed / "data/08_reporting/c/cells.csv")
    assert len(cells) == 2 * 2 * 2
    first = [
        newest(computed, "05_model_input", f"c-uncertainty_herding-s{seed}", "cycle_0", "query.parquet")
        for seed in (0, 1)
    ]
    # Nothing is drawn in herding but the share of the pool.
    assert len({path.read_bytes() for path in first}) == 2


def test_a_probe_chooses_for_a_network_that_is_trained(computed: Path) -> None:
    trained = merged(main={"start_from": "fresh", "frozen": 0}, query={"model": "probe"}, cycles={"number": 2})
    run(computed, **trained)
    assert newest(computed, "08_reporting", "tiny", "cycle_1", "probe_metrics.json").exists()
    page = (computed / "data/08_reporting/tiny/report.html").read_text()
    assert "a linear probe of efficientnet_lite0" in page
    assert "What the features are like" in page


def test_the_network_of_the_features_is_fine_tuned(computed: Path) -> None:
    tuned = merged(main={"start_from": "features", "frozen": 0}, cycles={"number": 1, "budget": 10}, query={})
    run(computed, WITHOUT_REPORT, **tuned)
    network = networks.load(newest(computed, "06_models", "tiny", "cycle_0", "network.safetensors"))
    assert network.name == "timm/tf_efficientnet_lite0"
    assert network.size == (28, 28)


WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "a network that nobody knows": (
        {"features": {"network": "efficientnet_lite1"}},
        "did you mean 'efficientnet_lite0'",
    ),
    "weights that are not there": ({"features": {"weights": "gone.safetensors"}}, "gone.safetensors"),
    "a task that views don't tell": (
        {"pretext": {"task": "colorization"}},
        "`pretext.start_from: features` needs a task",
    ),
    "features of what is trained on them": (
        {"features": {"network": "pretext", "size": "auto"}},
        "`features.network: pretext` takes from what is trained",
    ),
    "masks from features of a whole image": ({"main": {"task": "segmentation"}}, "answers once an image"),
}


@pytest.mark.parametrize("mistake", WRONG)
def test_a_mistake_is_told_before_anything_is_computed(project: Path, no_training: None, mistake: str) -> None:
    changes, told = WRONG[mistake]
    with pytest.raises(click.ClickException) as refused:
        run(project, **merged(**changes))
    assert told in refused.value.message


@pytest.mark.skipif(PRECISION != "fp32", reason="the numbers promised are those of fp32")
def test_an_assembled_network_answers_to_pictures_as_the_probe_does_to_features(learnt: Path) -> None:
    probe = networks.load(newest(learnt, "06_models", "tiny", "cycle_2", "network.safetensors"))
    backbone = networks.load(
        newest(learnt, "04_feature", store(learnt, "features").parents[2].name, "features_network.safetensors")
    )
    features = open_features(store(learnt, "test_features"))
    test = open_pool(next(learnt.glob("data/02_intermediate/*/test_pool/*/test_pool")))
    whole = networks.assemble(backbone, probe).eval()
    answers = whole(test.gather(np.arange(20))).softmax(1).detach().numpy()
    expected = probe.eval()(features.gather(np.arange(20))).softmax(1).detach().numpy()
    assert np.abs(answers - expected).max() < PROMISED
