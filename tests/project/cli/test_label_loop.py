"""The whole loop as it is typed: a folder of pictures, two rounds, killed between them, and the report."""

import json
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from support import browser
from support.people import CLASSES, write_photos
from support.projects import make_project

SHORT = (
    "pool.limit.train=null,pool.limit.test=null,pretext.schedule.epochs=1,"
    "pretext.schedule.minimum_steps=3,main.schedule.epochs=1,main.schedule.minimum_steps=3"
)
# Types a command, and does not wait for seconds in which the last answer can be taken back.
COMMAND = """
import sys
from functools import partial
from kedro.framework.cli.cli import main
from pt4al.project.runs import labelling_loop

labelling_loop.LabellingLoop = partial(labelling_loop.LabellingLoop, grace=0.1)
sys.argv = ["kedro", *sys.argv[1:]]
main()
"""
TYPED = ["--classes=" + "/".join(CLASSES), "--env=tiny", "--budget=5", "--cycles=2", f"--params={SHORT}"]
ADA = {"annotator": "Ada"}


class Typed:
    """`kedro label`, typed in a project."""

    def __init__(self, project: Path, *options: str):
        command = [sys.executable, "-c", COMMAND, "label", "--no-open", *options]
        self.process = subprocess.Popen(command, cwd=project, stdout=subprocess.PIPE, text=True)
        line = self.process.stdout.readline()
        self.link = line.split()[-1]
        self.place, self.token = self.link.split("#")

    def ask(self, path: str, body: dict | None = None) -> dict[str, Any]:
        data = None if body is None else json.dumps(body).encode()
        headers = {"X-Token": self.token, "Content-Type": "application/json"}
        request = urllib.request.Request(self.place.rstrip("/") + path, data, headers)
        with urllib.request.urlopen(request) as reply:
            return json.load(reply)

    def reach(self, **stage: Any) -> dict[str, Any]:
        browser.wait(lambda: stage.items() <= self.ask("/api/stage").items())
        return self.ask("/api/stage")

    def answer_all(self, truth: dict[str, str]) -> None:
        image = self.ask("/api/next", ADA)["image"]
        while image is not None:
            label = {"image": image["id"], "label": truth[image["id"]], "key": image["id"], "next": True}
            image = self.ask("/api/answer", ADA | label)["image"]

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()


@pytest.fixture
def project(tmp_path: Path, empty_store: Path) -> Path:
    return make_project(tmp_path, empty_store)


@pytest.fixture
def kedro_label(project: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], Typed]]:
    """Types the command, and ends it with the test. A round takes as long as it takes."""
    monkeypatch.setattr(browser, "PATIENCE", 300.0)
    typed: list[Typed] = []

    def start() -> Typed:
        typed.append(Typed(project, "--images=photos", *TYPED))
        return typed[-1]

    yield start
    for one in typed:
        one.kill()


@pytest.mark.external
def test_a_folder_of_pictures_is_labelled_to_its_report_by_one_command(project, kedro_label):
    truth = write_photos(project / "photos").to_dict()
    first = kedro_label()
    first.reach(state="asking", round=1)
    first.answer_all(truth)
    first.kill()
    again = kedro_label()
    assert again.link == first.link
    again.reach(state="asking", round=2)
    assert again.ask("/api/start")["title"] == "photos"
    image = again.ask("/api/next", ADA)["image"]["id"]
    assert again.ask(f"/api/why?image={image}")["why"]["sentence"]
    again.answer_all(truth)
    stage = again.reach(state="finished")
    assert stage["lines"][0].startswith("Too early to say: ")
    assert stage["command"].startswith("kedro run --pipelines=predict --params=run.name=photos,predict.path=")
    with urllib.request.urlopen(again.place.rstrip("/") + stage["report"]) as reply:
        assert b"Active learning run photos" in reply.read()
    again.process.send_signal(2)
    assert again.process.wait() == 0


@pytest.mark.external
def test_a_folder_without_pictures_is_one_sentence_and_leaves_no_run(project, kedro_label):
    (project / "photos").mkdir()
    assert kedro_label().process.wait() == 1
    assert not (project / "data/05_model_input/photos").exists()
