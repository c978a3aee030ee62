"""Damaged files of a finished run: each is named, none changes a result, and what can be remade is remade."""

import json
import logging
import shutil
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from kedro.framework.startup import bootstrap_project
from kedro.io import CatalogProtocol

from pt4al.files import versions
from pt4al.pipelines.comparison import nodes as comparison
from pt4al.pipelines.predict.models import find
from pt4al.project.configuration.parsing import parse
from pt4al.project.runs.error_messages import sentence
from pt4al.project.runs.resume import Session, unfinished_nodes
from support.projects import copy_project, newest, run, tables

OTHER = {  # what a file may hold instead, by the end of its name
    ".parquet": b"id,label\n0,1\n",
    ".arrow": b"PAR1",
    ".csv": b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR",
    ".json": b"[[3]]",
    ".safetensors": b'{"a": 1}',
    ".npz": b"PAR1",
    ".html": b"PAR1\xff\xfe",
    ".npy": b"\x93NUMPY",
    ".png": b"<svg/>",
    ".svg": b"\x89PNG",
}
FEW, MANY = 1, 60  # single bits tried in each file


def damages(content: bytes, suffix: str, bits: int, rng: np.random.Generator) -> Iterator[tuple[str, bytes]]:
    """Yield what a file may become: name of the damage, content."""
    yield "empty", b""
    yield "cut", content[: len(content) // 2]
    yield "other type", OTHER[suffix]
    for place in rng.integers(0, 8 * len(content), bits):
        changed = bytearray(content)
        changed[place // 8] ^= 1 << place % 8
        yield f"bit {place}", bytes(changed)


def opened(project: Path) -> tuple[CatalogProtocol, dict]:
    """The project's catalog, and its parameters."""
    bootstrap_project(project)
    with Session.create(project_path=project, env="tiny", save_on_close=False) as session:
        context = session.load_context()
        return context.catalog, context.config_loader["parameters"]


@pytest.fixture(scope="module")
def place(finished_once: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the finished_once project; each test leaves it as it was."""
    return copy_project(finished_once, tmp_path_factory.mktemp("damage") / "project")


@pytest.fixture(scope="module")
def settled(place: Path) -> tuple[CatalogProtocol, dict]:
    """Its catalog and parameters."""
    return opened(place)


@pytest.fixture
def catalog(settled: tuple) -> CatalogProtocol:
    return settled[0]


def saved(catalog: CatalogProtocol) -> dict[str, Path]:
    """Where the datasets of the finished run are that have versions; of the cycles, the last one's."""
    from kedro.framework.project import pipelines

    names = pipelines["active_learning"].datasets()
    names = {name for name in names if not name.startswith(("cycle_0", "cycle_1", "params:"))}
    kept = {name: catalog.get(name) for name in sorted(names)}
    kept = {name: kept[name] for name in kept if getattr(kept[name], "_version", None) and kept[name].exists()}
    return {name: Path(dataset._get_load_path()) for name, dataset in kept.items()}


def files(path: Path) -> list[Path]:
    return sorted(path.iterdir()) if path.is_dir() else [path]


def load(catalog: CatalogProtocol, name: str) -> Any:
    loaded = catalog.load(name)
    if name in ("pool", "test_pool", "features"):
        loaded.verify()  # as the beginning of every run does
    return loaded


def damage_in_turn(read: Callable, file: Path, bits: int, rng: np.random.Generator, said: dict, silent: set) -> None:
    content = file.read_bytes()
    try:
        for damage, changed in damages(content, file.suffix, bits, rng):
            where = f"{file.parent.name}/{file.name} {damage}"
            file.write_bytes(changed)
            try:
                read()
                silent.add(where)
            except Exception as error:
                said[where] = sentence(error)
    finally:
        file.write_bytes(content)


def fuzz(catalog: CatalogProtocol, bits: int, digests: bool) -> tuple[dict[str, str | None], set[str]]:
    """Damage each file, and return what is said of each damage, and which of them were read without a word."""
    said: dict[str, str | None] = {}
    silent, rng = set(), np.random.default_rng(0)
    for name, path in saved(catalog).items():
        sidecar = path.with_name(f"{path.name}.sha256")
        if not digests:
            sidecar.rename(sidecar.with_suffix(".aside"))
        try:
            for file in files(path)[:4]:
                damage_in_turn(partial(load, catalog, name), file, bits, rng, said, silent)
        finally:
            if not digests:
                sidecar.with_suffix(".aside").rename(sidecar)
    return said, silent


def check_all_are_told(catalog: CatalogProtocol, bits: int) -> None:
    said, silent = fuzz(catalog, bits, digests=True)
    assert silent == set()
    assert [told for told in said.values() if not told or ("damaged" not in told and "have changed" not in told)] == []
    assert all("remove" in told and "again" in told for told in said.values())


def check_older_runs_end_in_no_traceback(catalog: CatalogProtocol, bits: int) -> None:
    said, _ = fuzz(catalog, bits, digests=False)
    assert [where for where, told in said.items() if told is None] == []


def test_each_damaged_file_is_named_with_the_way_out(catalog: CatalogProtocol) -> None:
    check_all_are_told(catalog, FEW)


def test_damaged_files_without_digests_end_in_no_traceback(catalog: CatalogProtocol) -> None:
    check_older_runs_end_in_no_traceback(catalog, FEW)


@pytest.mark.slow
def test_many_bits_of_each_file_are_noticed(catalog: CatalogProtocol) -> None:
    check_all_are_told(catalog, MANY)


@pytest.mark.slow
def test_many_bits_of_each_file_without_digests_end_in_no_traceback(catalog: CatalogProtocol) -> None:
    check_older_runs_end_in_no_traceback(catalog, MANY)


READ = {  # what comparisons and predictions read of other runs
    "learning_curve.csv": lambda runs, model: runs["tiny"].read("learning_curve.csv"),
    "leak_check.parquet": lambda runs, model: runs["tiny"].read("leak_check.parquet"),
    "cycle_2/label_set.parquet": lambda runs, model: runs["tiny"].read("label_set.parquet", 2),
    "metrics.json": lambda runs, model: model("best"),
    "network.safetensors": lambda runs, model: model("last").network,
    "classes.json": lambda runs, model: model("last").classes,
    "configuration.json": lambda runs, model: model("last"),
}


@pytest.mark.parametrize("name", READ)
def test_another_runs_damaged_file_is_named(place: Path, settled: tuple, name: str) -> None:
    catalog, parameters = settled
    runs = catalog.load("runs")
    model = partial(find, runs, parameters, "tiny")
    plain = [path for path in (place / "data").glob(f"0[25678]*/**/{name}") if path.parent.parent.name != "versions"]
    file = versions.newest(sorted(path for path in plain if versions.newest(path))[-1])
    READ[name](runs, model)
    said: dict[str, str | None] = {}
    silent: set[str] = set()
    damage_in_turn(partial(READ[name], runs, model), file, FEW, np.random.default_rng(1), said, silent)
    assert silent == set()
    assert all(told and str(file) in told and "damaged" in told for told in said.values())


def flip(file: Path) -> None:
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 4
    file.write_bytes(content)


MIDDLE = {  # files in the middle of a run, each with its dataset: layer, folders
    "pool": ("02_intermediate", "pool_*", "pool"),
    "recorded_labels": ("02_intermediate", "pool_*", "recorded_labels.parquet"),
    "pretext_network": ("06_models", "pretext_*", "pretext_network.safetensors"),
    "pretext_loss": ("04_feature", "pretext_*", "pretext_loss.parquet"),
    "ranking": ("04_feature", "tiny", "ranking.parquet"),
    "cycle_0.label_set": ("05_model_input", "tiny", "cycle_0", "label_set.parquet"),
    "cycle_1.query": ("05_model_input", "tiny", "cycle_1", "query.parquet"),
    "cycle_1.network": ("06_models", "tiny", "cycle_1", "network.safetensors"),
    "cycle_2.answers": ("05_model_input", "tiny", "cycle_2", "answers.parquet"),
    "cycle_2.metrics": ("08_reporting", "tiny", "cycle_2", "metrics.json"),
}
HELPERS = {  # files that help, and what is in them: damaged, they are a warning
    "05_model_input/tiny/mlflow_run.json": b"",
    "08_reporting/tiny/timings.jsonl": b'{"stage": "pool", "node": "bu',
    "08_reporting/tiny/reads.jsonl": b'{"node": "pool.lab\0\0\0',
    "08_reporting/other/learning_curve.csv/2026-01-01T00.00.00.000Z/learning_curve.csv": b"",
    "08_reporting/strange/learning_curve.csv/2026-01-01T00.00.00.000Z/learning_curve.csv": b"a,b\n1,2\n",
    "04_feature/pretext_0/pretext_settings.json/2026-01-01T00.00.00.000Z/pretext_settings.json": b"{",
    "04_feature/pretext_0/pretext_loss.parquet/2026-01-01T00.00.00.000Z/pretext_loss.parquet": b"",
    "04_feature/pretext_1/pretext_loss.parquet/2026-01-01T00.00.00.000Z/pretext_loss.parquet": b"PAR1",
}


def hashes(project: Path) -> dict[str, bytes]:
    """Bytes of the newest version of each file in the middle of the run."""
    found = {name: newest(project, *folders) for name, folders in MIDDLE.items()}
    return {name: (path / "pool.json" if path.is_dir() else path).read_bytes() for name, path in found.items()}


def test_one_removed_file_has_its_node_run_again(place: Path, catalog: CatalogProtocol) -> None:
    from kedro.framework.project import pipelines

    for name, folders in MIDDLE.items():
        version = newest(place, *folders).parent
        version.rename(place / "aside")
        for dataset in catalog.values():
            dataset.release()  # it remembers its newest version
        try:
            unfinished = unfinished_nodes(pipelines["active_learning"], catalog)
        finally:
            (place / "aside").rename(version)
        assert name in {output for node in unfinished for output in node.outputs}


def test_a_comparisons_cell_whose_label_set_was_removed_is_run_again(place: Path, settled: tuple) -> None:
    catalog, parameters = settled
    runs, cell = catalog.load("runs"), SimpleNamespace(run="tiny", parameters=parse(parameters))
    assert comparison._finished(cell, runs)
    version = newest(place, "05_model_input", "tiny", "cycle_2", "label_set.parquet").parent
    copy = place / "data/05_model_input/tiny/cycle_2/label_set.parquet"
    version.rename(place / "aside")
    copy.rename(place / "copy")
    try:
        assert not comparison._finished(cell, runs)
    finally:
        (place / "aside").rename(version)
        (place / "copy").rename(copy)


def test_removed_damaged_files_are_made_again_the_same_and_helpers_end_nothing(
    finished: Path, copied: Path, caplog: pytest.LogCaptureFixture
) -> None:
    project = copied
    catalog, _ = opened(project)
    for name, folders in MIDDLE.items():
        path = newest(project, *folders)
        flip(path / "pool.json" if path.is_dir() else path)
        with pytest.raises(Exception, match="damaged") as told:
            catalog.load(name)
        assert f"remove {path.parent} and type the command again" in sentence(told.value)
        shutil.rmtree(path.parent)
    for name, content in HELPERS.items():
        file = project / "data" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.open("ab" if file.suffix == ".jsonl" else "wb") as damaged:
            damaged.write(content)
    own = newest(project, "04_feature", "pretext_[!01]*", "pretext_settings.json").parents[1]
    shutil.copytree(own, project / "data/04_feature/pretext_1/pretext_settings.json")
    with caplog.at_level(logging.WARNING, "pt4al"):
        run(project)
    assert hashes(project) == hashes(finished)
    assert tables(project) == tables(finished)
    for name in HELPERS:
        assert Path(name).name in caplog.text
    lines = (project / "data/08_reporting/tiny/timings.jsonl").read_bytes().splitlines()
    assert json.loads(lines[-1])["node"] == "write_report"


def test_files_of_a_run_from_before_have_no_digests_and_are_taken_as_they_are(place: Path, settled: tuple) -> None:
    catalog, parameters = settled
    sidecars = sorted((place / "data").rglob("*.sha256"))
    for sidecar in sidecars:
        sidecar.rename(sidecar.with_suffix(".aside"))
    try:
        for name in saved(catalog):
            catalog.load(name)
        assert find(catalog.load("runs"), parameters, "tiny", "last").network
    finally:
        for sidecar in sidecars:
            sidecar.with_suffix(".aside").rename(sidecar)
