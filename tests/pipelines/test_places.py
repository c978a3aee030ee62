"""A project is the same project from any of its folders, by any spelling of its paths, and after it has moved."""

import json
from pathlib import Path

import pytest

from pt4al.project.configuration.dotted import nested
from pt4al.project.configuration.identity import identity
from pt4al.project.configuration.parsing import parse
from pt4al.project.runs.folder import RunFolder
from support.projects import copy_project, kedro, run, tables, tiny, typed


def test_a_moved_project_goes_on_from_a_folder_in_it_by_another_spelling_of_its_path(
    finished: Path, tmp_path: Path, no_training: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    moved = copy_project(finished, tmp_path / "moved")
    monkeypatch.chdir(moved / "conf")
    run(moved, pool={"source": {"path": f"{moved}/data/01_raw/../01_raw/fashion_mnist/"}})
    assert Path.cwd() == moved / "conf"
    assert tables(moved) == tables(finished)
    pools = {path.name for path in (moved / "data/02_intermediate").iterdir()}
    assert pools == {path.name for path in (finished / "data/02_intermediate").iterdir()}


def test_a_run_written_down_with_another_spelling_still_matches(
    finished: Path, tmp_path: Path, no_training: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(finished)
    record = RunFolder(finished / "data", "tiny").configuration_file.read_text()
    folder = RunFolder(tmp_path, "tiny")
    copy = folder.configuration_file
    copy.parent.mkdir(parents=True)
    for spelling in ("./data/01_raw/fashion_mnist/", f"{finished}/data/01_raw/fashion_mnist"):
        copy.write_text(record.replace("data/01_raw/fashion_mnist", spelling))
        folder.claim(identity(parse(tiny(**nested(json.loads(record))))))


def test_a_name_that_looks_like_a_number_is_one_sentence(project: Path) -> None:
    done = typed(project, "run", "--env=tiny", "--pipelines=pool", "--params=run.name=007")
    assert done.exit_code == 1
    assert "`run.name` is 7: it must be text" in done.output
    assert "Traceback" not in done.output


def test_a_command_typed_in_a_folder_of_the_project_finds_its_data(project: Path) -> None:
    done = kedro("run", "--env=tiny", "--pipelines=pool", "--params=report.baselines=x", cwd=project / "conf")
    assert done.returncode == 0, done.stderr
    assert "1 threads" not in done.stderr + done.stdout
