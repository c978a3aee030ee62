"""CoreSet is k-center greedy, as scikit-activeml does it, though it doesn't read every candidate every time."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from skactiveml.pool import CoreSet

from pt4al.selection.strategies import coreset
from pt4al.selection.strategies.coreset import Coreset
from support.situations import situation


@given(seed=st.integers(0, 10_000), labelled=st.integers(1, 20), budget=st.integers(1, 30))
def test_choice_is_scikit_activemls(seed, labelled, budget):
    evidence = situation(seed, budget=budget, labelled=labelled)
    images = np.concatenate([evidence.labelled, evidence.features]).astype(np.float64)
    labels = np.array([0.0] * labelled + [np.nan] * len(evidence))
    expected = CoreSet(missing_label=np.nan).query(images, labels, batch_size=budget)
    assert list(Coreset().choose(evidence)) == list(expected - labelled)


def test_first_without_labels_is_in_the_middle():
    evidence = situation()
    gaps = np.linalg.norm(evidence.features - evidence.features.mean(0), axis=1)
    assert Coreset().choose(evidence)[0] == gaps.argmin()


@pytest.mark.parametrize("span", [5, 256])
@pytest.mark.parametrize("labelled", [1, 4])
@given(seed=st.integers(0, 10_000))
@settings(max_examples=settings.default.max_examples // 2)
def test_each_choice_is_the_first_of_the_farthest(span, labelled, seed):
    # Few whole numbers: distances are exact, and many are equal.
    grid = np.random.default_rng(seed).integers(0, 4, size=(30 + labelled, 3)).astype(np.float32)
    evidence = replace(situation(images=30, budget=20), features=grid[labelled:], labelled=grid[:labelled])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(coreset, "SPAN", span)
        chosen = list(Coreset().choose(evidence))
    for turn, position in enumerate(chosen):
        centres = [*evidence.labelled, *evidence.features[chosen[:turn]]]
        gaps = np.square(evidence.features[:, None] - centres).sum(2).min(1)
        gaps[chosen[:turn]] = -1
        assert position == gaps.argmax()
