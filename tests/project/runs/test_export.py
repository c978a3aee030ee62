"""Labels of a run written for other programs, with the pictures as they were."""

import io
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner, Result
from kedro.framework.startup import ProjectMetadata
from PIL import Image
from torchvision.datasets import ImageFolder

from pt4al.annotation.formats import coco, mask_folder
from pt4al.errors import InputError
from pt4al.masks import encode
from pt4al.project.cli.answers import answers
from pt4al.project.runs.export import choose_format
from support.exports import png
from support.labelled_runs import IDS, make_peoples_run, make_run, save
from support.projects import ROOT

ROWS = [("0.png", "cat", 0, "random"), ("1.png", "dog", 0, "control"), ("2.png", "dog", 1, "margin")]


@pytest.fixture
def labelled_project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with a run that people label, one that is recorded, and their pictures."""
    shutil.copytree(ROOT / "conf", tmp_path / "conf")
    (tmp_path / "raw").mkdir()
    for grey, name in enumerate(IDS):
        (tmp_path / "raw" / name).write_bytes(png(grey))
    make_peoples_run(tmp_path / "data", "peoples", ROWS)
    make_run(tmp_path / "data", "recorded", ROWS)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def type_answers(project: Path, *words: str) -> Result:
    metadata = ProjectMetadata(
        config_file=project / "pyproject.toml",
        package_name="pt4al",
        project_name="pt4al",
        project_path=project,
        source_dir=project / "src",
        kedro_init_version="1.7.0",
        tools=None,
        example_pipeline=None,
    )
    return CliRunner().invoke(answers, list(words), obj=metadata)


@pytest.mark.parametrize("run", ["peoples", "recorded"])
@pytest.mark.parametrize(("path", "read"), [("out.csv", pd.read_csv), ("out.parquet", pd.read_parquet)])
def test_a_table_of_any_run_says_where_each_label_comes_from(labelled_project: Path, run: str, path: str, read) -> None:
    done = type_answers(labelled_project, "export", path, f"--run={run}")
    assert done.exit_code == 0, done.output
    assert f"{path}: 3 labels of run {run}" in done.output
    assert "a strategy chose 1 of 3" in done.output
    table = read(path)
    assert list(table.columns) == ["id", "label", "cycle", "why", "annotators", "answered", "weight"]
    assert list(table["weight"]) == [5, 5, 0]


@pytest.mark.parametrize("path", ["out.csv", "out.parquet"])
def test_a_table_can_be_taken_in_again(labelled_project: Path, path: str) -> None:
    type_answers(labelled_project, "export", path, "--run=peoples")
    (labelled_project / "data/05_model_input/peoples/answers/answers.jsonl").unlink()
    save(labelled_project / "data/05_model_input/peoples/cycle_0/answers.parquet", pd.DataFrame({"id": ["0.png"]}))
    done = type_answers(labelled_project, "read", path, "--run=peoples")
    assert "3 new answers of 3; 0 with problems" in done.output


@pytest.mark.parametrize("run", ["peoples", "recorded"])
def test_folders_hold_the_pictures_as_they_were(labelled_project: Path, run: str) -> None:
    done = type_answers(labelled_project, "export", "out", f"--run={run}")
    assert done.exit_code == 0, done.output
    assert ImageFolder("out").classes == ["cat", "dog"]
    for image, label, _, _ in ROWS:
        assert Path("out", label, image).read_bytes() == (labelled_project / "raw" / image).read_bytes()


@pytest.mark.parametrize(
    ("path", "form", "left"),
    [
        ("y", "yolo", "y/train/dog/1.png"),
        ("h", "huggingface", "h/README.md"),
        ("c.json", "coco", "c.json"),
        ("f", "folders", "f/labels.csv"),
    ],
)
def test_every_format_is_written_and_never_over_what_is_there(
    labelled_project: Path, path: str, form: str, left: str
) -> None:
    words = ("export", path, f"--format={form}", "--run=peoples")
    done = type_answers(labelled_project, *words)
    assert done.exit_code == 0, done.output
    assert Path(left).is_file()
    before = Path(left).read_bytes()
    again = type_answers(labelled_project, *words)
    assert again.exit_code == 1
    assert "name another" in again.output
    assert Path(left).read_bytes() == before
    assert not list(labelled_project.glob(".*"))


@pytest.mark.parametrize("path", ["masks", "masks.json"])
def test_masks_of_a_recorded_run_come_out_as_they_are(labelled_project: Path, path: str) -> None:
    data = labelled_project / "data"
    record = make_run(data, "drawn", [], **{"main.task": "segmentation", "pool.classes": ["dark", "bright"]})
    drawn = np.uint8([[0, 1, 1], [255, 0, 1]])
    rows = pd.DataFrame({"id": ["0.png"], "label": [encode(drawn)], "cycle": [0], "why": ["random"]})
    save(record / "cycle_0/label_set.parquet", rows)
    done = type_answers(labelled_project, "export", path, "--run=drawn")
    assert done.exit_code == 0, done.output
    if path == "masks":
        masks, problems = mask_folder.read(Path(path), ["0.png"], ["dark", "bright"], (2, 3))
    else:
        masks, problems = coco.read(Path(path), {"0.png": "0.png"}, ["dark", "bright"], (2, 3))
    assert problems.empty
    ((image, mask),) = masks
    assert image == "0.png"
    assert np.asarray(Image.open(io.BytesIO(mask))).tolist() == drawn.tolist()


def test_a_picture_that_is_gone_is_named_and_nothing_is_written(labelled_project: Path) -> None:
    (labelled_project / "raw/2.png").unlink()
    done = type_answers(labelled_project, "export", "out", "--run=peoples")
    assert "1 labelled image not in the source any more, the first is '2.png'" in done.output
    assert not Path("out").exists()


def test_a_run_without_labels_is_told(labelled_project: Path) -> None:
    make_peoples_run(labelled_project / "data", "new", [])
    assert "run 'new' has no labels yet" in type_answers(labelled_project, "export", "out.csv", "--run=new").output


@pytest.mark.parametrize(
    ("path", "masks", "typed", "form"),
    [
        ("a.csv", False, None, "csv"),
        ("a.PARQUET", False, None, "parquet"),
        ("a.json", False, None, "coco"),
        ("a.json", True, None, "coco"),
        ("a", False, None, "folders"),
        ("a", True, None, "masks"),
        ("a.v2", False, "yolo", "yolo"),
        ("a.v2", False, None, "folders"),
        ("a.tsv", False, "folders", "folders"),
    ],
)
def test_the_end_of_a_path_says_the_format(path: str, masks: bool, typed: str | None, form: str) -> None:
    assert choose_format(Path(path), masks, typed) == form


@pytest.mark.parametrize(
    ("path", "masks", "typed", "told"),
    [
        ("a", True, "yolo", "masks, which --format=yolo can't hold"),
        ("a.csv", True, None, "masks, which --format=csv can't hold"),
        ("a", False, "masks", "classes, not masks"),
        ("a", False, "coco", "ends in .json"),
        ("a.csv", False, "folders", "writes a folder, name one without .csv"),
        ("a.tsv", False, None, "no format writes a file whose name ends in .tsv"),
    ],
)
def test_a_format_that_does_not_fit_is_told(path: str, masks: bool, typed: str | None, told: str) -> None:
    with pytest.raises(InputError, match=told):
        choose_format(Path(path), masks, typed)


def test_runs_are_merged_into_one_table(labelled_project: Path) -> None:
    rows = [("0.png", "dog", 0, "random"), ("7.png", "owl", 0, "random"), ("elsewhere.png", "cat", 0, "random")]
    make_peoples_run(labelled_project / "data", "other", rows, day=2, who="bob")
    words = ("merge", "all.csv", "--run=peoples", "--run=other")
    refused = type_answers(labelled_project, *words, "--disagreement=refuse")
    assert refused.exit_code == 1
    assert "1 image with labels that contradict each other: nothing is written" in refused.output
    assert not Path("all.csv").exists()
    done = type_answers(labelled_project, *words)
    assert done.exit_code == 0, done.output
    assert "0.png: 'cat' in run peoples by ada on 2026-01-01, then 'dog' in run other by bob" in done.output
    assert "run other has labels of classes that peoples has not: 'owl'" in done.output
    assert "not in the pool of peoples, 1 image of run other: 'elsewhere.png'" in done.output
    table = pd.read_csv("all.csv").set_index("id")
    assert list(table.columns) == ["label", "annotators", "answered", "run", "cycle", "why"]
    assert table["label"].to_dict() == {
        "0.png": "dog",
        "1.png": "dog",
        "2.png": "dog",
        "7.png": "owl",
        "elsewhere.png": "cat",
    }
    assert table.loc["1.png", "why"] == "control"
    again = type_answers(labelled_project, *words)
    assert "is there already" in again.output


def test_a_recorded_run_is_merged_with_a_peoples(labelled_project: Path) -> None:
    done = type_answers(labelled_project, "merge", "all.parquet", "--run=recorded", "--run=peoples")
    assert done.exit_code == 0, done.output
    assert set(pd.read_parquet("all.parquet")["run"]) == {"peoples"}
