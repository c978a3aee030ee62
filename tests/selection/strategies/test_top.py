"""The best of many scores are found without sorting all of them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from pt4al.selection.strategies import top

SCORES = arrays(
    st.sampled_from([np.float32, np.float64]),
    st.integers(0, 60),
    elements=st.integers(0, 3) | st.sampled_from([0.5, -0.0, np.inf, np.nan]),
)


@given(scores=SCORES, number=st.integers(0, 70), some=st.integers(1, 20))
def test_the_best_are_the_first_of_a_stable_sort(scores, number, some):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(top, "COMPARED", some)
        positions = top.best(scores, number)
    assert positions.tolist() == np.argsort(-scores, kind="stable")[:number].tolist()
    assert positions.dtype == np.int64


def test_a_few_of_many_scores_take_no_array_of_all_of_them(monkeypatch, tmp_path):
    monkeypatch.setattr(top, "COMPARED", 16)
    sorted_at_once = []
    argsort = np.argsort
    monkeypatch.setattr(np, "argsort", lambda some, **how: sorted_at_once.append(len(some)) or argsort(some, **how))
    np.save(tmp_path / "scores.npy", np.random.default_rng(0).random(1000))
    mapped = np.load(tmp_path / "scores.npy", mmap_mode="r")
    positions = top.best(mapped, 5)
    assert max(sorted_at_once) <= 16 + 5
    assert positions.tolist() == argsort(-mapped, kind="stable")[:5].tolist()
