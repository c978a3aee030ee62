"""Control slices: random, apart, and in places that tell nobody anything."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pt4al.errors import InputError
from pt4al.selection.control import draw, mix, size

IDS = pd.Series([f"i{number}" for number in range(200)])


@given(st.integers(2, 1000), st.floats(0.001, 0.99))
def test_a_slice_is_neither_nothing_nor_all(budget: int, share: float) -> None:
    assert 1 <= size(budget, share) < budget


def test_no_share_is_no_slice() -> None:
    assert size(100, 0) == 0


@given(st.lists(st.integers(1, 10), min_size=1, max_size=10), st.integers(0, 2**32 - 1))
def test_slices_share_no_image_and_a_seed_gives_the_same(sizes: list[int], seed: int) -> None:
    drawn = draw(IDS, sizes, np.random.default_rng(seed))
    assert not drawn["id"].duplicated().any()
    assert drawn["cycle"].value_counts(sort=False).to_dict() == dict(enumerate(sizes))
    pd.testing.assert_frame_equal(drawn, draw(IDS, sizes, np.random.default_rng(seed)))


def test_every_image_is_as_likely_as_any_other() -> None:
    counts = pd.concat([draw(IDS, [10, 10], np.random.default_rng(seed))["id"] for seed in range(500)]).value_counts()
    assert len(counts) == 200
    assert counts.std() < 1.3 * (500 * 0.1 * 0.9) ** 0.5


def test_more_than_there_are_is_refused() -> None:
    with pytest.raises(InputError, match="asks for 250 images in 5 cycles; 200 have no label"):
        draw(IDS, [50] * 5, np.random.default_rng(0))


@given(st.integers(1, 30), st.integers(0, 10), st.integers(0, 5), st.integers(0, 2**32 - 1))
def test_mixing_loses_nothing_and_keeps_each_ones_order(own: int, control: int, reserve: int, seed: int) -> None:
    query = pd.DataFrame({"id": [f"q{n:02d}" for n in range(own)] + [f"r{n}" for n in range(reserve)]})
    query["role"] = ["query"] * own + ["reserve"] * reserve
    slice_ = pd.DataFrame({"id": [f"c{n}" for n in range(control)], "role": "control"})
    mixed = mix(query, slice_, np.random.default_rng(seed))
    for role in ("query", "control", "reserve"):
        ids = list(mixed["id"][mixed["role"] == role])
        assert ids == sorted(ids)
    assert len(mixed) == own + control + reserve
    assert list(mixed["role"][own + control :]) == ["reserve"] * reserve
