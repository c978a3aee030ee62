"""Laws of every strategy, alone and balanced: what a choice is, and what it must not depend on."""

import random
from collections.abc import Callable
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from pt4al.errors import InputError
from pt4al.selection.evidence import Evidence
from pt4al.selection.strategies import (
    BALANCED_NEEDS,
    FEATURE_STARTS,
    STRATEGIES,
    balanced,
    coreset,
    coverage,
    distances,
    kernel,
    near_duplicates,
    probcover,
)
from support.situations import CLASSES, situation

Choice = Callable[[Evidence], np.ndarray]
BALANCED = {f"balanced {name}": name for name in STRATEGIES}

every_choice = pytest.mark.parametrize("name", [*STRATEGIES, *BALANCED])


def choice(name: str) -> Choice:
    """Return a strategy by its name, alone or balanced, as a function that sees only what it needs."""
    strategy = STRATEGIES[BALANCED.get(name, name)]()
    needs = strategy.needs | (BALANCED_NEEDS if name in BALANCED else frozenset())
    unseen = {field.name for field in fields(Evidence)[6:]} - needs

    def choose(evidence: Evidence) -> np.ndarray:
        evidence = replace(evidence, **dict.fromkeys(unseen))
        return balanced(strategy, evidence) if name in BALANCED else strategy.choose(evidence)

    return choose


@st.composite
def situations(draw: st.DrawFn) -> dict:
    """Arguments of `situation`: the same ones make the same evidence, with a generator of its own."""
    images = draw(st.integers(1, 50))
    return {
        "seed": draw(st.integers(0, 10_000)),
        "images": images,
        "budget": draw(st.integers(1, images)),
        "labelled": draw(st.sampled_from([0, 1, 7, 40])),
    }


def is_a_choice(positions: np.ndarray, evidence: Evidence) -> bool:
    """Whether these are `budget` different positions of candidates."""
    return len(positions) == len(set(positions.tolist())) == evidence.budget and set(positions.tolist()) <= set(
        range(len(evidence))
    )


@every_choice
@settings(max_examples=settings.default.max_examples // 2)
@given(drawn=situations())
def test_choice_is_a_budget_of_different_candidates_and_the_same_again(name, drawn):
    evidence = situation(**drawn)
    positions = choice(name)(evidence)
    assert is_a_choice(positions, evidence)
    assert list(choice(name)(situation(**drawn))) == list(positions)


@every_choice
@pytest.mark.parametrize("labelled", [0, 5])
def test_budget_of_all_candidates_chooses_all(name, labelled):
    evidence = situation(images=30, budget=30, labelled=labelled)
    assert sorted(choice(name)(evidence)) == list(range(30))


@every_choice
def test_choice_leaves_its_evidence_as_it_was(name):
    evidence, before = situation(labelled=9), situation(labelled=9)
    choice(name)(evidence)
    for field in fields(Evidence):
        if field.name == "head":
            assert all((ours == theirs).all() for ours, theirs in zip(evidence.head, before.head, strict=True))
        elif field.name != "rng":
            np.testing.assert_array_equal(getattr(evidence, field.name), getattr(before, field.name))


@every_choice
@pytest.mark.parametrize("labelled", [0, 9])
def test_choice_from_a_mapped_file_is_that_from_memory(name, labelled, tmp_path: Path):
    evidence = situation(labelled=labelled)
    np.save(tmp_path / "features.npy", evidence.features)
    mapped = replace(evidence, features=np.load(tmp_path / "features.npy", mmap_mode="r"))
    assert list(choice(name)(mapped)) == list(choice(name)(situation(labelled=labelled)))


@every_choice
@pytest.mark.parametrize("labelled", [0, 9])
@pytest.mark.parametrize("seed", range(5))
def test_choice_does_not_depend_on_how_many_rows_are_read_at_once(name, labelled, seed, monkeypatch):
    at_once = choice(name)(situation(seed, labelled=labelled))
    for module in (distances, probcover, coverage):
        monkeypatch.setattr(module, "ROWS", 7)
    for module in (distances, probcover, near_duplicates):
        monkeypatch.setattr(module, "OTHERS", 3)
    monkeypatch.setattr(coreset, "SPAN", 5)
    monkeypatch.setattr(kernel, "BLOCK", 7)
    monkeypatch.setattr(coverage, "RECOMPUTED", 3)
    assert list(choice(name)(situation(seed, labelled=labelled))) == list(at_once)


@every_choice
def test_choice_neither_reads_nor_moves_the_global_random_state(name):
    def states() -> tuple:
        return str(np.random.get_state()), random.getstate(), torch.get_rng_state().tolist()  # noqa: NPY002

    before, first = states(), choice(name)(situation())
    assert states() == before
    np.random.seed(1)  # noqa: NPY002
    random.seed(1)
    with torch.random.fork_rng():
        torch.manual_seed(1)
        assert list(choice(name)(situation())) == list(first)


@every_choice
@pytest.mark.parametrize("labelled", [0, 3])
@pytest.mark.parametrize("value", [0, 1])
def test_images_that_are_all_alike_can_be_chosen_from(name, labelled, value):
    alike = {
        "features": np.full((25, 6), value, np.float32),
        "labelled": np.full((labelled, 6), value, np.float32),
        "scores": np.full(25, 0.5),
        "losses": np.zeros(25),
        "probabilities": np.full((25, CLASSES), 1 / CLASSES, np.float32),
    }
    evidence = replace(situation(images=25, budget=11), **alike)
    assert is_a_choice(choice(name)(evidence), evidence)


@every_choice
def test_model_that_is_certain_of_everything_can_be_asked(name):
    certain = np.eye(CLASSES, dtype=np.float32)[np.arange(60) % CLASSES]
    evidence = situation(labelled=4, probabilities=certain, scores=np.zeros(60))
    assert is_a_choice(choice(name)(evidence), evidence)


@pytest.mark.parametrize(
    "name",
    [
        "badge",
        "typiclust",
        "probcover",
        "centres",
        "cluster_margin",
        "dropquery",
        "weighted_kmeans",
    ],
)
def test_generator_decides_where_chance_does(name):
    chosen = {tuple(sorted(choice(name)(situation(rng=np.random.default_rng(seed))))) for seed in range(8)}
    assert len(chosen) > 1


def test_first_query_can_be_left_to_the_strategies_that_need_no_model():
    assert FEATURE_STARTS == ["centres", "coreset", "herding", "probcover", "typiclust"]


@pytest.mark.parametrize(
    ("name", "option", "value", "right"),
    [
        ("probcover", "radius", -0.1, "a number of at least 0"),
        ("cluster_margin", "multiple", 0, "a whole number of at least 1"),
        ("cluster_margin", "clusters", 1.5, "a whole number of at least 0"),
        ("strata", "number", True, "a whole number of at least 1"),
        ("typical_first", "per_class", -1, "a whole number of at least 0"),
        ("typical_first", "first", "typicalust", "did you mean 'typiclust'"),
        ("herding", "width", 0, "a number of at least 0.01 and at most 100"),
        ("uncertainty_herding", "width", -1, "a number of at least 0.01 and at most 100"),
        ("uncertainty_herding", "weight", "uncertainity", "did you mean 'uncertainty'"),
        ("dropquery", "dropout", 1, "a number of at least 0 and at most 0.99"),
        ("weighted_kmeans", "multiple", 0.5, "a whole number of at least 1"),
    ],
)
def test_option_that_makes_no_sense_is_refused_by_its_name(name, option, value, right):
    with pytest.raises(InputError, match=rf"^`query.options.{option}` is {value!r}: .*{right}"):
        STRATEGIES[name](**{option: value})
