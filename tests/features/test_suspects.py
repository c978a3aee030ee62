"""Labels that are likely wrong: found where probes that have not seen them say something else."""

import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pt4al.features.suspects import (
    COLUMNS,
    confidently_others,
    cross_fitted,
    find_suspects,
    normalised_margin,
)

CLASSES = ["cat", "dog", "owl"]


def blobs(each: int = 20, width: int = 8) -> tuple[np.ndarray, np.ndarray]:
    """Features of three classes that lie apart, and the class of each image."""
    targets = np.repeat(np.arange(3), each)
    centres = 4 * np.eye(3, width, dtype=np.float32)
    noise = np.random.default_rng(0).normal(size=(len(targets), width)).astype(np.float32)
    return centres[targets] + noise, targets


def find(features: np.ndarray, targets: np.ndarray, seed: int = 0) -> pd.DataFrame:
    ids = pd.Series([f"i{number}" for number in range(len(targets))])
    return find_suspects(ids, features, targets, CLASSES, np.random.default_rng(seed))


def test_labels_that_were_made_wrong_come_first_with_what_they_were() -> None:
    features, truth = blobs()
    said = truth.copy()
    wrong = [3, 25, 47]
    said[wrong] = (truth[wrong] + 1) % 3
    table = find(features, said)
    first = table.head(3).set_index("id")
    assert set(first.index) == {"i3", "i25", "i47"}
    assert first["suspicious"].all()
    assert first.loc["i3", ["label", "suggested"]].tolist() == ["dog", "cat"]
    assert table["suspicious"].sum() <= 6
    assert table["quality"].is_monotonic_increasing
    assert table["quality"].between(0, 1).all()


def test_images_shown_beside_a_suspect_are_others_and_are_called_as_it_is_suggested() -> None:
    features, said = blobs()
    said[3] = 1
    table = find(features, said).set_index("id")
    labels = table["label"]
    for image, row in table.iterrows():
        near = json.loads(row["near"])
        assert len(near) == 3
        assert image not in near
        assert {labels[other] for other in near} == {row["suggested"]}


def test_classes_with_few_labels_are_not_judged() -> None:
    features, targets = blobs()
    few = np.flatnonzero(targets == 2)[:3]
    kept = np.concatenate([np.flatnonzero(targets < 2), few])
    assert set(find(features[kept], targets[kept])["label"]) == {"cat", "dog"}


@pytest.mark.parametrize("each", [1, 3])
def test_without_two_classes_of_four_labels_the_table_is_empty_and_has_its_columns(each: int) -> None:
    table = find(*blobs(each))
    assert table.empty
    assert table.dtypes.astype(str).to_dict().keys() == COLUMNS.keys()
    assert find(np.zeros((0, 8), np.float32), np.zeros(0, np.int64)).empty


def test_the_same_generator_finds_the_same() -> None:
    features, targets = blobs()
    pd.testing.assert_frame_equal(find(features, targets, 1), find(features, targets, 1))


def test_no_probe_has_seen_the_label_that_it_judges() -> None:
    # Each image alone is its own class's corner: a probe that had seen it would be sure.
    features = np.eye(40, dtype=np.float32)
    targets = np.arange(40) % 2
    probabilities = cross_fitted(features, targets, 2, np.random.default_rng(0))
    np.testing.assert_allclose(probabilities, 0.5, atol=0.1)


def test_a_label_is_suspicious_if_another_class_is_as_likely_as_for_its_own_images() -> None:
    targets = np.array([0, 0, 0, 1, 1])
    probabilities = np.array([[0.9, 0.1], [0.8, 0.2], [0.1, 0.9], [0.2, 0.8], [0.4, 0.6]])
    # Thresholds: 0.6 and 0.7. The last image is confidently neither; its label is the likeliest.
    assert confidently_others(targets, probabilities).tolist() == [False, False, True, False, False]
    np.testing.assert_allclose(normalised_margin(targets, probabilities), [0.9, 0.8, 0.1, 0.8, 0.6])


@given(seed=st.integers(0, 2**32 - 1), images=st.integers(5, 60), classes=st.integers(2, 12))
def test_choice_and_order_are_those_of_the_library(seed: int, images: int, classes: int) -> None:
    library = pytest.importorskip("cleanlab.filter")
    ranks = pytest.importorskip("cleanlab.rank")
    rng = np.random.default_rng(seed)
    targets = rng.integers(0, classes, images)  # some classes have no label
    logits = rng.normal(size=(images, classes))
    logits[np.arange(images), targets] += 1
    probabilities = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    theirs = library.find_label_issues(targets, probabilities, filter_by="confident_learning", n_jobs=1)
    assert confidently_others(targets, probabilities).tolist() == theirs.tolist()
    quality = ranks.get_label_quality_scores(targets, probabilities, method="normalized_margin")
    np.testing.assert_allclose(normalised_margin(targets, probabilities), quality)
