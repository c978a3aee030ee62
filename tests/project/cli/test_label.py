"""`kedro label`, typed again, has the link that it had, unless a port is typed; one that is taken is a sentence."""

import socket
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest
from click.testing import CliRunner, Result

from pt4al.annotation.web import link
from pt4al.project.cli.commands import cli
from pt4al.project.cli.label import has_screen, run_name
from pt4al.project.runs.folder import RunFolder
from pt4al.project.runs.labelling_loop import LabellingLoop, Order
from support.ports import free_port


def close(loop: LabellingLoop) -> None:
    loop.page._server.server_close()


@pytest.fixture
def label(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """Types the command for a run without pictures; the page is served for no time."""
    folder = RunFolder(tmp_path, "mine")
    folder.record.mkdir(parents=True)
    run = SimpleNamespace(name="mine", cycle=0, cycles=3, command="kedro run --env=people", masks=False, folder=folder)
    monkeypatch.setattr("pt4al.project.cli.label.labelled_run", lambda *_, **__: run)
    monkeypatch.setattr("pt4al.project.cli.label.root", lambda *_: tmp_path)
    usual = {"parameters": {"cycles": {"number": 5, "budget": 50}}}
    monkeypatch.setattr("pt4al.project.cli.label_command.loader", lambda *_: usual)
    monkeypatch.setattr(LabellingLoop, "serve", close)
    project = SimpleNamespace(project_path=tmp_path)
    return lambda *options: CliRunner().invoke(cli, ["label", *options], obj=project)


def test_the_link_stays_and_a_port_that_is_typed_wins(label, tmp_path):
    assert label().exit_code == 0
    first = link.read(tmp_path / "05_model_input/mine/page.json")
    again = label()
    assert f"http://127.0.0.1:{first.port}/#{first.token}\n" in again.output
    assert link.read(tmp_path / "05_model_input/mine/page.json") == first
    typed = free_port()
    assert f":{typed}/#{first.token}\n" in label(f"--port={typed}").output
    assert f":{typed}/#{first.token}\n" in label().output
    assert label("--port=0").exit_code == 0
    assert link.read(tmp_path / "05_model_input/mine/page.json").token == first.token


@pytest.fixture
def orders(label: Callable[..., Result], monkeypatch: pytest.MonkeyPatch) -> list[Order]:
    """The runs that commands are about."""
    found: list[Order] = []
    monkeypatch.setattr(LabellingLoop, "serve", lambda loop: (found.append(loop.order), close(loop)))
    return found


def test_a_folder_of_pictures_and_classes_are_all_that_must_be_typed(label, orders, tmp_path):
    (tmp_path / "My photos").mkdir()
    assert label(f"--images={tmp_path / 'My photos'}", "--classes=cat/dog").exit_code == 0
    assert orders[0].name == "My-photos"
    assert orders[0].arguments == [
        "--pipelines=active_learning",
        "--env=people",
        f"--params=run.name=My-photos,pool.source.path={tmp_path / 'My photos'},oracle.kind=people,"
        "oracle.classes=cat/dog",
    ]


def test_what_else_is_typed_becomes_settings_of_the_run(label, orders, tmp_path):
    more = ["--budget=10/20", "--cycles=2", "--annotators=3", "--params=query.measure=entropy", "--env=tiny"]
    label(f"--images={tmp_path}", "--run=other", *more)
    assert orders[0].name == "other"
    assert orders[0].arguments[1] == "--env=tiny"
    for setting in ("cycles.budget=10/20", "cycles.number=2", "oracle.annotators=3", "query.measure=entropy"):
        assert setting in orders[0].arguments[2]


@pytest.mark.parametrize(("folder", "name"), [("2020", "run-2020"), ("on", "run-on"), ("2020-trip", "2020-trip")])
def test_folder_whose_name_would_be_no_text_gives_a_run_a_name(folder, name):
    assert run_name(f"/photos/{folder}") == name


@pytest.mark.parametrize(
    "typed, rule",
    [
        (["--annotators=3"], "majority"),
        (["--annotators=1"], None),
        (["--annotators=3", "--params=oracle.disagreement=consensus"], "consensus"),
        (["--annotators=3", "--params=cycles.budget=9,oracle.relabel=0.1"], None),
    ],
)
def test_of_several_annotators_the_majority_counts_unless_something_else_is_typed(label, orders, tmp_path, typed, rule):
    label(f"--images={tmp_path}", "--run=other", *typed)
    settings = orders[0].arguments[2]
    assert settings.count("oracle.disagreement=") == (rule is not None)
    assert rule is None or f"oracle.disagreement={rule}" in settings


def test_a_small_folder_is_asked_for_half_of_its_pictures_and_its_run_keeps_that_number(label, orders, tmp_path):
    photos = tmp_path / "photos"
    (photos / "album").mkdir(parents=True)
    for number in range(200):
        (photos / f"album/{number}.JPG").touch()
    (photos / "notes.txt").touch()
    typed = label(f"--images={photos}", "--classes=cat/dog")
    assert typed.output.splitlines()[0] == "5 rounds of 20 labels: --budget and --cycles say otherwise."
    assert ",cycles.budget=20" in orders[0].command
    label(f"--images={photos}", "--cycles=2")
    assert "cycles.budget" not in orders[1].command  # 200 pictures are enough for twice 50
    for typed in ("--budget=70", "--params=cycles.budget=70"):
        label(f"--images={photos}", typed)
        assert orders[-1].command.count("cycles.budget") == 1
    RunFolder(tmp_path, "photos").begin({"cycles.budget": 20})
    for number in range(500):
        (photos / f"{number}.png").touch()
    label(f"--images={photos}", "--classes=cat/dog")
    assert orders[-1].command == orders[0].command


def test_a_run_goes_on_to_more_rounds_by_its_name_alone(label, orders, monkeypatch):
    monkeypatch.setattr("pt4al.project.runs.labelling_loop.is_finished", lambda run: True)
    refused = label()
    assert refused.exit_code == 1
    assert (
        refused.output == "Error: run 'mine' has all its labels; for another round: kedro label --run=mine --cycles=4\n"
    )
    assert label("--cycles=4").exit_code == 0
    assert orders[0].arguments == ["--env=people", "--params=cycles.number=4"]


def test_without_a_folder_the_run_that_was_typed_last_goes_on_by_its_own_command(label, orders):
    label()
    assert (orders[0].name, orders[0].command) == ("mine", "kedro run --env=people")


def test_what_would_be_misunderstood_is_a_sentence(label, tmp_path):
    (tmp_path / "a,b").mkdir()
    for typed, told in {
        ("--classes=cat/dog",): "--classes is for a new run: say --images",
        ("--images=/nonesuch/photos",): "/nonesuch/photos: no such file or folder (--images)",
        (f"--images={tmp_path / 'a,b'}",): "has a comma",
        ("--images=~nobody-here/photos",): "there is no such home folder",
        ("--images=/",): "gives the run no name: say one, --run=...",
        (f"--images={tmp_path}", "--once"): "--once is for a run that is there",
    }.items():
        refused = label(*typed)
        assert refused.exit_code == 1
        assert told in refused.output
        assert len(refused.output.splitlines()) == 1


def test_no_browser_is_opened_where_nobody_sees_it(monkeypatch):
    assert not has_screen()  # a test's output is no terminal
    monkeypatch.setattr("sys.stdout", SimpleNamespace(isatty=lambda: True))
    monkeypatch.setenv("DISPLAY", ":0")
    monkeypatch.delenv("SSH_CONNECTION", raising=False)
    assert has_screen()
    monkeypatch.setenv("SSH_CONNECTION", "1.2.3.4")
    assert not has_screen()


def test_a_port_that_is_taken_is_one_sentence(label, tmp_path):
    label()
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        link.keep(tmp_path / "05_model_input/mine/page.json", link.Link(port, "t" * 32))
        refused = label()
        assert refused.exit_code == 1
        assert f"port {port} is taken" in refused.output
        assert len(refused.output.splitlines()) == 1
        assert label("--port=0").exit_code == 0
    assert label("--port=70000").exit_code == 2
