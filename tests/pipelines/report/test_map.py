"""The map of a whole tiny run: made once, linked from the report, and left out where nobody wants it."""

import base64
import json
import re
import zlib
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd

from pt4al.pipelines.graph import build
from pt4al.pipelines.options import GraphOptions
from pt4al.pipelines.report.map import _doubts, _points, _worth_showing
from support.projects import newest, run

REPORTING = "data/08_reporting/tiny"


def made(project: Path) -> list[Path]:
    """The versions of the places on the map."""
    return sorted(project.glob("data/04_feature/*/pca_map.parquet/*/pca_map.parquet"))


def unpacked(page: str) -> tuple[dict, np.ndarray, np.ndarray, list[str]]:
    """What the page's script reads: facts, the five arrays of 16 bits (5, N), losses, ids."""
    facts = json.loads(re.search(r'id="facts">(.*?)</script>', page, re.DOTALL).group(1))
    packed = re.search(r'id="points">(.*?)</script>', page, re.DOTALL).group(1)
    data = zlib.decompress(base64.b64decode(packed))
    images = facts["images"]
    words = np.frombuffer(data[: 10 * images], "<u2").reshape(5, images)
    losses = np.frombuffer(data[10 * images : 11 * images], "u1")
    return facts, words, losses, data[11 * images :].decode().split("\n")


def test_the_map_shows_every_image_of_the_pool_with_what_is_known_of_it(finished: Path) -> None:
    page = (finished / REPORTING / "map.html").read_text(encoding="utf-8")
    facts, (x, y, classes, shown, states), losses, ids = unpacked(page)
    label_set = pd.read_parquet(newest(finished, "05_model_input", "tiny", "cycle_2", "label_set.parquet"))
    assert facts["images"] == len(ids) == len(set(ids)) == 300
    assert [state["name"] for state in facts["states"]][2:5] == [f"labelled in cycle {cycle}" for cycle in range(3)]
    assert np.bincount(states)[[0, 2, 3, 4]].tolist() == [240, 20, 20, 20]
    known = pd.DataFrame({"state": states, "class": classes}, ids).loc[label_set["id"]]
    assert (known["state"].to_numpy() == label_set["cycle"] + 2).all()
    assert [facts["classes"][number - 1] for number in known["class"]] == list(label_set["label"])
    assert (classes[states == 0] == 0).all()  # no label that was not asked for
    assert (shown > 0).all()  # of a pool this small each image has its picture
    assert (x.min(), x.max()) == (0, 65535) or (y.min(), y.max()) == (0, 65535)
    ranking = pd.read_parquet(newest(finished, "04_feature", "tiny", "ranking.parquet"))
    hardest = ranking.loc[ranking["pretext_loss"].idxmax(), "id"]
    assert losses[ids.index(hardest)] == losses.max() == round(254 * 299 / 300)


def test_the_report_shows_the_map_and_links_to_it_and_both_are_small(finished: Path) -> None:
    report = (finished / REPORTING / "report.html").read_text(encoding="utf-8")
    page = finished / REPORTING / "map.html"
    assert '<a href="#map">Map of the pool</a>' in report
    assert '<a href="map.html">Open the map</a>' in report
    assert 'alt="Map of the pool: images as grey squares' in report
    assert len(report.encode()) < 3_000_000
    assert page.stat().st_size + len(report.encode()) < 5_000_000


def test_a_map_is_made_once_of_the_same_features_and_not_where_nobody_wants_it(copied: Path) -> None:
    places = made(copied)
    assert len(places) == 1
    run(copied, "report")
    assert made(copied) == places
    run(copied, "report", report={"map": "none"})
    report = (copied / REPORTING / "report.html").read_text(encoding="utf-8")
    assert "map.html" not in report


def test_no_map_is_made_within_a_comparison() -> None:
    pipelines = build(GraphOptions())
    assert {"map_pool", "draw_map"} <= {node.short_name for node in pipelines["report"].nodes}
    assert not {"map_pool", "draw_map"} & {node.short_name for node in pipelines["cell"].nodes}
    without = {node.short_name for node in build(GraphOptions(map="none"))["report"].nodes}
    assert not {"map_pool", "draw_map"} & without


def history(label_set: pd.DataFrame, ids: list[str], kind: str = "people") -> SimpleNamespace:
    """As much of a run's history as the map reads; two cycles are finished."""
    return SimpleNamespace(
        settings=SimpleNamespace(oracle=SimpleNamespace(kind=kind)),
        pool=SimpleNamespace(ids=pd.Series(ids)),
        queries={0: None, 1: None},
        label_set=label_set,
        labels=label_set.set_index("id")["label"],
        task=SimpleNamespace(dense=False),
        classes=["cat", "dog"],
    )


def test_images_are_told_apart_by_who_asked_for_them_and_whether_they_are_answered() -> None:
    ids = list("abcdefgh")
    rows = [("a", "cat", -1, "known"), ("b", "dog", 0, "random"), ("c", "cat", 1, "margin"), ("d", "dog", 1, "control")]
    label_set = pd.DataFrame(rows, columns=["id", "label", "cycle", "why"])
    roles = {"c": "query", "e": "query", "f": "control", "g": "reserve"}
    waiting = pd.DataFrame({"id": list(roles), "role": list(roles.values())})
    places = pd.DataFrame({"id": ids[::-1], "x": range(8), "y": range(8)})
    ranking = pd.DataFrame({"id": ids[:4], "pretext_loss": [0.3, 0.1, 0.1, 0.9]})
    points, states = _points(history(label_set, ids), places, ranking, waiting)
    assert points["id"].tolist() == ids
    assert points["x"].tolist() == list(range(8))[::-1]
    assert [states[number].name for number in points["state"]] == [
        "labelled before the run",
        "labelled in round 1",
        "labelled in round 2",
        "control images, drawn at random",
        "asked for, not answered yet",
        "asked for, not answered yet",
        "without a label",
        "without a label",
    ]
    assert points["class"].tolist() == [0, 1, 0, 1, -1, -1, -1, -1]
    assert points["loss"].tolist()[:4] == [0.5, 0, 0, 0.75]
    assert points["loss"][4:].isna().all()


def test_doubtful_labels_are_found_on_the_map_by_row_and_those_outside_the_pool_left_out() -> None:
    rows = [("c", "cat", True), ("a", "dog", False), ("gone", "dog", True)]
    suspects = pd.DataFrame(rows, columns=["id", "suggested", "suspicious"])
    assert _doubts(pd.Series(list("abc")), suspects) == {"judged": [2, 0], "doubted": {2: "cat"}}
    assert _doubts(pd.Series(list("abc")), None) == {}


def test_pictures_of_labelled_images_come_before_those_of_others() -> None:
    points = pd.DataFrame({"state": [0, 0, 2, 1, 0], "x": [0, 65535, 5, 5, 1], "y": [0, 65535, 5, 5, 1]})
    order = _worth_showing(points, points[["x", "y"]].to_numpy().astype(np.uint16)).tolist()
    assert order[:2] == [2, 3]
    assert 1 in order[2:4]  # one of each region before a second of one
