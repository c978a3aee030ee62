"""Labels that are likely wrong: found after each cycle, shown, and asked for once more where people want it."""

import hashlib
import shutil
from functools import partial
from pathlib import Path

import pandas as pd
import pytest

from pt4al.annotation.log import Answer
from pt4al.pipelines.options import GraphOptions
from pt4al.project.configuration.parsing import parse
from pt4al.project.runs.asked_query import AskedQuery
from pt4al.project.runs.folder import RunFolder
from pt4al.project.runs.graph_options import in_chapters, resolve
from pt4al.project.runs.history import Chapter, History
from pt4al.project.runs.labelled_run import LabelledRun, find_run
from support import people
from support.people import CLASSES, NAME, answer, go, log, table, write_photos
from support.projects import copy_project, make_project, newest, run, tiny

AGAIN = {"relabel": 0.3}


@pytest.fixture(scope="module")
def answered(tmp_path_factory: pytest.TempPathFactory, empty_store: Path) -> tuple[Path, pd.Series]:
    """A people's run that has finished cycle 0, and waits for the answers to a query that asks again."""
    folder = make_project(tmp_path_factory.mktemp("suspects"), empty_store)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        truth = write_photos(folder / "raw")
        go(folder, oracle=AGAIN)
        answer(folder, 0, truth.get)
        go(folder, oracle=AGAIN)
    return folder, truth


@pytest.fixture
def asking(answered: tuple, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, pd.Series]:
    project, truth = answered
    copy = copy_project(project, tmp_path / "project")
    monkeypatch.chdir(copy)
    return copy, truth


def suspects(project: Path, cycle: int) -> pd.DataFrame:
    return pd.read_parquet(newest(project, "07_model_output", NAME, f"cycle_{cycle}", "suspects.parquet"))


def waiting_run(project: Path) -> LabelledRun:
    return find_run(project / "data", NAME)


def asked_again(project: Path, cycle: int) -> list[str]:
    query = table(project, cycle, "query")
    return list(query["id"][query["role"] == "relabel"])


def other(label: str) -> str:
    return CLASSES[(CLASSES.index(label) + 1) % len(CLASSES)]


def test_a_share_of_the_budget_asks_again_for_suspicious_labels_none_of_them_a_control_image(asking: tuple) -> None:
    project, _ = asking
    query = table(project, 1, "query")
    again = asked_again(project, 1)
    found = suspects(project, 0)
    assert again
    assert again == list(found["id"][found["suspicious"]][: len(again)])
    assert len(again) <= 3
    assert (query["role"] != "reserve").sum() == 10
    measuring = table(project, 0, "label_set").query("why == 'control'")["id"]
    assert not set(found["id"]) & set(measuring)
    others = query[query["role"] != "relabel"]
    assert not set(others["id"]) & set(table(project, 0, "asked")["id"])
    waiting = waiting_run(project)
    assert waiting.progress().answered == 0
    assert not set(waiting.given["id"]) & set(again)  # so that a spreadsheet may say the same again


def test_the_page_is_told_what_a_doubtful_label_was_and_what_others_like_it_are_called(asking: tuple) -> None:
    project, truth = asking
    session = AskedQuery(waiting_run(project))
    image = asked_again(project, 1)[0]
    row = suspects(project, 0).set_index("id").loc[image]
    facts = session.queue.facts(image, "ada")["again"]
    assert (facts["label"], facts["suggested"]) == (truth[image], row["suggested"])
    why = session.why(image)
    assert why["sentence"].startswith(f"This was called {truth[image]}; the others like it are called ")
    assert [near["id"] for near in why["neighbours"]] == facts["near"]
    assert {near["label"] for near in why["neighbours"]} == {row["suggested"]}
    new = table(project, 1, "query").query("role == 'query'")["id"].iloc[0]
    assert "called" not in session.why(new)["sentence"]


