"""CVAT without its server: a stand-in after its schema is talked to; no real one was."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from pt4al import masks
from pt4al.annotation.aggregation import Policy, aggregate
from pt4al.annotation.cvat import client, sync
from pt4al.annotation.cvat.client import Cvat
from pt4al.annotation.cvat.rle import encode
from pt4al.annotation.cvat.sync import Project, pull, push
from pt4al.annotation.log import AnswerLog
from pt4al.errors import InputError
from support.cvat_server import LEGACY, PAT, StandIn, cvat_server, png

CLASSES = ["cat", "dog", "été & <b>"]
IDS = ["a/1.png", "ä 2.png", "3", "00004", "5"]
MINE = Project("mine", CLASSES)


@pytest.fixture
def known() -> Iterator[StandIn]:
    with cvat_server() as standing:
        yield standing


@pytest.fixture
def server(known: StandIn) -> Iterator[Cvat]:
    with Cvat(known.url, PAT) as talking:
        yield talking


@pytest.fixture(autouse=True)
def hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "PAUSE", 0)
    monkeypatch.setattr(sync, "JOB", 2)


@pytest.fixture
def log(tmp_path: Path) -> AnswerLog:
    return AnswerLog(tmp_path)


def images(*ids: str) -> pd.DataFrame:
    return pd.DataFrame({"id": list(ids)})


def picture(image: str) -> bytes:
    return png(sum(image.encode()))


def pushed(server: Cvat, known: StandIn, *ids: str, project: Project = MINE) -> list[int]:
    """Push images; return the jobs that are new."""
    before = set(known.jobs)
    push(server, project, images(*ids), picture)
    return [job for job in known.jobs if job not in before]


def labels(log: AnswerLog) -> dict[str, object]:
    table = aggregate(log.read(), Policy())
    return {image: None if pd.isna(label) else label for image, label in zip(table["id"], table["label"], strict=True)}


def test_a_push_makes_a_project_with_labels_and_a_task_with_the_pictures_in_order(server, known):
    result = push(server, MINE, images(*IDS), picture)
    assert (result.project, result.new, result.known) == (f"{known.url}/projects/1", 5, 0)
    assert [(label["name"], label["type"]) for label in known.labels.values()] == [(name, "tag") for name in CLASSES]
    assert [content for _, content in known.sorted(1)] == [picture(image) for image in IDS]
    assert [(job["start_frame"], job["stop_frame"]) for job in known.jobs.values()] == [(0, 1), (2, 3), (4, 4)]
    assert known.tasks[1]["name"] == "mine 1"
    assert "a_1_png" in known.frames[1][0]["name"]
    assert all(frame["name"].isascii() for frame in known.frames[1])


def test_a_push_may_be_typed_again_and_adds_what_is_new_alone(server, known):
    push(server, MINE, images(*IDS[:3]), picture)
    assert push(server, MINE, images(*IDS[:3]), picture).new == 0
    assert len(known.tasks) == 1
    result = push(server, MINE, images(*IDS, IDS[4]), picture)
    assert (result.new, result.known) == (2, 3)
    assert {name: len(frames) for name, frames in known.frames.items()} == {1: 3, 2: 2}


def test_a_class_that_is_new_is_added_to_the_project(server, known):
    push(server, MINE, images(*IDS), picture)
    push(server, Project("mine", [*CLASSES, "bird"]), images(*IDS), picture)
    assert [label["name"] for label in known.labels.values()] == [*CLASSES, "bird"]


def test_a_project_of_the_other_task_is_refused(server, known):
    push(server, MINE, images(*IDS), picture)
    with pytest.raises(InputError, match="is for 'tag', not for 'mask'"):
        push(server, Project("mine", CLASSES, masks=True), images(*IDS), picture)


def test_another_project_is_left_alone(server, known, log):
    for number in range(3):
        push(server, Project(f"other {number}", ["cat"]), images("x"), picture)
    push(server, MINE, images(*IDS), picture)
    assert [project["name"] for project in known.projects.values()] == ["other 0", "other 1", "other 2", "mine"]
    known.tag(101, 0, "cat")
    known.finish(101)
    assert pull(server, MINE, [*IDS, "x"], log)[0] == 0


def test_large_pictures_go_in_several_requests(server, known, monkeypatch):
    monkeypatch.setattr(client, "FORMS", 2 * len(picture("3")))
    push(server, MINE, images(*IDS), picture)
    assert known.asked.count(("POST", "/api/tasks/1/data/")) == 5  # start, three forms, finish
    assert len(known.frames[1]) == 5


def test_finished_jobs_are_taken_in_and_others_wait(server, known, log):
    first, second, _ = pushed(server, known, *IDS)
    known.tag(first, 0, "cat")
    known.tag(first, 1, "été & <b>")
    known.tag(second, 2, "dog")
    known.finish(first, "ada")
    new, problems = pull(server, MINE, IDS, log)
    assert (new, len(problems)) == (2, 0)
    table = log.read()
    assert dict(zip(table["id"], table["label"], strict=True)) == {"a/1.png": "cat", "ä 2.png": "été & <b>"}
    assert set(table["annotator"]) == {"ada"}
    assert set(table["source"]) == {"cvat"}
    assert pull(server, MINE, IDS, log)[0] == 0


def test_a_removed_frame_is_a_skip(server, known, log):
    job = pushed(server, known, "3", "5")[0]
    known.tag(job, 0, "cat")
    known.tag(job, 1, "dog")
    known.removed[1] = [1]
    known.finish(job)
    assert pull(server, MINE, IDS, log)[0] == 2
    assert labels(log) == {"3": "cat", "5": None}
    assert pull(server, MINE, IDS, log)[0] == 0


def test_what_is_corrected_back_and_forth_is_read_each_time(server, known, log):
    job = pushed(server, known, "3", "5")[0]
    known.tag(job, 1, "dog")
    for name in ("cat", "dog", "cat"):
        known.tag(job, 0, name)
        known.finish(job, "ada")
        pull(server, MINE, IDS, log)
        known.finish(job, state="in progress")
        assert pull(server, MINE, IDS, log)[0] == 0
        assert labels(log) == {"3": name, "5": "dog"}
    assert len(log.read()) == 4  # what stays is not written again


def test_an_image_that_is_asked_for_again_is_shown_again_once_a_cycle_and_the_same_answer_counts(server, known, log):
    first = pushed(server, known, "3", "5")[0]
    for frame in (0, 1):
        known.tag(first, frame, "cat")
    known.finish(first)
    pull(server, MINE, IDS, log)
    again = pd.DataFrame({"id": ["3", "5", "00004"], "again": [2, 0, 0]})
    assert [push(server, MINE, again, picture).new for _ in range(2)] == [2, 0]
    second = max(known.jobs)
    known.tag(second, 0, "cat")
    known.tag(second, 1, "dog")
    known.finish(second)
    new, problems = pull(server, MINE, IDS, log, cycles=3)
    assert (new, len(problems)) == (2, 0)
    assert list(log.read()["id"]) == ["3", "5", "3", "00004"]


def test_several_people_get_replicas_and_the_merged_job_is_nobodys(server, known, log):
    parent, *replicas = pushed(server, known, "3", "5", project=Project("mine", CLASSES, annotators=2))
    assert known.tasks[1]["consensus_replicas"] == 2
    for job, who, name in zip((parent, *replicas), ("boss", "ada", None), ("dog", "cat", "cat"), strict=True):
        known.tag(job, 0, name)
        known.tag(job, 1, name)
        known.finish(job, who)
    assert pull(server, MINE, IDS, log)[0] == 4
    assert set(log.read()["annotator"]) == {"ada", f"CVAT job {replicas[1]}"}
    table = aggregate(log.read(), Policy(annotators=2, disagreement="consensus"))
    assert list(table["label"]) == ["cat", "cat"]


def test_what_can_not_be_used_is_told_by_picture(server, known, log):
    first, second, third = pushed(server, known, *IDS)
    known.tag(first, 0, "cat", "dog")
    known.tag(second, 2, "dog", "dog")
    known.tag(second, 3, "dog")
    known.tag(third, 4, "cat")
    for job in (first, second, third):
        known.finish(job)
    for label in known.labels.values():
        if label["name"] == "cat":
            label["name"] = "Katze"
    new, problems = pull(server, MINE, IDS[:3], log)
    assert new == 1
    assert labels(log) == {"3": "dog"}
    told = dict(zip(problems["job"].astype(str) + " " + problems["id"], problems["problem"], strict=True))
    assert "label 'Katze' is no class" in told[f"{first} a/1.png"]
    assert "0 classes were chosen" in told[f"{first} ä 2.png"]
    assert "is not in this run's queries" in problems[problems["id"] == "None"]["problem"].iloc[0]
    assert len(problems) == 4


def test_two_tags_are_told_of(server, known, log):
    job = pushed(server, known, "3")[0]
    known.tag(job, 0, "cat", "dog")
    known.finish(job)
    assert "2 classes ('cat', 'dog')" in pull(server, MINE, IDS, log)[1]["problem"].iloc[0]


def test_masks_are_painted_one_over_the_other(server, known, log):
    project = Project("mine", CLASSES, masks=True)
    job = pushed(server, known, "3", project=project)[0]
    left = np.zeros((6, 8), bool)
    left[1:5, 0:4] = True
    right = np.zeros((6, 8), bool)
    right[2:4, 3:8] = True
    known.paint(job, 0, "dog", encode(right), z_order=1)
    known.paint(job, 0, "cat", encode(left), z_order=0)
    known.finish(job)
    assert pull(server, project, IDS, log, (6, 8))[0] == 1
    mask = masks.decode(log.mask(log.read()["label"].iloc[0]))
    expected = np.where(right, 1, np.where(left, 0, masks.IGNORED))
    assert (mask == expected).all()
    assert {label["type"] for label in known.labels.values()} == {"mask"}


ODD = {
    "nothing": ({}, "nothing is painted"),
    "a polygon": ({"type": "polygon", "points": [0.5, 1, 2, 3, 4, 5]}, "only masks can be read"),
    "out of the picture": ({"points": [0, 2, 7, 0, 8, 0]}, "does not fit an image of 6 x 8"),
    "a run too long": ({"points": [0, 9, 0, 0, 1, 1]}, "4 were expected"),
    "no pixel": ({"points": [4, 0, 0, 1, 1]}, "covers no pixel"),
}


@pytest.mark.parametrize("changed, told", ODD.values(), ids=ODD)
def test_a_mask_that_is_none_is_told_of(server, known, log, changed, told):
    project = Project("mine", CLASSES, masks=True)
    job = pushed(server, known, "3", project=project)[0]
    if changed:
        known.paint(job, 0, "cat", **{"points": [0, 1, 0, 0, 0, 0], **changed})
    known.finish(job)
    new, problems = pull(server, project, IDS, log, (6, 8))
    assert new == 0
    assert told in problems["problem"].iloc[0]


def test_a_picture_of_another_size_is_told_of(server, known, log):
    project = Project("mine", CLASSES, masks=True)
    job = pushed(server, known, "3", project=project)[0]
    known.paint(job, 0, "cat", [0, 1, 0, 0, 0, 0])
    known.finish(job)
    problems = pull(server, project, IDS, log, (28, 28))[1]
    assert "6 x 8 pixels, but the pool's have 28 x 28" in problems["problem"].iloc[0]


def test_a_task_without_all_its_pictures_is_removed_again(server, known):
    known.requests = ["started", "failed"]
    with pytest.raises(InputError, match="can't read the pictures: boom: images are broken"):
        push(server, MINE, images(*IDS), picture)
    assert known.tasks == {}
    known.requests = ["finished"]
    known.frames.clear()
    assert push(server, MINE, images(*IDS), picture).new == 5


def test_a_picture_that_can_not_be_read_leaves_no_task(server, known):
    def missing(image: str) -> bytes:
        raise InputError(f"{image}: no such picture")

    with pytest.raises(InputError, match="no such picture"):
        push(server, MINE, images(*IDS), missing)
    assert known.tasks == {}


def test_a_task_that_is_not_ready_is_named_and_nothing_is_pushed_twice(server, known):
    push(server, MINE, images(*IDS), picture)
    known.tasks[1]["size"] = 0
    with pytest.raises(InputError, match=r"has no pictures yet: wait .* delete it at http.*/tasks/1"):
        push(server, MINE, images(*IDS), picture)
    assert len(known.tasks) == 1


def test_pictures_that_are_never_ready_end_the_wait(server, known, monkeypatch):
    monkeypatch.setattr(client, "READY", -1)
    known.requests = ["queued"]
    with pytest.raises(InputError, match="do its workers run"):
        push(server, MINE, images(*IDS), picture)


def test_pull_before_push_is_told(server, log):
    with pytest.raises(InputError, match="has no project 'mine': push the query first"):
        pull(server, MINE, IDS, log)


def test_either_kind_of_token_is_sent_as_it_must_be_and_an_organization_is_named(known):
    for token, kind in ((PAT, "Bearer"), (LEGACY, "Token")):
        with Cvat(known.url, token, "ours") as server:
            push(server, MINE, images(*IDS), picture)
        assert known.headers[-1]["Authorization"] == f"{kind} {token}"
        assert known.headers[-1]["X-Organization"] == "ours"


def test_nobody_sees_the_token_before_it_is_known_that_the_server_is_a_cvat(known):
    known.version = {"release": "1.23"}
    with Cvat(known.url, PAT) as server, pytest.raises(InputError, match="does not answer as CVAT does"):
        push(server, MINE, images(*IDS), picture)
    assert all("Authorization" not in headers for headers in known.headers)


def test_a_name_that_cvat_would_refuse_is_told_before_anything_is_made(server, known):
    with pytest.raises(InputError, match="65 characters: CVAT takes up to 64"):
        push(server, Project("mine", ["x" * 65]), images(*IDS), picture)
    assert known.asked == []
