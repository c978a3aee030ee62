"""Label, train, label on: what the loop does between the answers, with a run's command that is played."""

import json
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from pt4al.annotation.log import Answer
from pt4al.annotation.web.server import ASKING, FAILED, FINISHED, WORKING, Page
from pt4al.errors import InputError
from pt4al.files import records
from pt4al.project.runs import labelling_loop
from pt4al.project.runs.labelling_loop import LabellingLoop, Order
from pt4al.project.runs.training_process import WAITS, Work
from support.browser import wait

VERSION = "2026-01-01T00.00.00.000Z"
COMMAND = "kedro run --pipelines=active_learning --env=people --params=run.name=mine,oracle.classes=cat/dog"


class Played:
    """A run's command of two rounds: it asks for two images, takes the answers, and leaves a report."""

    status = WAITS
    message = ""

    def __init__(self, project: Path, arguments: list[str], watch: Callable[[Work], None]):
        self.folder = Order(project, project, "mine", COMMAND).folder
        self.stopped = threading.Event()
        Played.started.append(self)
        watch(Work("Training the model", 3, 10))

    def wait(self) -> int:
        if Played.holds:
            self.stopped.wait()
            return 130
        if Played.status != WAITS:
            return Played.status
        folder = self.folder
        oracle = {"annotators": 1, "disagreement": "latest", "skipped": "replace", "classes": ["cat", "dog"]}
        settings = {
            "cycles.number": 2,
            "main.task": "classification",
            "pool.source.kind": "auto",
            "pool.source.path": "x",
        }
        records.write(folder.configuration_file, settings)
        records.write(folder.policies_file, {"command": COMMAND, "oracle": oracle})
        cycle = folder.open_cycle(2)
        if folder.newest("query.parquet", cycle) is not None:
            labels = folder.answer_log.read()[["id", "label"]]
            save(folder.record / f"cycle_{cycle}/answers.parquet", labels)
            save(folder.record / f"cycle_{cycle}/label_set.parquet", labels)
            save(folder.record / f"cycle_{cycle}/asked.parquet", labels)
            cycle += 1
        if cycle == 2:
            return self.finish()
        save(folder.record / f"cycle_{cycle}/query.parquet", pd.DataFrame({"id": [f"{cycle}a", f"{cycle}b"]}))
        return WAITS

    def finish(self) -> int:
        (self.folder.reports / "cycle_1").mkdir(parents=True)
        (self.folder.reports / "cycle_1/metrics.json").write_text("{}")
        verdict = {"lead": "20 to 90 %", "rest": "accuracy with 4 labels", "interval": "", "outcome": None, "note": ""}
        (self.folder.reports / "verdict.json").write_text(json.dumps(verdict))
        intake = self.folder.reports.parent / "pool_1/intake.html"
        intake.parent.mkdir()
        intake.write_text("<p>Intake</p>")
        (self.folder.reports / "report.html").write_text('<a href="../pool_1/intake.html">')
        (self.folder.reports / "map.html").write_text("<p>Map</p>")
        return 0

    def stop(self) -> None:
        self.stopped.set()


def save(path: Path, table: pd.DataFrame) -> None:
    (path / VERSION).mkdir(parents=True)
    table.to_parquet(path / VERSION / path.name)


@pytest.fixture
def played(monkeypatch: pytest.MonkeyPatch) -> type[Played]:
    monkeypatch.setattr(Played, "started", [], raising=False)
    monkeypatch.setattr(Played, "holds", False, raising=False)
    monkeypatch.setattr(labelling_loop, "TrainingProcess", Played)
    return Played


class Served:
    """A loop that is served in a thread."""

    def __init__(self, folder: Path):
        self.said: list[str] = []
        self.page = Page(facts={"goes_on": True})
        order = Order(folder, folder, "mine", COMMAND)
        self.loop = LabellingLoop(order, self.page, {"goes_on": True}, self.said.append, grace=0)
        self.error: BaseException | None = None
        self.thread = threading.Thread(target=self.run)
        self.thread.start()

    def run(self) -> None:
        try:
            self.loop.serve()
        except InputError as error:
            self.error = error

    def reach(self, **stage: Any) -> dict[str, Any]:
        wait(lambda: stage.items() <= self.page.stage_of({}).items())
        return self.page.stage_of({})

    def answer(self, cycle: int) -> None:
        log = self.loop.order.folder.answer_log
        log.add([Answer(id=f"{cycle}{one}", label="cat", annotator="ada", source="page") for one in "ab"])

    def end(self) -> None:
        self.page.stop()
        self.thread.join()


