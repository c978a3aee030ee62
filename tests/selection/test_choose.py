"""Strategies without a run around them: arrays in, positions out."""

import numpy as np
import pytest
import torch

import pt4al
from pt4al.errors import InputError
from pt4al.selection.choose import choose
from pt4al.selection.strategies import STRATEGIES

RNG = np.random.default_rng(0)
FEATURES = RNG.normal(size=(200, 16))
PROBABILITIES = RNG.dirichlet(np.ones(5), 200)
KNOWN = {
    "features": FEATURES,
    "probabilities": PROBABILITIES,
    "batches": np.arange(200) // 50,
    "weights": RNG.normal(size=(5, 16)),
    "biases": np.zeros(5),
}


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_every_strategy_chooses_as_many_different_candidates_as_it_is_asked_for(strategy):
    chosen = choose(strategy, 10, **KNOWN)
    assert chosen.shape == (10,)
    assert len(set(chosen.tolist())) == 10
    assert set(chosen.tolist()) <= set(range(200))
    assert (chosen == choose(strategy, 10, **KNOWN)).all()


def test_another_seed_draws_others():
    assert (choose("badge", 10, **KNOWN, seed=1) != choose("badge", 10, **KNOWN, seed=2)).any()


def test_the_highest_scores_are_taken_in_their_order():
    assert choose("top", 3, scores=[0.1, 0.9, 0.5, 0.7]).tolist() == [1, 3, 2]


def test_scores_are_made_of_probabilities_by_a_measure():
    probabilities = [[0.5, 0.5, 0.0], [0.9, 0.1, 0.0], [0.4, 0.3, 0.3]]
    assert choose("top", 1, probabilities=probabilities).tolist() == [0]
    assert choose("top", 1, probabilities=probabilities, measure="entropy").tolist() == [2]


def test_tensors_and_lists_are_as_good_as_arrays():
    tensors = {name: torch.from_numpy(np.asarray(KNOWN[name])) for name in ("features", "probabilities")}
    assert (choose("badge", 5, **tensors) == choose("badge", 5, features=FEATURES, probabilities=PROBABILITIES)).all()
    lists = {"features": FEATURES.tolist(), "probabilities": PROBABILITIES.tolist()}
    assert (choose("badge", 5, **lists) == choose("badge", 5, **tensors)).all()


def test_what_has_a_label_already_is_kept_away_from():
    features = np.array([[0.0, 1.0], [1.0, 0.0], [0.01, 1.0]])
    assert choose("coreset", 1, features=features, labelled=[[0.0, 1.0]]).tolist() == [1]


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"strategy": "bagde"}, "strategy 'bagde' is unknown: did you mean 'badge'"),
        ({"probabilities": None}, "strategy badge needs `probabilities`: give it as an argument"),
        ({"strategy": "dropquery", "weights": None}, "needs `weights` and `biases`"),
        ({"budget": 201}, "`budget` is 201: .* there are 200 candidates to choose from"),
        ({"budget": 0}, "`budget` is 0: it must be a whole number from 1 to 200"),
        ({"budget": 2.5}, "`budget` is 2.5: it must be a whole number"),
        ({"seed": "x"}, "`seed` is 'x': it must be a whole number from 0 on"),
        ({"probabilities": 2 * PROBABILITIES}, "`probabilities` of row .* add up to 2: they must"),
        ({"labelled": FEATURES[:5, :3]}, "`labelled` has 3 numbers a row, and `features` 16"),
        ({"features": FEATURES[:10]}, "arrays differ in their number of candidates"),
        ({"features": FEATURES[0]}, r"`features` has shape \(16,\): it needs 2 dimensions"),
        ({"features": np.where(FEATURES[7, 0] == FEATURES, np.nan, FEATURES)}, "`features` is not finite in row 7"),
        ({"featuers": FEATURES}, "argument 'featuers' is unknown: did you mean 'features'"),
        ({"strategy": "top", "measure": "magrin"}, "`measure` 'magrin' is unknown: did you mean 'margin'"),
        ({"options": {"number": 3}}, "`options` has 'number'; strategy badge has these: none"),
    ],
)
def test_a_mistake_is_one_sentence(arguments, message):
    given = {"strategy": "badge", "budget": 10} | KNOWN | arguments
    given = {name: value for name, value in given.items() if value is not None}
    with pytest.raises(InputError, match=message):
        choose(given.pop("strategy"), given.pop("budget"), **given)


def test_the_package_offers_it_by_name():
    assert pt4al.choose is choose


class First:
    """A strategy of somebody's own."""

    needs = frozenset({"features"})

    def __init__(self, positions: list[int]):
        self.positions = positions

    def choose(self, evidence):
        assert evidence.features.shape == FEATURES.shape
        return self.positions


def test_a_strategy_of_ones_own_is_as_good_as_a_name():
    assert choose(First([3, 0]), 2, features=FEATURES).tolist() == [3, 0]
    with pytest.raises(InputError, match="strategy First needs `features`"):
        choose(First([3, 0]), 2, probabilities=PROBABILITIES)
    for wrong in ([1], [1, 1], [1, 200], [-1, 0]):
        with pytest.raises(InputError, match="it must be 2 different positions from 0 to 199"):
            choose(First(wrong), 2, features=FEATURES)
    with pytest.raises(InputError, match="`options` are for a strategy that is named"):
        choose(First([3, 0]), 2, features=FEATURES, options={"a": 1})
