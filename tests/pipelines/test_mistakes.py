"""A person's mistakes: one message, before any training, and no traceback."""

import gzip
import shutil
from pathlib import Path
from typing import Any

import click
import numpy as np
import pandas as pd
import pytest

from pt4al.errors import InputError
from pt4al.project.runs.preflight import check_cells
from support.projects import kedro, run, tiny

WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "a typo in a key": ({"cycles": {"budgte": 5}}, "`cycles.budgte` is unknown: did you mean 'budget'?"),
    "a typo in a block": ({"qery": {"measure": "margin"}}, "`qery` is unknown: did you mean 'query'?"),
    "a word for a number": ({"cycles": {"budget": "many"}}, "`cycles.budget` is 'many'"),
    "out of range": ({"cycles": {"budget": -5}}, "`cycles.budget` is -5"),
    "no cycles": ({"cycles": {"number": 0}}, "`cycles.number` is 0"),
    "an unknown measure": ({"query": {"measure": "margn"}}, "`query.measure` is 'margn': did you mean 'margin'?"),
    "an unknown network": ({"main": {"network": "resnet19"}}, "did you mean 'resnet18'?"),
    "a budget larger than a batch": (
        {"cycles": {"budget": 101}, "query": {"scope": "batch"}},
        "`cycles.budget` 101 exceeds the smallest batch, which holds 100 of 300 images",
    ),
    "more labels than images": ({"cycles": {"budget": 101}}, "asks for 303 labels; the pool holds 300 images"),
    "another trunk": ({"main": {"network": "resnet18"}}, "`main.start_from: pretext` needs one network for both"),
    "a source that is not there": ({"pool": {"source": {"path": "nowhere"}}}, "nowhere: no such file or folder"),
    "more images than there are": ({"pool": {"limit": {"train": 10_001}}}, "10001 pictures of a source that has 10000"),
    "a run name that is a path": ({"run": {"name": "../x"}}, "`run.name` is '../x'"),
    "weights that are not there": (
        {"main": {"network": "timm/resnet18", "start_from": "pretrained", "weights": "gone.safetensors"}},
        "`main.weights` is gone.safetensors: there is no such file",
    ),
    "a device that is not there": ({"engine": {"device": "cuda"}}, "no CUDA device"),
}


@pytest.mark.parametrize("parameters, message", WRONG.values(), ids=WRONG)
def test_a_wrong_configuration_is_one_message(project: Path, no_training: None, parameters: dict, message: str) -> None:
    if "cuda" in message.lower() and pytest.importorskip("torch").cuda.is_available():
        pytest.skip("there is a CUDA device")
    with pytest.raises(click.ClickException) as refused:
        run(project, **parameters)
    assert message in refused.value.message
    assert not (project / "data/06_models").exists()


def _parquet(folder: Path, change: Any) -> None:
    for split in ("train", "test"):
        table = pd.read_parquet(Path("data/01_raw/fashion_mnist") / f"{split}.parquet").head(200)
        change(table).to_parquet(folder / f"{split}.parquet")


BROKEN = {
    "no column of images": (lambda f: _parquet(f, lambda t: t.drop(columns="image")), "needs `image`, a struct"),
    "a negative label": (lambda f: _parquet(f, lambda t: t.assign(label=-2)), "row 0 has label -2"),
    "not Parquet": (lambda f: (f / "train.parquet").write_text("id,label\n"), "not a Parquet file"),
    "half a file": (
        lambda f: (f / "train.parquet").write_bytes(
            Path("data/01_raw/fashion_mnist/train.parquet").read_bytes()[:100_000]
        ),
        "not a Parquet file",
    ),
    "images of no label": (lambda f: _parquet(f, lambda t: t.drop(columns="label")), "have no recorded label"),
}


@pytest.mark.parametrize("breaking, message", BROKEN.values(), ids=BROKEN)
def test_broken_input_is_one_message(project: Path, no_training: None, breaking: Any, message: str) -> None:
    folder = project / "raw"
    folder.mkdir()
    breaking(folder)
    with pytest.raises(click.ClickException) as refused:
        run(project, pool={"source": {"path": "raw"}, "limit": {"train": None, "test": None}})
    assert message in refused.value.message
    assert not (project / "data/06_models").exists()


