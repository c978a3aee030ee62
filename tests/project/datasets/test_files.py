"""What people open lies at its plain path; its versions lie beside it, and the newest is the last that was written."""

import inspect
import json
import logging
from pathlib import Path

import click
import pandas as pd
import pytest
from kedro.io import AbstractDataset, Version

from pt4al.files.versions import kept, later, newest, versions
from pt4al.project.datasets.files import FileDataset, PicturesDataset, PlainBytesDataset
from pt4al.project.datasets.runs import RunCurvesDataset
from pt4al.project.runs.folder import RunFolder
from support.people import write_photos
from support.projects import copy_project, run

EARLY, LATE = "2026-01-01T00.00.00.000Z", "2026-02-01T00.00.00.000Z"


def dataset(path: Path, version: str | None) -> AbstractDataset:
    return PlainBytesDataset(filepath=str(path), version=version and Version(None, version))


def aged(path: Path) -> Path:
    """Put a file's versions where they were before there were plain paths."""
    path.unlink()
    kept(path).rename(path)
    return path


@pytest.fixture
def project(finished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    copy = copy_project(finished, tmp_path / "project")
    monkeypatch.chdir(copy)
    return copy


def test_a_finished_run_has_its_page_curve_and_labels_at_their_documented_paths(finished: Path) -> None:
    reporting, asked = finished / "data/08_reporting/tiny", finished / "data/05_model_input/tiny"
    assert list(pd.read_csv(reporting / "learning_curve.csv")["labels"]) == [20, 40, 60]
    assert len(pd.read_parquet(asked / "cycle_2/label_set.parquet")) == 60
    assert (reporting / "report.html").read_text().startswith("<!doctype html>")
    assert next(reporting.parent.glob("pool_*/intake.html")).is_file()


def test_the_newest_version_is_the_plain_file_and_the_older_ones_are_kept(tmp_path: Path) -> None:
    path = tmp_path / "page.html"
    dataset(path, EARLY).save(b"first")
    dataset(path, LATE).save(b"second")
    assert path.read_bytes() == b"second" == dataset(path, None).load()
    assert [version.read_bytes() for version in versions(path)] == [b"first", b"second"]
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["page.html", "versions"]


def test_what_somebody_does_to_the_plain_file_does_not_reach_the_run(tmp_path: Path) -> None:
    path = tmp_path / "labels.csv"
    dataset(path, EARLY).save(b"id,label\n")
    with path.open("ab") as file:
        file.write(b"typed by mistake")
    assert dataset(path, LATE).load() == b"id,label\n"
    path.unlink()
    assert dataset(path, LATE).exists()


def test_a_save_that_was_killed_is_made_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "page.html"
    replace = Path.replace

    def killed(self: Path, target: Path) -> Path:
        if "versions" in target.parts:
            raise KeyboardInterrupt
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", killed)
    with pytest.raises(KeyboardInterrupt):
        dataset(path, EARLY).save(b"whole")
    assert path.read_bytes() == b"whole"
    assert not dataset(path, LATE).exists()


def test_files_of_runs_from_before_are_read_and_move_when_a_newer_one_comes(tmp_path: Path) -> None:
    path = tmp_path / "page.html"
    (path / EARLY).mkdir(parents=True)
    (path / EARLY / path.name).write_bytes(b"old")
    assert dataset(path, LATE).load() == b"old"
    assert newest(path).read_bytes() == b"old"
    dataset(path, LATE).save(b"new")
    assert path.read_bytes() == b"new"
    assert [version.read_bytes() for version in versions(path)] == [b"old", b"new"]


def test_a_file_without_versions_is_where_it_was(tmp_path: Path) -> None:
    path = tmp_path / "page.html"
    dataset(path, None).save(b"for DVC")
    assert [entry.name for entry in tmp_path.iterdir()] == ["page.html"]
    assert newest(path) == path


def test_an_exported_network_is_not_replaced_by_none(tmp_path: Path) -> None:
    path = tmp_path / "network.onnx"
    dataset(path, EARLY).save(b"network")
    dataset(path, LATE).save(b"")
    assert path.read_bytes() == b"network"


@pytest.mark.parametrize("place", ["plain", "before"])
def test_other_runs_curves_are_found_in_both_places(tmp_path: Path, place: str) -> None:
    path = tmp_path / "08_reporting/tiny/learning_curve.csv"
    for version, rows in ((EARLY, b"labels,pool\n1,a\n"), (LATE, b"labels,pool\n1,a\n2,a\n")):
        dataset(path, version).save(rows)
    if place == "before":
        aged(path)
    curve = str(tmp_path / "08_reporting/learning_curve.csv")
    curves = RunCurvesDataset(filepath=curve, dataset={"type": "pandas.CSVDataset"}).load()
    assert list(curves["tiny"]["labels"]) == [1, 2]
    assert len(RunFolder(tmp_path, "tiny").read("learning_curve.csv")) == 2


def test_a_version_is_later_than_all_before_it_whatever_the_clock_says(tmp_path: Path) -> None:
    (tmp_path / "tiny/cycle_0/versions/label_set.parquet/2026-12-31T23.59.59.999Z").mkdir(parents=True)
    (tmp_path / "tiny/report.html" / EARLY).mkdir(parents=True)
    assert later(LATE, [tmp_path / "tiny"]) == "2027-01-01T00.00.00.000Z"
    assert later("2027-05-01T00.00.00.000Z", [tmp_path / "tiny"]) == "2027-05-01T00.00.00.000Z"
    assert later(LATE, [tmp_path / "nothing"]) == LATE


def test_a_run_from_before_goes_on_with_a_clock_that_was_set_back(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pages = aged(project / "data/08_reporting/tiny/report.html")
    labels = aged(project / "data/05_model_input/tiny/cycle_2/label_set.parquet")
    before = versions(pages)
    monkeypatch.setattr("kedro.framework.session.session.generate_timestamp", lambda: "2001-01-01T00.00.00.000Z")
    run(project)
    assert len(versions(pages)) == len(before) + 1
    assert newest(pages).parent.name > before[-1].parent.name
    assert pages.read_bytes() == newest(pages).read_bytes()
    assert len(versions(labels)) == 1  # nothing was made again but the report


def test_predict_says_where_its_table_is_and_it_is_there(project: Path, caplog: pytest.LogCaptureFixture) -> None:
    write_photos(project / "photos", 5)
    with caplog.at_level(logging.INFO):
        run(project, "predict", predict={"path": "photos"})
    table = project / "data/07_model_output/tiny/predictions.parquet"
    assert f"predictions: {table}" in caplog.messages
    assert len(pd.read_parquet(table)) == 5


def test_a_mistake_in_a_node_is_told_once(project: Path, caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(click.ClickException, match=r"^nowhere: no such file or folder"):
        run(project, "predict", predict={"path": "nowhere"})
    assert [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING] == []


def test_kedro_viz_is_shown_the_newest_version_as_json_can_hold_it(tmp_path: Path) -> None:
    path = str(tmp_path / "masks.parquet")
    table = {"type": "pandas.ParquetDataset"}
    assert not hasattr(FileDataset(filepath=path, version=Version(None, EARLY), dataset=table), "preview")
    for version, share in ((EARLY, 0.5), (LATE, float("nan"))):
        rows = pd.DataFrame({"id": ["a"], "mask": [b"\x89PNG"], "share": [share], "cycle": [1]})
        FileDataset(filepath=path, version=Version(None, version), dataset=table).save(rows)
    newest_one = FileDataset(filepath=path, version=Version(None, None), dataset=table)
    assert newest_one.preview()["data"] == [["a", "4 bytes", None, 1]]
    assert json.loads(json.dumps(newest_one.preview(nrows=1), allow_nan=False))
    assert str(inspect.signature(newest_one.preview).return_annotation) == "TablePreview"


def test_pictures_are_files_whose_names_end_as_their_kinds_do(tmp_path: Path) -> None:
    dataset = PicturesDataset(filepath=str(tmp_path / "pictures"))
    given = {"curve": b"<svg></svg>", "sheet": b"<div></div>", "panels": b"\x89PNG"}
    dataset.save(given)
    assert {file.name for file in (tmp_path / "pictures").iterdir()} == {"curve.svg", "sheet.html", "panels.png"}
    assert dataset.load() == given
