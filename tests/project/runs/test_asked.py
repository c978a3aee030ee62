"""What a run asks, read from its files alone: as the opened run says, and without torch."""

import json
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from pt4al.annotation.log import Answer, AnswerLog
from pt4al.errors import InputError
from pt4al.project.runs import asked

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
    save(run / "cycle_0/label_set.parquet", pd.DataFrame({"id": ["known", "a"]}))
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
    found = asked.read(root)
    assert (found.name, found.cycle, found.masks) == ("mine", 1, False)
    assert list(found.query["id"]) == ["b", "c"]
    assert sorted(found.answerable) == ["a", "b", "c", "known", "late"]
    assert found.classes == ["cat", "dog", "bird"]
    assert found.suggestions is None
    assert str(found.progress()) == "1 of 2 answers"
    assert found.labels.to_numpy().tolist() == [["b", "cat"]]


def test_a_run_that_waits_for_nothing_and_one_that_is_none_are_sentences(root):
    with pytest.raises(InputError, match=r"no run .other. is labelled by people under .*: mine"):
        asked.read(root, "other")
    with pytest.raises(InputError, match="no run is labelled by people yet"):
        asked.read(root / "05_model_input")
    save(root / "05_model_input/mine/cycle_1/answers.parquet", pd.DataFrame({"id": ["b"]}))
    with pytest.raises(InputError, match="waits for no answers: all its cycles have their answers"):
        asked.read(root)
    assert asked.read(root, waiting=False).cycle == 2
    (root / "05_model_input/mine/policies.json").write_text("{")
    with pytest.raises(InputError, match=r"policies\.json is damaged \(it can't be read"):
        asked.read(root)


@pytest.mark.parametrize("written", ["label_studio: word\n", "label_studio: [a]\n", "label_studio: 5\n"])
def test_secrets_of_another_shape_are_one_sentence_and_none_are_none(tmp_path, written):
    (tmp_path / "conf/base").mkdir(parents=True)
    (tmp_path / "conf/local").mkdir()
    assert asked.secrets(tmp_path) == {}
    (tmp_path / "conf/local/credentials.yml").write_text("label_studio: null\n")
    assert not asked.secrets(tmp_path).get("label_studio")
    (tmp_path / "conf/local/credentials.yml").write_text(written)
    with pytest.raises(InputError, match=r"write label_studio: \{url: ..., token: ...\}"):
        asked.secrets(tmp_path)
