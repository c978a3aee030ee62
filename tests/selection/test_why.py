"""Why an image was chosen: each sentence says what its strategy looked at, and nothing else."""

import numpy as np
import pandas as pd
import pytest

from pt4al.selection.grounds import later_grounds, start_grounds
from pt4al.selection.strategies import STRATEGIES
from pt4al.selection.why import Grounds, add_grounds, sentence

CLASSES = ["airplane", "boat", "face"]
WAVERING = np.array([[0.45, 0.08, 0.47]])
SURE = np.array([[0.05, 0.03, 0.92]])
REASONS = pd.DataFrame(
    {"id": ["a"], "score": 0.98, "pretext_loss": 1.4, "batch": 2, "place": 25, "places": 100, "stands_for": 19}
)


def said(
    grounds: Grounds,
    probabilities: np.ndarray | None = None,
    role: str | None = None,
    stands_for: int = 19,
) -> str:
    query = pd.DataFrame({"id": ["a"]})
    if role is not None:
        query["role"] = role
    reasons = REASONS.assign(stands_for=stands_for)
    return sentence(add_grounds(reasons, query, grounds, probabilities, CLASSES).iloc[0])


def chosen(strategy: str = "top", measure: str = "margin", in_batch: bool = False, labels: float = 5, **options):
    return later_grounds(strategy, STRATEGIES[strategy](**options), measure, in_batch, False, labels)


def test_a_model_that_was_asked_wavers_between_the_two_likeliest_classes():
    assert said(chosen(), WAVERING) == "The model wavers between face (47 %) and airplane (45 %)."


def test_a_model_that_is_nearly_sure_is_not_said_to_waver():
    told = said(chosen(), SURE)
    assert told == "The model was least sure of images like this one: face (92 %), then airplane (5 %)."
    assert "wavers" not in said(chosen("badge"), SURE)


def test_the_first_query_at_random_says_so():
    assert said(start_grounds("random", False)) == "Drawn at random: the first query."


def test_a_control_image_is_no_strategys_whatever_chose_the_others():
    told = "A control image, drawn at random to measure the model."
    assert said(chosen(), WAVERING, role="control") == told
    assert said(start_grounds("herding", False), role="control") == told


def test_an_image_of_the_reserve_says_what_it_stands_in_for():
    told = said(chosen(), WAVERING, role="reserve")
    assert told.startswith("The next best, for one that was skipped. The model wavers")


@pytest.mark.parametrize("strategy", ["coreset", "typiclust", "probcover", "centres", "herding"])
def test_a_strategy_that_compares_features_alone_does_not_speak_of_the_model(strategy: str):
    told = "Stands for 18 other unlabelled images that look like it."
    assert said(chosen(strategy)) == told
    assert not chosen(strategy).needs_likely


def test_an_image_that_stands_for_none_or_one_is_said_so():
    assert said(chosen("coreset"), stands_for=1).startswith("Stands for itself alone: ")
    assert said(chosen("coreset"), stands_for=2) == "Stands for 1 other unlabelled image that looks like it."


@pytest.mark.parametrize("strategy", ["badge", "cluster_margin", "uncertainty_herding", "weighted_kmeans"])
def test_a_strategy_that_looks_at_both_says_both(strategy: str):
    assert said(chosen(strategy), WAVERING) == (
        "The model wavers between face (47 %) and airplane (45 %); it stands for 18 other unlabelled "
        "images that look like it."
    )


def test_a_batch_of_the_ranking_gives_its_place():
    told = said(chosen(measure="least_confidence", in_batch=True), WAVERING)
    assert told.endswith("airplane (45 %); place 25 of 100 in batch 2 of the ranking.")
    assert "place" not in said(chosen(), WAVERING)


def test_even_intervals_of_the_ranking_give_the_place():
    told = said(start_grounds("even_intervals", True))
    assert told == "Taken at even intervals of the ranking: place 25 of 100 in batch 2."


def test_a_random_measure_makes_what_chooses_by_it_a_draw():
    assert said(chosen(measure="random")) == "Drawn at random."
    assert said(chosen(measure="random", in_batch=True)) == "Drawn at random from batch 2 of the ranking."


def test_typical_first_says_what_its_turn_looked_at():
    assert said(chosen("typical_first", labels=9)).startswith("Stands for")
    assert said(chosen("typical_first", labels=10), WAVERING).startswith("The model wavers")


def test_masks_have_a_mean_uncertainty():
    assert said(chosen(measure="entropy")) == "Its pixels have a mean uncertainty of 0.98 (entropy)."


@pytest.mark.parametrize(("measure", "told"), [("bald", "disagree"), ("learning_loss", "expects to be wrong")])
def test_measures_of_something_else_than_class_probabilities_name_no_class(measure: str, told: str):
    grounds = chosen(measure=measure)
    assert told in said(grounds)
    assert not grounds.needs_likely


def test_balancing_says_what_the_model_takes_the_image_for():
    grounds = later_grounds("herding", STRATEGIES["herding"](), "margin", False, True, 5)
    assert said(grounds, WAVERING).startswith("The model takes it for face (47 %); it stands for 18")


def test_a_table_of_an_older_version_gives_no_sentence():
    assert sentence(REASONS.iloc[0]) is None


def test_the_columns_that_were_there_before_stay_as_they_were():
    query = pd.DataFrame({"id": ["a"]})
    table = add_grounds(REASONS, query, chosen(), WAVERING, CLASSES)
    pd.testing.assert_frame_equal(table[list(REASONS)], REASONS)
    assert list(table)[: len(REASONS.columns)] == list(REASONS)
