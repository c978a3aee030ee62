"""A run that people label is read from its files alone, without torch."""

import json
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from pt4al.annotation.log import Answer, AnswerLog
from pt4al.errors import InputError
from pt4al.project.runs.labelled_run import find_run

LIGHT = """
import sys
import pt4al.settings, pt4al.cli
heavy = {"torch", "mlflow", "sklearn", "scipy", "matplotlib", "statsmodels"} & set(sys.modules)
sys.exit(", ".join(heavy) or None)
"""
VERSIONS = ("2026-01-01T00.00.00.000Z", "2026-01-02T00.00.00.000Z")


def save(path: Path, *tables: pd.DataFrame) -> None:
    for version, table in zip(VERSIONS, tables, strict=False):
        (path / version).mkdir(parents=True)
        table.to_parquet(path / version / path.name)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A run that waits for the answers to its second query; one of the first came too late."""
    run = tmp_path / "05_model_input" / "mine"
    save(run / "cycle_0/answers.parquet", pd.DataFrame({"id": ["a"]}))
    save(run / "cycle_0/asked.parquet", pd.DataFrame({"id": ["a", "late"]}))
    # As the catalog keeps tables that people open: versions beside the plain file.
    save(run / "cycle_0/versions/label_set.parquet", pd.DataFrame({"id": ["known", "a"]}))
    pd.DataFrame({"id": ["known", "a"]}).to_parquet(run / "cycle_0/label_set.parquet")
    save(run / "cycle_1/query.parquet", pd.DataFrame({"id": ["old"]}), pd.DataFrame({"id": ["b", "c"]}))
    (run / "configuration.json").write_text(json.dumps({"cycles.number": 2, "main.task": "classification"}))
    oracle = {"annotators": 1, "disagreement": "latest", "skipped": "replace", "classes": ["cat", "dog"]}
    (run / "policies.json").write_text(json.dumps({"command": "kedro run", "oracle": oracle}))
    (run / "added_classes.json").write_text(json.dumps(["dog", "bird"]))
    AnswerLog(run / "answers").add([Answer(id="b", label="cat", annotator="ada", source="page")])
    return tmp_path


def test_commands_that_show_no_picture_import_no_torch():
    done = subprocess.run([sys.executable, "-c", LIGHT], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_the_newest_files_say_what_is_asked(root):
    run = find_run(root)
    assert (run.name, run.cycle, run.masks) == ("mine", 1, False)
    assert list(run.query["id"]) == ["b", "c"]
    assert sorted(run.answerable) == ["a", "b", "c", "known", "late"]
    assert run.classes == ["cat", "dog", "bird"]
    assert run.command == "kedro run"
    assert run.suggestions is None
    assert str(run.progress()) == "1 of 2 answers"


def test_a_run_that_waits_for_nothing_and_one_that_is_none_are_sentences(root):
    with pytest.raises(InputError, match=r"no run .other. is labelled by people under .*: mine"):
        find_run(root, "other")
    with pytest.raises(InputError, match="no run is labelled by people yet"):
        find_run(root / "05_model_input")
    save(root / "05_model_input/mine/cycle_1/answers.parquet", pd.DataFrame({"id": ["b"]}))
    with pytest.raises(InputError, match="waits for no answers: all its cycles have their answers"):
        find_run(root)
    assert find_run(root, waiting=False).cycle == 2
    (root / "05_model_input/mine/policies.json").write_text("{")
    with pytest.raises(InputError, match=r"policies\.json is damaged \(it can't be read"):
        find_run(root)