def test_an_answer_to_a_doubtful_label_corrects_it_and_it_is_not_asked_for_a_third_time(asking: tuple) -> None:
    project, truth = asking
    first, *rest = asked_again(project, 1)
    answer(project, 1, truth.get)  # the new images
    assert f"{10 - 1 - len(rest)} of 10 answers" in go(project, oracle=AGAIN)
    log(project).add([Answer(id=first, label=other(truth[first]), annotator="ada", source="page")])
    log(project).add(Answer(id=image, label=truth[image], annotator="ada", source="page") for image in rest)
    assert "round 3 of 3: 0 of 10 answers" in go(project, oracle=AGAIN)
    labels = table(project, 1, "label_set").set_index("id")["label"]
    assert labels[first] == other(truth[first])
    assert (labels[rest] == truth[rest]).all()
    assert len(labels) == 10 + 10 - 1 - len(rest)
    curve = pd.read_csv(newest(project, "08_reporting", NAME, "learning_curve.csv"))
    assert list(curve["labels"]) == [10, 20]  # one that is given once more is paid for too
    page = newest(project, "08_reporting", NAME, "report.html").read_text()
    again = f"Of the 20 labels that are counted here {1 + len(rest)} were given once more"
    assert again in page
    answers = table(project, 1, "answers")
    assert answers["id"][answers["role"] == "correction"].tolist() == [first]
    assert not {first, *rest} & set(table(project, 2, "query")["id"])
    answer(project, 2, truth.get)
    log(project).add(Answer(id=image, label=None, annotator="ada", source="page") for image in asked_again(project, 2))
    assert go(project, oracle=AGAIN) == ""
    leaks = pd.read_parquet(newest(project, "08_reporting", NAME, "leak_check.parquet"))
    assert leaks["ok"].all(), leaks
    asked = table(project, 2, "asked").query("role == 'relabel'").set_index("cycle")
    assert set(asked.loc[[1], "state"]) == {"labelled"}
    assert set(asked.loc[[2], "state"]) == {"skipped"}
    assert "Labels to look at" in newest(project, "08_reporting", NAME, "report.html").read_text()


def test_an_older_run_gets_its_list_of_suspects_and_nothing_is_trained_again(
    asking: tuple, monkeypatch: pytest.MonkeyPatch
) -> None:
    project, _ = asking
    for place in project.glob(f"data/07_model_output/{NAME}/cycle_0/suspects.parquet*"):
        shutil.rmtree(place) if place.is_dir() else place.unlink()
    before = _hashes(project)
    with monkeypatch.context() as typed:  # its report alone needs no such list
        typed.setattr(people, "run", partial(run, pipeline="report"))
        go(project, oracle={"relabel": 0})
    assert "Labels to look at" not in newest(project, "08_reporting", NAME, "report.html").read_text()
    go(project, oracle={"relabel": 0})
    assert len(suspects(project, 0))
    after = _hashes(project)
    assert {path: after.get(path) for path in before} == before
    assert {Path(path).name for path in after.keys() - before.keys()} <= {"suspects.parquet", "suspects.parquet.sha256"}


def _hashes(project: Path) -> dict[str, str]:
    files = [path for path in project.glob(f"data/0[567]*/{NAME}/cycle_*/**/*") if path.is_file()]
    return {str(path.relative_to(project)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


@pytest.mark.parametrize(
    "changes, cycles",
    [
        ({}, set()),
        ({"report": {"suspects": True}}, {0, 1, 2}),
        ({"report": {"suspects": True}, "main": {"task": "segmentation", "network": "unet_small"}}, set()),
    ],
    ids=["recorded labels", "recorded labels, wanted", "masks"],
)
def test_recorded_labels_are_looked_at_only_if_somebody_wants_it(changes: dict, cycles: set, tmp_path: Path) -> None:
    if "main" in changes:
        changes = changes | {"pretext": {"network": "unet_small"}}
    _, options = resolve(parse(tiny(**changes)), tmp_path)
    assert options.suspects == cycles


def test_cycles_that_can_not_be_made_again_are_left_without_a_list_if_they_have_none(tmp_path: Path) -> None:
    before = {"query.measure": "margin", "query.strategy": "top"}
    after = before | {"query.measure": "entropy"}
    history = History((Chapter(0, 0, before, {}), Chapter(2, 2, after, {})))
    options = GraphOptions(3, people=True, suspects=frozenset(range(3)), relabels=True)
    folder = RunFolder(tmp_path, "mine")
    assert in_chapters(options, history, folder).suspects == {2}
    place = tmp_path / "07_model_output/mine/cycle_1/suspects.parquet/2026-01-01T00.00.00.000Z"
    place.mkdir(parents=True)
    (place / "suspects.parquet").touch()
    assert in_chapters(options, history, folder).suspects == {1, 2}
