"""People label: the same command again and again, and nothing asked twice, nothing answered lost."""

import io
import os
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import click
import numpy as np
import pandas as pd
import pytest
from PIL import Image

from pt4al.annotation.aggregation import SKIPPED
from pt4al.annotation.formats import coco, mask_folder
from pt4al.annotation.log import Answer
from pt4al.masks import encode
from pt4al.project.runs.asked_query import AskedQuery
from pt4al.project.runs.labelled_run import LabelledRun, find_run
from pt4al.project.runs.run_labels import find_labels
from support.people import CLASSES, NAME, SHORT, answer, go, log, progress, table, write_photos
from support.projects import copy_project, kedro, make_project, newest


def labelled(project: Path) -> LabelledRun:
    return find_run(project / "data", NAME)


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory, empty_store: Path) -> tuple[Path, pd.Series, str]:
    """A project whose run waits for its first answers; tests work on copies of it."""
    folder = make_project(tmp_path_factory.mktemp("asked"), empty_store)
    truth, before = write_photos(folder / "raw"), Path.cwd()
    os.chdir(folder)
    try:
        said = go(folder)
    finally:
        os.chdir(before)
    return folder, truth, said


@pytest.fixture
def waiting(asked: tuple, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, pd.Series]:
    project, truth, _ = asked
    copy = copy_project(project, tmp_path / "project")
    monkeypatch.chdir(copy)
    return copy, truth


def curve(project: Path) -> pd.DataFrame:
    return pd.read_csv(newest(project, "08_reporting", NAME, "learning_curve.csv"))


def leaks(project: Path) -> pd.DataFrame:
    return pd.read_parquet(newest(project, "08_reporting", NAME, "leak_check.parquet"))


def test_the_first_command_asks_and_says_where_to_answer(asked: tuple) -> None:
    project, _, said = asked
    assert f"Run {NAME}, round 1 of 3: 0 of 10 answers; 10 missing" in said
    assert f"kedro label --run={NAME}" in said
    query = table(project, 0, "query")
    assert query["role"].value_counts().to_dict() == {"query": 9, "reserve": 2, "control": 1}
    assert not query["id"].duplicated().any()
    assert list(query["role"][-2:]) == ["reserve", "reserve"]