@pytest.fixture
def serve(tmp_path: Path, played: type[Played]) -> Iterator[Callable[[], Served]]:
    served: list[Served] = []

    def start() -> Served:
        served.append(Served(tmp_path))
        return served[-1]

    yield start
    for one in served:
        if one.thread.is_alive():
            one.end()


def test_each_round_is_asked_for_in_the_same_page_until_the_report_is_there(serve, played):
    served = serve()
    served.reach(state=ASKING, round=1)
    assert [*served.page.queue.progress().images["id"]] == ["0a", "0b"]
    served.answer(0)
    served.reach(state=ASKING, round=2)
    assert [*served.page.queue.progress().images["id"]] == ["1a", "1b"]
    assert served.page.facts["goes_on"]
    served.answer(1)
    stage = served.reach(state=FINISHED)
    assert stage["lines"] == ["20 to 90 % accuracy with 4 labels."]
    key = stage["report"].partition("key=")[2]
    assert f'href="/report?key={key}'.encode() in served.page.report({"key": key})
    assert served.page.report({"key": key, "page": "map.html"}) == b"<p>Map</p>"
    assert served.page.report({"key": key, "page": "../pool_1/intake.html"}) == b"<p>Intake</p>"
    assert len(played.started) == 3
    assert served.said[0] == "Round 1 of 2: 0 of 2 answers."
    predict = "kedro run --pipelines=predict --params=run.name=mine,predict.path=x"
    assert stage["command"] == predict
    assert [line.partition(": ")[2] for line in served.said if ": " in line][-4:] == [
        "20 to 90 % accuracy with 4 labels.",
        (served.loop.order.folder.reports / "report.html").as_uri(),
        predict,
        "kedro label --run=mine --cycles=3",
    ]
    assert served.said[-1] == "2 of 2 rounds done. Ctrl-C ends the page."


def test_a_query_that_waits_is_asked_at_once_without_its_command(serve, played):
    first = serve()
    first.reach(state=ASKING, round=1)
    first.end()
    again = serve()
    again.reach(state=ASKING, round=1)
    assert len(played.started) == 1


def test_answers_that_were_there_when_it_was_killed_are_trained_on_first(serve, played):
    first = serve()
    first.reach(state=ASKING, round=1)
    first.end()
    first.answer(0)
    serve().reach(state=ASKING, round=2)
    assert len(played.started) == 2


def test_a_finished_run_shows_its_result_again_and_trains_nothing(serve, played):
    first = serve()
    for cycle in range(2):
        first.reach(state=ASKING, round=cycle + 1)
        first.answer(cycle)
    first.reach(state=FINISHED)
    first.end()
    serve().reach(state=FINISHED)
    assert len(played.started) == 3


def test_an_error_of_the_command_is_one_sentence_on_the_page_and_in_the_terminal(serve, played, monkeypatch):
    monkeypatch.setattr(Played, "status", 1)
    monkeypatch.setattr(Played, "message", "no picture in x")
    served = serve()
    assert served.reach(state=FAILED)["text"] == "no picture in x"
    served.thread.join()
    assert str(served.error) == "no picture in x"


def test_ending_the_page_ends_the_command_and_waits_for_it(serve, played, monkeypatch):
    monkeypatch.setattr(Played, "holds", True)
    served = serve()
    assert served.reach(state=WORKING, text="Training the model")["total"] == 10
    served.end()
    assert played.started[0].stopped.is_set()
    assert served.error is None


def test_the_link_is_kept_as_soon_as_there_is_a_run(serve):
    served = serve()
    served.reach(state=ASKING, round=1)
    wait(served.loop.order.folder.link_file.exists)


def test_the_order_of_settings_makes_no_other_run(tmp_path):
    order = Order(tmp_path, tmp_path, "mine", COMMAND)
    same = "kedro run --pipelines=active_learning --env=people --params=oracle.classes=cat/dog,run.name=mine"
    assert order.is_of(type("Run", (), {"command": same}))
    assert not order.is_of(type("Run", (), {"command": same + ",cycles.budget=7"}))