def test_a_truncated_idx_file_is_one_message(project: Path, no_training: None) -> None:
    folder = project / "raw"
    folder.mkdir()
    header = bytes([0, 0, 8, 3]) + np.array([100, 28, 28], ">i4").tobytes()
    (folder / "train-images-idx3-ubyte.gz").write_bytes(gzip.compress(header + bytes(1000)))
    with pytest.raises(click.ClickException, match="not a whole IDX file"):
        run(project, pool={"source": {"kind": "idx", "path": "raw"}})


def test_a_changed_pool_is_noticed(finished: Path, project: Path, no_training: None) -> None:
    shutil.copytree(finished / "data/02_intermediate", project / "data/02_intermediate")
    images = next((project / "data/02_intermediate").glob("*/pool/*/pool/*.npy"))
    raw = bytearray(images.read_bytes())
    raw[-1] ^= 1
    images.write_bytes(raw)
    with pytest.raises(click.ClickException, match="bytes have changed since it was built"):
        run(project)


def test_the_command_line_shows_no_traceback(project: Path) -> None:
    done = kedro("run", "--env=tiny", "--params=cycles.number=0", cwd=project)
    assert done.returncode == 1
    assert "`cycles.number` is 0" in done.stderr
    assert "Traceback" not in done.stderr + done.stdout


def test_people_are_not_asked_to_label_for_every_cell_of_a_comparison(project: Path) -> None:
    with pytest.raises(click.ClickException, match="can't be compared"):
        run(project, "comparison", oracle={"kind": "people"})


def test_a_graph_is_not_made_for_cycles_that_a_pool_cannot_feed(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pt4al.pipelines.graph._build", lambda shape: pytest.fail("a graph was made"))
    with pytest.raises(click.ClickException, match="asks for 600 labels; the pool holds 300 images"):
        run(project, cycles={"number": 200, "budget": 3})


@pytest.mark.parametrize("name", ["ThreadRunner", "ParallelRunner"])
def test_a_runner_that_would_compute_everything_again_is_refused(finished: Path, no_training: None, name: str) -> None:
    import kedro.runner
    from kedro.framework.startup import bootstrap_project

    from pt4al.project.runs.resume import Session

    bootstrap_project(finished)
    refused = pytest.raises(click.ClickException, match=f"--runner={name} can't go on where a run stopped")
    with Session.create(project_path=finished, env="tiny", save_on_close=False) as session, refused:
        session.run(pipeline_names=["active_learning"], runner=getattr(kedro.runner, name)())


ARMS: dict[str, tuple[dict[str, Any], str]] = {
    "weights that are not there": (
        {"main": {"network": "timm/resnet18", "start_from": "pretrained", "weights": "gone.safetensors"}},
        "`main.weights` is gone.safetensors: there is no such file",
    ),
    "a pretext task that needs colour": ({"pretext": {"task": "colorization"}}, "colorization needs colour"),
    "other images": ({"pool": {"noise": 4}}, "`pool` and `main.task` must be those of all other arms"),
    "another number of cycles": ({"cycles": {"number": 2}}, "`cycles.number` is 2, that of all other arms 3"),
    "people": ({"oracle": {"kind": "people"}}, "people would have to label"),
    "settings where a value belongs": ({"main": {"augment": [1]}}, "`comparison.arms.wrong`"),
}


@pytest.mark.parametrize("arm, message", ARMS.values(), ids=ARMS)
def test_an_arm_that_could_not_run_is_refused_before_the_first_cell(
    tmp_path: Path, arm: dict[str, Any], message: str
) -> None:
    comparison = {"arms": {"wrong": arm}, "compared": ["random", "wrong"], "rule": {"claim": "wrong"}}
    with pytest.raises(InputError) as refused:
        check_cells(tiny(comparison=comparison), {}, tmp_path)
    assert "`comparison.arms.wrong`" in str(refused.value)
    assert message in str(refused.value)


def test_a_comparison_to_rank_with_must_be_there_before_the_first_cell(project: Path, no_training: None) -> None:
    with pytest.raises(click.ClickException, match=r"`comparison.others`: elsewhere is not there: run it first"):
        run(project, "comparison", comparison={"others": ["elsewhere"]})
