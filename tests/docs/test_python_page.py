"""The code on docs/python.md does what it says."""

import textwrap
from pathlib import Path

import pytest

from support.projects import ROOT


def code() -> str:
    """All indented blocks of the page, one after the other."""
    lines = (ROOT / "docs" / "python.md").read_text(encoding="utf-8").splitlines()
    return textwrap.dedent("\n".join(line for line in lines if line.startswith("    ") or not line))


def test_the_pages_code_runs_from_top_to_bottom(finished_once: Path, monkeypatch: pytest.MonkeyPatch, capsys) -> None:
    monkeypatch.chdir(finished_once)
    names: dict = {}
    exec(compile(code().replace('"default"', '"tiny", env="tiny"'), "docs/python.md", "exec"), names)
    assert len(set(names["best"].tolist())) == 10
    assert not set(names["best"].tolist()) & set(names["first"].tolist())
    assert names["losses"].shape == (64,)
    assert "FinishedRun('tiny', 3 cycles, 60 labels)" in capsys.readouterr().out
    assert len(names["pictures"]) == len(names["query"])
