"""`kedro answers status` speaks of a run that has all its answers, too."""

from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pytest
from click.testing import CliRunner

from pt4al.project.cli.commands import cli
from support.labelled_runs import IDS, make_peoples_run, save


def test_a_run_that_has_all_its_answers_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [(IDS[0], "cat", 0, "random"), (IDS[1], "dog", 1, "margin")]
    record = make_peoples_run(tmp_path, "mine", rows)
    for cycle in range(2):
        save(record / f"cycle_{cycle}/answers.parquet", pd.DataFrame({"id": [IDS[cycle]], "label": ["cat"]}))
    monkeypatch.setattr("pt4al.project.cli.runs.root", lambda *_: tmp_path)
    said = CliRunner().invoke(cli, ["answers", "status"], obj=SimpleNamespace(project_path=tmp_path))
    assert said.exit_code == 0, said.output
    assert said.output.splitlines()[0] == "Run mine: all rounds have their answers."
