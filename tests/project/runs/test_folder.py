"""A run's files are found, read, locked and kept apart from other settings."""

import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from pt4al.errors import InputError
from pt4al.files import records
from pt4al.files.digests import Damaged
from pt4al.project.runs.folder import LAYERS, RunFolder, Runs
from pt4al.training import unfinished
from support.projects import ROOT

OLD = "2026-01-01T00.00.00.000Z"
NEW = "2026-01-02T00.00.00.000Z"


@pytest.fixture
def folder(tmp_path: Path) -> RunFolder:
    return RunFolder(tmp_path, "mine")


def save(path: Path, version: str, content: str = "") -> Path:
    file = path / version / path.name
    file.parent.mkdir(parents=True)
    file.write_text(content)
    return file


@pytest.mark.parametrize("layer", LAYERS)
def test_the_newest_version_is_found_in_whichever_layer_a_file_is(folder: RunFolder, layer: str) -> None:
    assert folder.newest("table.csv", cycle=3) is None
    path = folder.root / layer / "mine/cycle_3/table.csv"
    save(path, OLD, "accuracy\n1\n")
    newest = save(path, NEW, "accuracy\n2\n")
    assert folder.newest("table.csv", cycle=3) == newest
    assert list(folder.read("table.csv", 3)["accuracy"]) == [2]
    assert folder.read("table.csv", 2) is None
    assert folder.read("table.csv") is None


def test_a_file_without_versions_is_its_only_one(folder: RunFolder) -> None:
    folder.record.mkdir(parents=True)
    (folder.record / "classes.json").write_text('["cat"]')
    assert folder.read("classes.json") == ["cat"]


def test_a_damaged_file_is_named_with_the_way_out(folder: RunFolder) -> None:
    file = save(folder.reports / "metrics.json", NEW, "{")
    with pytest.raises(Damaged, match="type the command of mine again") as refused:
        folder.read("metrics.json")
    assert str(file) in str(refused.value)


def test_the_open_cycle_is_the_first_without_answers(folder: RunFolder) -> None:
    for cycle in range(3):
        assert folder.open_cycle(3) == cycle
        save(folder.record / f"cycle_{cycle}/answers.parquet", NEW)
    assert folder.open_cycle(3) == 3


RECORDS: dict[str, tuple[str, object, Callable[[RunFolder], object], str]] = {  # file, content, reader, way out
    "configuration": (
        "configuration.json",
        {"run.seed": 0},
        RunFolder.configuration,
        "put a copy of it back, or remove",
    ),
    "policies": (
        "policies.json",
        {"command": "kedro run"},
        RunFolder.policies,
        "type the command of run 'mine' again",
    ),
    "added classes": (
        "added_classes.json",
        ["cat"],
        RunFolder.added_classes,
        "write it again, a list of the names",
    ),
}


@pytest.mark.parametrize("file, content, read, way_out", RECORDS.values(), ids=RECORDS)
def test_a_damaged_record_is_named_with_its_own_way_out(
    folder: RunFolder, file: str, content: object, read: Callable, way_out: str
) -> None:
    path = folder.record / file
    records.write(path, content)
    assert read(folder) == content
    changed = bytearray(path.read_bytes())
    changed[6] ^= 1
    for damage in (bytes(changed), b"", b"3", changed[:5], b"\0\0\0\0"):
        path.write_bytes(damage)
        with pytest.raises(Damaged, match=way_out) as refused:
            read(folder)
        assert str(path) in str(refused.value)


def test_a_way_out_that_says_to_write_a_list_again_works(folder: RunFolder) -> None:
    folder.add_class("cat")
    path = folder.record / "added_classes.json"
    path.write_text('["dog"]')
    path.with_name("added_classes.json.sha256").unlink()
    folder.add_class("bird")
    assert folder.added_classes() == ["dog", "bird"]


def test_a_locked_run_is_refused_until_it_is_released(folder: RunFolder) -> None:
    lock = folder.lock()
    with pytest.raises(InputError, match="run 'mine' is being run by another process"):
        folder.lock()
    RunFolder(folder.root, "other").lock().release()
    lock.release()
    folder.lock().release()


def test_other_settings_are_refused_by_name_and_other_spellings_of_a_path_are_not(
    folder: RunFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder.root)
    records.write(folder.configuration_file, {"run.seed": 0, "pool.source.path": "./photos/"})
    folder.claim({"run.seed": 0, "pool.source.path": "photos"})
    with pytest.raises(InputError, match=r"`run\.seed`: 0 then, 1 now\n.*run\.fresh=true"):
        folder.claim({"run.seed": 1, "pool.source.path": "photos"})


def test_a_run_that_is_set_aside_keeps_all_its_files_under_one_other_name(folder: RunFolder) -> None:
    for layer in LAYERS:
        save(folder.root / layer / "mine/file", NEW, layer)
    aside = RunFolder(folder.root, folder.set_aside())
    assert aside.name.startswith("mine.")
    assert not any((folder.root / layer / "mine").exists() for layer in LAYERS)
    assert [(folder.root / layer / aside.name / "file" / NEW / "file").read_text() for layer in LAYERS] == list(LAYERS)


@pytest.mark.parametrize("version", ["", "pool/2026-11-27T12.00.00.000Z"])
def test_an_unfinished_training_goes_with_its_run_and_is_removed_with_it(folder: RunFolder, version: str) -> None:
    kept = unfinished.place(folder.root / "02_intermediate/pool_1" / version / "pool") / "0f_by_2"
    kept.mkdir(parents=True)
    unfinished.note(kept, "mine")
    folder.begin({})
    assert folder.tidy() == 0
    aside = RunFolder(folder.root, folder.set_aside())
    assert folder.tidy() == 0
    shutil.rmtree(aside.record)
    assert folder.tidy() == 1
    assert not kept.parent.exists()


def test_runs_that_people_label_are_listed_the_newest_command_first(tmp_path: Path) -> None:
    runs = Runs(tmp_path)
    for name, typed in {"second": 2, "first": 3, "third": 1}.items():
        records.write(runs[name].policies_file, {})
        os.utime(runs[name].policies_file, (typed, typed))
    records.write(runs["recorded"].configuration_file, {})
    assert [run.name for run in runs.labelled_by_people()] == ["first", "second", "third"]


def test_no_two_layers_of_the_catalog_have_a_file_of_one_name() -> None:
    catalog = (ROOT / "conf/base/catalog.yml").read_text()
    layers: dict[str, set[str]] = {}
    for layer, file in re.findall(r"filepath: \$\{globals:root\}/(\w+)/(\S+)", catalog):
        layers.setdefault(file, set()).add(layer)
    assert {file: layer for file, layer in layers.items() if len(layer) > 1} == {}
    assert set().union(*layers.values()) == set(LAYERS)
