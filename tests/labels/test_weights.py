"""Weights of labelled images: with them, labels that a strategy asked for speak for the pool."""

import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from pt4al.labels.weights import sampling_weights
from pt4al.selection.control import set_apart, take

NOTHING = pd.Series(dtype="str")


def simulated(images: int, known: int, share: float, start: str, seed: int) -> tuple[pd.DataFrame, pd.Series]:
    """Labels and randomly drawn ids of a run that asks for the images with the highest numbers, its ids."""
    rng = np.random.default_rng(seed)
    ids = pd.Series([f"{number:03d}" for number in range(images)])
    labelled = [("known", image) for image in ids[:known]]
    apart = set_apart(ids[known:], [6, 6, 6], share, rng) if share else pd.DataFrame({"id": []})
    drawn = []
    for cycle in range(3):
        used = pd.Series([image for _, image in labelled], dtype="str")
        size = round(6 * share)
        if size:
            labelled += [("control", image) for image in take(apart, used, size)["id"]]
        left = ids[~ids.isin(used) & ~ids.isin(apart["id"])]
        if cycle == 0 and start == "random":
            drawn = list(rng.choice(left, 6 - size, replace=False))
            labelled += [("random", image) for image in drawn]
        else:
            labelled += [("margin", image) for image in left.sort_values().tail(6 - size)]
    return pd.DataFrame(labelled, columns=["why", "id"]), pd.Series(drawn, dtype="str")


@settings(max_examples=8)
@given(
    images=st.integers(40, 70),
    known=st.integers(0, 6),
    share=st.sampled_from([0, 0.34, 0.5]),
    start=st.sampled_from(["random", "herding"]),
)
def test_the_weighted_mean_over_many_runs_is_that_of_the_pool(
    images: int, known: int, share: float, start: str
) -> None:
    if start != "random" and not share:
        start = "random"
    means = []
    plain = []
    for seed in range(100):
        label_set, drawn = simulated(images, known, share, start, seed)
        ids = pd.Series([f"{number:03d}" for number in range(images)])
        weights = sampling_weights(label_set, ids, drawn)
        assert np.isclose(weights.sum(), images)
        numbers = label_set["id"].astype(int).to_numpy()
        means.append((weights * numbers).sum() / images)
        plain.append(numbers.mean())
    truth = (images - 1) / 2
    error = np.std(means) / np.sqrt(len(means))
    assert abs(np.mean(means) - truth) < 5 * error
    if not known:
        assert np.mean(plain) > truth + 2  # what the strategy likes


def test_images_that_a_strategy_chose_have_no_weight_and_control_images_the_pool_between_them() -> None:
    label_set = pd.DataFrame({"id": list("abcd"), "why": ["control", "margin", "control", "badge"]})
    weights = sampling_weights(label_set, pd.Series(list("abcdefgh")), NOTHING)
    assert list(weights) == [4, 0, 4, 0]


def test_labels_that_were_known_stand_for_themselves() -> None:
    label_set = pd.DataFrame({"id": list("abc"), "why": ["known", "control", "margin"]})
    assert list(sampling_weights(label_set, pd.Series(list("abcdef")), NOTHING)) == [1, 5, 0]


def test_without_a_random_image_nothing_speaks_for_the_pool() -> None:
    label_set = pd.DataFrame({"id": ["a", "b"], "why": ["known", "margin"]})
    assert list(sampling_weights(label_set, pd.Series(list("abc")), NOTHING)) == [0, 0]


def test_a_run_that_always_chooses_at_random_weighs_its_images_alike() -> None:
    label_set = pd.DataFrame({"id": list("abcd"), "why": "random"})
    weights = sampling_weights(label_set, pd.Series(list("abcdefgh")), label_set["id"])
    assert list(weights) == [2, 2, 2, 2]
