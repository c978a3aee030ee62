"""`kedro cvat push` and `pull`, typed for a run that waits, against a stand-in for the server."""

from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pytest
from click.testing import CliRunner, Result
from PIL import Image

from pt4al.annotation.cvat import client
from pt4al.annotation.log import AnswerLog
from pt4al.project.cli.commands import cli
from support.cvat_server import PAT, StandIn, cvat_server
from support.labelled_runs import IDS, make_peoples_run, save

ASKED = IDS[:3]


@pytest.fixture
def known(monkeypatch: pytest.MonkeyPatch) -> Iterator[StandIn]:
    monkeypatch.setattr(client, "PAUSE", 0)
    with cvat_server() as standing:
        yield standing


@pytest.fixture
def typed(tmp_path: Path, known: StandIn, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Result]:
    """Types a command in a project whose run asks for three pictures."""
    for folder in ("conf/base", "conf/local", "raw"):
        (tmp_path / folder).mkdir(parents=True)
    for number, name in enumerate(IDS):
        Image.new("RGB", (8, 8), (20 * number, 0, 0)).save(tmp_path / "raw" / name)
    settings = {"run.name": "mine", "pool.source.path": str(tmp_path / "raw")}
    record = make_peoples_run(tmp_path, "mine", [], **settings)
    save(record / "cycle_0/query.parquet", pd.DataFrame({"id": ASKED, "role": "query"}))
    monkeypatch.setattr("pt4al.project.cli.runs.root", lambda project: tmp_path)
    monkeypatch.setenv("CVAT_TOKEN", PAT)
    monkeypatch.setenv("CVAT_URL", known.url)
    project = SimpleNamespace(project_path=tmp_path)
    return lambda command: CliRunner().invoke(cli, ["cvat", command], obj=project)


def test_what_is_pushed_and_finished_is_pulled(typed, known, tmp_path):
    first = typed("push")
    assert first.exit_code == 0, first.output
    assert "3 new images, 0 were there. Label them at http" in first.output
    assert "0 new images, 3 were there" in typed("push").output
    assert known.projects[1]["name"] == "pt4al mine"
    known.tag(101, 0, "cat")
    known.tag(101, 1, "dog")
    known.finish(101, "ada")
    pulled = typed("pull")
    assert pulled.exit_code == 0, pulled.output
    assert "task 1, job 101 (2.png): 0 classes were chosen" in pulled.output
    assert "2 new answers; 1 that can't be used. 2 of 3 answers." in pulled.output
    table = AnswerLog(tmp_path / "05_model_input/mine/answers").read()
    assert list(table[["id", "label", "annotator"]].itertuples(index=False, name=None)) == [
        ("0.png", "cat", "ada"),
        ("1.png", "dog", "ada"),
    ]


def test_without_a_token_it_is_said_where_one_is_looked_for(typed, monkeypatch):
    monkeypatch.delenv("CVAT_TOKEN")
    refused = typed("pull")
    assert refused.exit_code == 1
    assert (
        "no token for CVAT: set CVAT_TOKEN, or write conf/local/credentials.yml, cvat: {token: ...}" in refused.output
    )


def test_the_token_may_be_in_credentials(typed, known, tmp_path, monkeypatch):
    monkeypatch.delenv("CVAT_TOKEN")
    monkeypatch.delenv("CVAT_URL")
    written = f"cvat: {{url: '{known.url}', token: '{PAT}', organization: ours}}\n"
    (tmp_path / "conf/local/credentials.yml").write_text(written)
    assert typed("push").exit_code == 0
    assert known.headers[-1]["X-Organization"] == "ours"
