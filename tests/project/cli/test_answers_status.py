"""`kedro answers status`: how far a run is, and how far people agree, also when all is answered."""

import shutil
from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pytest
from click.testing import CliRunner

from pt4al.project.cli.commands import cli
from support.labelled_runs import IDS, make_peoples_run, save, say
from support.projects import ROOT


@pytest.fixture
def status(tmp_path: Path) -> str:
    """What is said of a finished run whose images three people have labelled."""
    shutil.copytree(ROOT / "conf", tmp_path / "conf")
    rows = [(image, "cat", 0, "random") for image in IDS]
    record = make_peoples_run(tmp_path / "data", "peoples", rows, **{"cycles.number": 1})
    say(record, dict.fromkeys(IDS, "cat"), who="bob")
    say(record, {**dict.fromkeys(IDS, "cat"), IDS[0]: "dog", IDS[1]: "dog"}, who="cy")
    save(record / "cycle_0/answers.parquet", pd.DataFrame({"id": IDS, "label": "cat"}))
    done = CliRunner().invoke(cli, ["answers", "status"], obj=SimpleNamespace(project_path=tmp_path))
    assert done.exit_code == 0, done.output
    return done.output


def test_annotators_and_disputed_images_are_named_when_all_is_answered(status: str):
    assert "Run peoples: all rounds have their answers." in status
    assert "3 people labelled 10 images in common and agree on 80 % of them" in status
    assert "cy: as most of the others on 80 % of 10 images (49 to 94); 'dog' where they say 'cat': 2" in status
    assert "They differ on 2 images, 0 of them ties:" in status
    assert "  0.png: cat (ada, bob), dog (cy); taken: dog" in status