def test_the_page_is_ready_and_shows_pictures_without_torch(waiting: tuple) -> None:
    """Which takes seconds and a gigabyte to import; `pt4al.cli` is what Kedro imports first."""
    project, _ = waiting
    script = f"""
import sys
import pt4al.cli
from pathlib import Path
from pt4al.project.cli import answers, label
from pt4al.project.runs.labelled_run import find_run
from pt4al.project.runs.asked_query import AskedQuery
run = find_run(Path("data"), {NAME!r})
opened = AskedQuery(run)
assert opened.picture(run.query["id"][0])
assert opened.queue
sys.exit(", ".join({{"torch", "mlflow", "sklearn", "scipy", "matplotlib"}} & set(sys.modules)) or None)
"""
    done = subprocess.run([sys.executable, "-c", script], cwd=project, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_the_command_may_be_typed_at_any_moment(waiting: tuple) -> None:
    project, truth = waiting
    before = table(project, 0, "query")
    answer(project, 0, truth.get, most=4)
    assert "4 of 10 answers; 6 missing" in go(project)
    assert "4 of 10 answers; 6 missing" in go(project)
    pd.testing.assert_frame_equal(table(project, 0, "query"), before)
    assert not (project / f"data/06_models/{NAME}").exists()


def test_a_whole_run_with_skips_corrections_late_answers_and_a_new_class(waiting: tuple) -> None:
    project, truth = waiting
    skipped = list(table(project, 0, "query").query("role == 'query'")["id"][:2])
    answer(project, 0, lambda image: None if image in skipped else truth[image])
    assert progress(project, 0).count(SKIPPED) == 2
    assert "round 2 of 3: 0 of 10 answers" in go(project)
    first = table(project, 0, "label_set")
    assert len(first) == 10  # the reserve took the places of the skipped
    assert dict(zip(first["id"], first["label"], strict=True)) == truth[first["id"]].to_dict()
    assert (first["why"] == "control").sum() == 1

    # A part of the next answers is enough for now; one of the first was wrong, and there is a new class.
    late = answer(project, 1, truth.get, most=8) and progress(project, 1).open["id"].iloc[-1]
    wrong = first["id"].iloc[0]
    queue = AskedQuery(labelled(project)).queue
    queue.add_class("hat")
    queue.answer(wrong, "hat", "ada", "key")
    oracle = {"go_on": {"share": 0.8, "after": None}}
    assert "round 3 of 3: 0 of 10 answers" in go(project, oracle=oracle)
    second = table(project, 1, "label_set").set_index("id")["label"]
    assert second[wrong] == "hat"
    assert first.set_index("id")["label"][wrong] != "hat"
    assert len(second) == 18

    # Spreadsheets and Label Studio may still bring what nobody answered, or was skipped, in an earlier query.
    assert {late, *skipped, wrong} <= set(labelled(project).answerable)
    # An answer that comes late counts from the next cycle on, and is not asked for again.
    log(project).add([Answer(id=late, label="hat", annotator="ada", source="page")])
    assert late not in set(table(project, 2, "query")["id"])
    answer(project, 2, truth.get)
    assert go(project, oracle=oracle) == ""
    third = table(project, 2, "label_set").set_index("id")["label"]
    assert third[late] == "hat"
    assert len(third) == 29
    queries = [table(project, cycle, "query").query("role != 'reserve'")["id"] for cycle in range(3)]
    assert not pd.concat(queries).duplicated().any()
    assert leaks(project)["ok"].all()
    assert list(curve(project)["labels"]) == [10, 18, 29]
    kedro("answers", "export", "labels.csv", cwd=project)
    assert pd.read_csv(project / "labels.csv").set_index("id")["label"].to_dict() == third.to_dict()
    page = newest(project, "08_reporting", NAME, "report.html").read_text()
    assert "What the labels bought" in page
    assert "Why images were chosen in cycle 2" in page


def test_no_control_image_is_learnt_from_by_the_model_that_it_measures(waiting: tuple) -> None:
    project, truth = waiting
    answer(project, 0, truth.get)
    go(project)
    drawn = pd.read_parquet(newest(project, "05_model_input", NAME, "control_slices.parquet"))
    query = table(project, 0, "query")
    assert set(query["id"][query["role"] == "control"]) == set(drawn["id"].head(1))
    assert len(drawn) == 9  # the share of the pool that slices are of a query
    # No strategy is offered any slice, the later ones included.
    others = pd.concat([table(project, cycle, "query") for cycle in (0, 1)]).query("role != 'control'")
    assert not set(others["id"]) & set(drawn["id"])
    assert curve(project)["images"].iloc[0] == 1


def test_labels_that_are_there_already_are_used_and_not_asked_for(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    truth = write_photos(project / "raw")
    known = truth.head(20).rename_axis("id").rename("label").reset_index()
    known.to_csv("known.csv", index=False)
    go(project, oracle={"kind": "people", "classes": CLASSES, "known_labels": "known.csv"})
    assert not set(table(project, 0, "query")["id"]) & set(known["id"])
    answer(project, 0, truth.get)
    go(project, oracle={"kind": "people", "classes": CLASSES, "known_labels": "known.csv"})
    label_set = table(project, 0, "label_set")
    assert (label_set["why"] == "known").sum() == 20
    assert len(label_set) == 30
    assert leaks(project)["ok"].all()


def test_people_who_disagree_are_asked_to_review(waiting: tuple) -> None:
    project, truth = waiting
    oracle = {"kind": "people", "classes": CLASSES, "annotators": 2, "disagreement": "consensus"}
    ids = list(table(project, 0, "query")["id"][:10])
    for name in ("ada", "bob"):
        wrong = ids[0] if name == "bob" else None
        log(project).add(
            Answer(
                id=image,
                label="bag" if image == wrong and truth[image] != "bag" else truth[image],
                annotator=name,
                source="page",
            )
            for image in ids
        )
    disputed = truth[ids[0]] != "bag"
    said = go(project, oracle=oracle)
    assert ("9 of 10 answers, 1 to review" in said) == disputed
    log(project).add([Answer(id=ids[0], label=truth[ids[0]], annotator="eve", source="page", review=True)])
    assert "round 2 of 3: 0 of 10" in go(project, oracle=oracle)


MISTAKES = {
    "a class that goes": ({"oracle": {"kind": "people", "classes": ["shirt", "bag"]}}, "the others have to stay"),
    "no classes": ({"oracle": {"kind": "people", "classes": None}}, "oracle.classes=cat/dog/rabbit"),
    "one class": ({"oracle": {"kind": "people", "classes": ["shirt"]}}, "at least 2 different ones are needed"),
    "nothing to measure with": ({"control": {"share": 0}}, "nothing could be measured"),
    "another seed": ({"run": {"name": NAME, "seed": 3}}, "`run.seed`: 0 then, 3 now"),
    "a strange time": (
        {"oracle": {"kind": "people", "classes": CLASSES, "go_on": {"share": 1, "after": "tomorrow"}}},
        "`oracle.go_on.after` is 'tomorrow'",
    ),
}


@pytest.mark.parametrize("blocks, told", MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_is_one_message(waiting: tuple, blocks: dict, told: str) -> None:
    with pytest.raises(click.ClickException) as refused:
        go(waiting[0], **blocks)
    assert told in refused.value.message


def test_killed_again_and_again_while_answers_come_nothing_is_lost(waiting: tuple) -> None:
    project, truth = waiting
    code = (
        f"import sys; sys.path[:0] = {sys.path!r}; from pathlib import Path; from support.people import go; "
        f"print('imported', flush=True)\nwhile True: go(Path({str(project)!r}))"
    )
    answer(project, 0, truth.get, most=5)
    for seconds in (0.3, 1.5):
        process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        assert process.stdout.readline() == b"imported\n"
        time.sleep(seconds)
        answer(project, 0, truth.get, most=2)
        process.kill()
        process.stdout.close()
        assert process.wait() == -signal.SIGKILL  # it goes on and on until then
    answer(project, 0, truth.get)
    assert "round 2 of 3: 0 of 10" in go(project)
    label_set = table(project, 0, "label_set")
    assert dict(zip(label_set["id"], label_set["label"], strict=True)) == truth[label_set["id"]].to_dict()
    assert len(log(project).read()) == 10


def test_masks_are_drawn_learnt_from_and_measured(project: Path) -> None:
    write_photos(project / "raw", 40)
    blocks = {
        "pool": {"source": {"path": "raw"}, "limit": {"train": None, "test": None}, "size": 32},
        "oracle": {"kind": "people", "classes": ["dark", "bright"]},
        "cycles": {"number": 2, "budget": 6},
        "control": {"share": 0.34},
        "pretext": {**SHORT, "network": "unet_small"},
        "main": {**SHORT, "task": "segmentation", "network": "unet_small"},
    }
    assert "round 1 of 2: 0 of 6 answers" in go(project, **blocks)
    for cycle in range(2):
        for image in progress(project, cycle).images["id"]:
            drawn = np.uint8(np.array(Image.open(project / "raw" / image).resize((32, 32))) > 100)
            label = log(project).keep_mask(encode(drawn, compress_level=9))
            log(project).add([Answer(id=image, label=label, annotator="ada", source="label_studio")])
        said = go(project, **blocks)
    assert said == ""
    assert list(curve(project)["labels"]) == [6, 12]
    assert curve(project)["miou"].between(0, 1).all()
    assert leaks(project)["ok"].all()
    assert "What the labels bought" in newest(project, "08_reporting", NAME, "report.html").read_text()
    exported_as_drawn(project)


def exported_as_drawn(project: Path) -> None:
    """Masks go out to other programs as they came in."""
    run = find_labels(project / "data", NAME)
    drawn = {row.id: np.array(Image.open(io.BytesIO(row.label))) for row in run.table.itertuples()}
    assert len(drawn) == 12
    reads = {
        "masks": partial(mask_folder.read, ids=drawn),
        "m.json": partial(coco.read, ids_by_file_name={image: image for image in drawn}),
    }
    for path, read in reads.items():
        done = kedro("answers", "export", path, cwd=project)
        assert done.stdout == f"{path}: 12 labels of run {NAME}\n", done.stderr
        masks, problems = read(project / path, classes=run.classes(), size=(32, 32))
        assert problems.empty
        assert {image: np.array(Image.open(io.BytesIO(png))).tolist() for image, png in masks} == {
            image: mask.tolist() for image, mask in drawn.items()
        }
