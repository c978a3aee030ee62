"""Where a model fails: worst classes, confused pairs, and images that it is surest of and wrong."""

import pandas as pd
import pytest

from pt4al.statistics import failures

IMAGES = pd.DataFrame(
    [
        ("a.png", "cat", "dog", 0.9),
        ("b.png", "cat", "cat", 0.99),
        ("c.png", "dog", "dog", 0.6),
        ("d.png", "dog", "cat", 0.7),
        ("e.png", "cat", "dog", 0.95),
        ("f.png", "owl", "owl", 0.5),
    ],
    columns=["id", "label", "predicted", "probability"],
)
PIXELS = pd.DataFrame(
    [("road", "road", 80), ("road", "car", 20), ("car", "car", 30), ("car", "road", 10)],
    columns=["label", "predicted", "pixels"],
)


def test_the_worst_class_comes_first_with_its_interval() -> None:
    first, second, third = failures.by_class(IMAGES)
    assert (first["label"], first["count"], first["value"]) == ("cat", 3, pytest.approx(1 / 3))
    assert 0 < first["low"] < 1 / 3 < first["high"] < 1
    assert (second["label"], third["label"]) == ("dog", "owl")


def test_a_class_of_pixels_is_judged_by_its_iou() -> None:
    first, second = failures.by_class(PIXELS)
    assert (first["label"], first["count"], first["value"]) == ("car", 40, pytest.approx(30 / 60))
    assert (second["label"], second["value"]) == ("road", pytest.approx(80 / 110))


def test_pairs_are_counted_from_truth_to_guess() -> None:
    first, second = failures.confused(IMAGES)
    assert first == {"label": "cat", "predicted": "dog", "count": 2, "share": pytest.approx(2 / 3)}
    assert (second["label"], second["predicted"], second["count"]) == ("dog", "cat", 1)
    assert failures.confused(PIXELS)[0]["count"] == 20


def test_the_most_confident_mistake_comes_first() -> None:
    assert list(failures.most_wrong(IMAGES)["id"]) == ["e.png", "a.png", "d.png"]
    assert failures.most_wrong(PIXELS).empty


def row(label: str, value: float, count: int = 10) -> dict:
    return {"label": label, "value": value, "count": count}


def test_bad_classes_with_few_labels_are_what_to_label_next() -> None:
    labels = pd.Series({"cat": 2, "dog": 20, "owl": 20})
    advice = failures.advise([row("cat", 0.2), row("dog", 0.3), row("owl", 0.9)], labels)
    assert advice.startswith("More labels of cat (20 % with 2 labels): worse")


def test_bad_classes_with_labels_enough_may_be_hard_to_tell_apart() -> None:
    labels = pd.Series({"cat": 30, "dog": 2, "owl": 2})
    advice = failures.advise([row("cat", 0.2), row("dog", 0.8), row("owl", 0.9)], labels)
    assert "labels enough" in advice
    assert "cat (20 % with 30 labels)" in advice


def test_no_advice_is_given_on_a_handful_of_images() -> None:
    assert "Too few images" in failures.advise([row("cat", 0.2, 2), row("dog", 0.9, 3)], pd.Series({"cat": 1}))
    equal = [row("cat", 0.5), row("dog", 0.5)]
    assert "No class is worse" in failures.advise(equal, pd.Series({"cat": 1}))
