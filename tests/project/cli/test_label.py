"""`kedro label`, typed again, has the link that it had, unless a port is typed; one that is taken is a sentence."""

import socket
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pytest
from click.testing import CliRunner, Result

from pt4al.annotation.aggregation import Policy
from pt4al.annotation.log import AnswerLog
from pt4al.annotation.queue import AnnotationQueue
from pt4al.annotation.web import link
from pt4al.annotation.web.server import Page
from pt4al.project.cli.commands import cli


def close(page: Page) -> None:
    page._server.server_close()


@pytest.fixture
def label(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """Types the command for a run without pictures; the page is served for no time."""
    queue = AnnotationQueue(AnswerLog(tmp_path / "answers"), pd.DataFrame({"id": ["i0"]}), Policy(), ["cat", "dog"])
    folder = SimpleNamespace(link_file=tmp_path / "page.json")
    run = SimpleNamespace(
        name="mine", cycle=0, cycles=3, command="kedro run", masks=False, folder=folder, progress=queue.progress
    )
    session = SimpleNamespace(queue=queue, picture=lambda image: b"", why=lambda image: None)
    monkeypatch.setattr("pt4al.project.cli.label.labelled_run", lambda *_: run)
    monkeypatch.setattr("pt4al.project.runs.labelling_session.open_session", lambda *_: session)
    monkeypatch.setattr(Page, "run", close)
    project = SimpleNamespace(project_path=tmp_path)
    return lambda *options: CliRunner().invoke(cli, ["label", *options], obj=project)


def test_the_link_stays_and_a_port_that_is_typed_wins(label, tmp_path):
    assert label().exit_code == 0
    first = link.read(tmp_path / "page.json")
    again = label()
    assert f"http://127.0.0.1:{first.port}/#{first.token}\n" in again.output
    assert link.read(tmp_path / "page.json") == first
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        typed = free.getsockname()[1]
    assert f":{typed}/#{first.token}\n" in label(f"--port={typed}").output
    assert f":{typed}/#{first.token}\n" in label().output
    assert label("--port=0").exit_code == 0
    assert link.read(tmp_path / "page.json").token == first.token


def test_the_page_is_told_which_round_of_how_many_this_is(label, monkeypatch):
    facts = []
    monkeypatch.setattr(Page, "run", lambda page: (facts.append(page.facts), close(page)))
    label()
    assert (facts[0]["title"], facts[0]["round"], facts[0]["rounds"]) == ("mine", 1, 3)


def test_a_port_that_is_taken_is_one_sentence(label, tmp_path):
    label()
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        link.keep(tmp_path / "page.json", link.Link(port, "t" * 32))
        refused = label()
        assert refused.exit_code == 1
        assert f"port {port} is taken" in refused.output
        assert len(refused.output.splitlines()) == 1
        assert label("--port=0").exit_code == 0
    assert label("--port=70000").exit_code == 2
