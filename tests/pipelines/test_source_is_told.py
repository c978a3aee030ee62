"""What was read is told by every page and in MLflow; albums are no classes; mistakes are told before training."""

import json
import logging
import re
import sqlite3
from pathlib import Path

import numpy as np
import pytest
import yaml

from pt4al.errors import InputError
from pt4al.pipelines.pool import listing, nodes
from pt4al.project.configuration.parameters import Parameters
from pt4al.project.configuration.parsing import parse
from pt4al.project.runs import checks
from pt4al.project.runs.graph_options import resolve
from support.layouts import patch, save, write_class_folders
from support.projects import ROOT, newest


def parameters(path: Path, classes: list[str] | None = None, **source: str) -> Parameters:
    """The default's, for people, on one source."""
    settings = yaml.safe_load((ROOT / "conf/base/parameters.yml").read_text())
    settings["pool"]["source"] |= {"path": str(path)} | source
    settings["oracle"] |= {"kind": "people", "classes": classes}
    return parse(settings)


def recorded(path: Path, **pool: object) -> Parameters:
    settings = yaml.safe_load((ROOT / "conf/base/parameters.yml").read_text())
    settings["pool"] |= {"source": {"kind": "auto", "path": str(path)}} | pool
    return parse(settings)


@pytest.fixture
def albums(tmp_path: Path) -> Path:
    return write_class_folders(tmp_path / "photos", np.random.default_rng(0), ("2019", "2020"), 5, size=(8, 8))


def test_a_finished_run_says_on_its_page_and_in_mlflow_what_was_read(finished: Path) -> None:
    told = json.loads(newest(finished, "08_reporting", "*", "source_summary.json").read_text())
    assert told["sentence"].startswith("read Parquet files at data/01_raw/fashion_mnist: 10 classes; 300 pictures")
    assert "left out" in told["sentence"]  # pool.limit
    sentence = told["sentence"][1:].replace("`", "")
    page = newest(finished, "08_reporting", "tiny", "report.html").read_text()
    assert sentence in re.sub("</?code>", "", page)
    assert '/intake.html">The intake report</a>' in page
    intake = newest(finished, "08_reporting", "*", "intake.html").read_text()
    assert sentence in re.sub("</?code>", "", intake)
    with sqlite3.connect(finished / "mlflow.db") as store:
        assert store.execute("SELECT value FROM tags WHERE key = 'pool.read'").fetchone() == (told["sentence"],)


def test_what_was_read_is_logged_and_warnings_are_warnings(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    write_class_folders(tmp_path / "train", np.random.default_rng(0), ("cat", "dog"), 2, size=(8, 8))
    write_class_folders(tmp_path / "test", np.random.default_rng(0), ("cat", "cow"), 2, size=(8, 8))
    with caplog.at_level(logging.INFO):
        listing.tell_source(recorded(tmp_path).pool)
    told = [(record.levelname, record.getMessage()) for record in caplog.records]
    assert told[0][0] == "INFO" and told[0][1].startswith(f"read class folders at {tmp_path}: 3 classes")
    assert told[1][0] == "WARNING" and "Only the test split has pictures of 'cow'" in told[1][1]


def test_folders_that_are_none_of_the_classes_are_albums(albums: Path, tmp_path: Path) -> None:
    resolved, shape = resolve(parameters(albums, ["cat", "dog"]), tmp_path)
    assert resolved.pool.source.kind == "flat"
    assert (shape.tested, shape.control) == (False, True)  # nothing is held out, a control slice is drawn
    parts = nodes.collect(resolved.pool)
    assert (len(parts["train"]), len(parts["test"])) == (10, 0)
    again, _ = resolve(resolved, tmp_path)
    assert again.pool == resolved.pool  # so that the same command goes on


def test_folders_that_are_classes_stay_so(albums: Path, tmp_path: Path) -> None:
    for classes in (None, ["2019", "2020"], ["2018", "2019", "2020"]):
        resolved, _ = resolve(parameters(albums, classes), tmp_path)
        assert resolved.pool.source.kind == "auto"


@pytest.mark.parametrize(("classes", "kind"), [(["2019", "cat"], "auto"), (["cat", "dog"], "folders")])
def test_labels_that_are_no_classes_are_told_before_anybody_is_asked(
    albums: Path, tmp_path: Path, classes: list[str], kind: str
) -> None:
    with pytest.raises(InputError, match=r"none of `oracle\.classes`.*pool\.source\.kind=flat"):
        resolve(parameters(albums, classes, kind=kind), tmp_path)


def test_classes_that_people_name_have_one_spelling(albums: Path) -> None:
    assert parameters(albums, ["cafe\u0301", " tea "]).oracle.classes == ["caf\u00e9", "tea"]
    with pytest.raises(InputError, match=r"oracle\.classes"):
        parameters(albums, ["caf\u00e9", "cafe\u0301"])


def test_missing_labels_come_with_the_reason(tmp_path: Path) -> None:
    for number in range(5):
        save(patch(np.random.default_rng(number), 0, 1, (8, 8)), tmp_path / "cat" / f"{number}.png")
    settings = recorded(tmp_path)
    with pytest.raises(InputError, match=r"5 of 5 images .* have no recorded label.*one folder, `cat`"):
        checks.check_labels(settings, nodes.collect(settings.pool))


def test_share_that_holds_nothing_out_is_not_called_a_split_without_labels(tmp_path: Path) -> None:
    write_class_folders(tmp_path, np.random.default_rng(0), ("cat", "dog"), 3, size=(8, 8))
    settings = recorded(tmp_path, test=1e-9)
    with pytest.raises(InputError, match="holds out none of the 6 pictures"):
        checks.check_labels(settings, nodes.collect(settings.pool))


def test_columns_that_say_nothing_change_no_setting_of_a_run() -> None:
    settings = recorded(Path("x"))
    assert "columns" not in settings.model_dump()["pool"]["source"]
    named = parse(
        settings.model_dump()
        | {
            "pool": settings.model_dump()["pool"]
            | {"source": {"kind": "auto", "path": "x", "columns": {"label": "species"}}}
        }
    )
    assert named.model_dump()["pool"]["source"]["columns"] == {"label": "species"}


def test_source_without_a_training_split_names_those_it_has(tmp_path: Path) -> None:
    (tmp_path / "table.csv").write_text("path,label,split\na.png,cat,0\nb.png,dog,1\n")
    with pytest.raises(InputError, match=r"no pictures for the pool: of its splits \(0, 1\) none is `train`"):
        listing.collect(parameters(tmp_path / "table.csv").pool)
