"""Why an image: counts and neighbours agree with plain loops."""

import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pt4al.selection import explain


def case(seed: int, images: int = 60):
    rng = np.random.default_rng(seed)
    ids = pd.Series([f"i{number}" for number in range(images)])
    features = rng.normal(size=(images, 5)).astype(np.float32)
    order = rng.permutation(images)
    ranking = pd.DataFrame(
        {"id": ids[order], "pretext_loss": 1.0, "rank": range(images), "batch": np.arange(images) // 20}
    )
    labelled, query = ids.iloc[:7], ids.iloc[10:15]
    asked = pd.DataFrame({"id": query, "score": 0.5, "batch": 0})
    return asked, ranking, labelled, pd.Index(ids).get_indexer, features


def directions(features: np.ndarray) -> np.ndarray:
    return features / np.linalg.norm(features, axis=1, keepdims=True)


@given(st.integers(0, 2**32 - 1), st.sampled_from([1, 3, 4096]))
def test_every_unlabelled_image_is_stood_for_once_by_the_nearest(seed: int, chunk: int) -> None:
    asked, ranking, labelled, find, features = case(seed)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(explain, "CHUNK", chunk)
        found = explain.explain(asked, [ranking], labelled, find, features)
    assert found["stands_for"].sum() == len(features) - len(labelled)
    plain = directions(features)
    expected = np.ones(5, int)
    for row in [*range(7, 10), *range(15, 60)]:
        expected[int((plain[10:15] @ plain[row]).argmax())] += 1
    assert list(found["stands_for"]) == list(expected)
    for row, near in enumerate(found["neighbours"]):
        likeness = plain[:7] @ plain[10 + row]
        assert json.loads(near) == [f"i{number}" for number in np.argsort(-likeness)[:3]]


def test_a_place_is_that_in_the_images_own_batch() -> None:
    asked, ranking, labelled, find, features = case(0)
    found = explain.explain(asked, [ranking], labelled, find, features).set_index("id")
    for image, row in found.iterrows():
        assert list(ranking["id"][ranking["batch"] == row["batch"]])[row["place"] - 1] == image
        assert row["places"] == 20


@given(seed=st.integers(0, 99), cuts=st.lists(st.integers(0, 60), max_size=4))
def test_a_ranking_says_the_same_in_parts(seed: int, cuts: list[int]) -> None:
    asked, ranking, labelled, find, features = case(seed)
    ranking = ranking.sample(frac=1, random_state=seed)  # batches that are not one after the other
    cuts = sorted(cuts)
    parts = [ranking.iloc[first:last] for first, last in zip([0, *cuts], [*cuts, 60], strict=True)]
    whole = explain.explain(asked, [ranking], labelled, find, features)
    pd.testing.assert_frame_equal(explain.explain(asked, parts, labelled, find, features), whole)


def test_before_any_label_there_are_no_neighbours() -> None:
    asked, ranking, labelled, find, features = case(0)
    assert set(explain.explain(asked, [ranking], labelled.head(0), find, features)["neighbours"]) == {"[]"}


def test_an_image_without_features_is_named() -> None:
    asked, ranking, labelled, find, features = case(0)
    with pytest.raises(ValueError, match="'gone' has no features"):
        explain.explain(asked, [ranking], pd.concat([labelled, pd.Series(["gone"])]), find, features)
