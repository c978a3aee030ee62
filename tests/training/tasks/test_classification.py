"""Classification: class names in, one row of logits an image out."""

import math

import numpy as np
import pandas as pd
import pytest
import torch

from pt4al.errors import InputError
from pt4al.training.tasks import TASKS, classification

LOGITS = np.array([[2.0, 0.0, -1.0], [0.0, 3.0, 0.0], [1.0, 0.0, 0.5], [0.0, 4.0, 0.0]], np.float32)


def test_targets_are_numbers_in_the_order_of_the_classes():
    found = classification.targets(pd.Series(["dog", "cat", "dog"]), ["cat", "dog"])
    assert found.tolist() == [1, 0, 1]
    assert found.dtype == torch.int64


def test_label_that_is_no_class_is_named():
    with pytest.raises(InputError, match="'bird'"):
        classification.targets(pd.Series(["dog", "bird"]), ["cat", "dog"])


def test_loss_is_the_cross_entropy_of_each_image():
    losses = classification.loss(
        lambda images: torch.tensor([[0.0, 0.0], [0.0, math.log(3)]]), None, torch.tensor([0, 0])
    )
    assert losses.tolist() == pytest.approx([math.log(2), math.log(4)])


def test_loss_is_the_cross_entropy_times_the_weight_of_the_class():
    logits, targets = torch.from_numpy(LOGITS), torch.tensor([0, 1, 2, 1])
    plain = classification.loss(lambda images: logits, torch.zeros(4), targets)
    weighted = classification.loss(lambda images: logits, torch.zeros(4), targets, torch.tensor([1.0, 2.0, 0.5]))
    torch.testing.assert_close(weighted, plain * torch.tensor([1.0, 2.0, 0.5, 2.0]))


def test_class_weights_are_the_median_count_over_each_count():
    found = classification.class_weights(torch.tensor([0] * 8 + [1] * 4 + [3] * 2), 4)
    assert found.tolist() == [0.5, 1, 1, 2]  # class 2 doesn't occur


def test_uncertainty_is_the_measure_of_the_probabilities():
    network = lambda images: torch.from_numpy(LOGITS)  # noqa: E731
    for normalise in (False, True):
        found = classification.uncertainty(network, torch.zeros(4), lambda likely: 1 - likely.amax(1), normalise)
        assert found.dtype == torch.float32
        expected = 1 - classification.probabilities(LOGITS, normalise).max(axis=1)
        np.testing.assert_allclose(found, expected, rtol=1e-6)


def test_uncertainty_tells_images_apart_of_which_the_network_is_all_but_certain():
    network = lambda images: torch.tensor([[30.0, 0.0], [29.0, 0.0]])  # noqa: E731
    first, second = classification.uncertainty(network, torch.zeros(2), lambda likely: likely[:, 1]).tolist()
    assert 0 < first < second


def test_probabilities_are_the_softmax_of_the_logits():
    found = classification.probabilities(LOGITS)
    np.testing.assert_allclose(found.sum(axis=1), 1)
    np.testing.assert_allclose(np.log(found[0] / found[0, 0]), LOGITS[0] - LOGITS[0, 0], rtol=1e-6)


def test_probabilities_of_huge_logits_are_numbers():
    assert classification.probabilities(np.array([[1e4, -1e4]], np.float32)).tolist() == [[1.0, 0.0]]


def test_normalised_logits_lose_their_length_and_flatten_every_distribution():
    scales = np.array([[1], [50], [7], [0.1]])  # one an image
    short, long = (classification.probabilities(logits, normalise=True) for logits in (LOGITS, scales * LOGITS))
    np.testing.assert_allclose(short, long, rtol=1e-5)
    # With three classes, a row of length one can give its first class no more than this.
    assert short.max() < math.exp(math.sqrt(2 / 3)) / (math.exp(math.sqrt(2 / 3)) + 2 * math.exp(-math.sqrt(1 / 6)))


def test_metrics_are_those_of_the_best_class():
    found = classification.evaluate(LOGITS, torch.tensor([0, 1, 2, 1]), ["a", "b", "c"])
    assert found["accuracy"] == pytest.approx(3 / 4)
    assert found["balanced_accuracy"] == pytest.approx((1 + 1 + 0) / 3)
    likely = classification.probabilities(LOGITS)[range(4), [0, 1, 2, 1]]
    assert found["loss"] == pytest.approx(-np.log(likely).mean(), rel=1e-5)


def test_balanced_accuracy_counts_a_rare_class_as_much_as_a_common_one():
    logits = np.eye(2, dtype=np.float32)[[0] * 10]
    found = classification.evaluate(logits, torch.tensor([0] * 9 + [1]), ["a", "b"])
    assert found["accuracy"] == pytest.approx(0.9)
    assert found["balanced_accuracy"] == pytest.approx(0.5)


def test_balanced_accuracy_leaves_out_classes_without_test_images():
    # One image of class 0 is taken for class 2, of which there is none.
    found = classification.evaluate(
        np.eye(3, dtype=np.float32)[[0, 2, 1, 1]], torch.tensor([0, 0, 1, 1]), ["a", "b", "c"]
    )
    assert found["balanced_accuracy"] == pytest.approx((1 / 2 + 1) / 2)


def test_accuracy_of_each_class_that_occurs_is_told_by_its_name():
    found = classification.evaluate(LOGITS, torch.tensor([0, 1, 1, 1]), ["a", "b", "c"])
    assert {name: share for name, share in found.items() if name.startswith("accuracy_")} == {
        "accuracy_a": 1,
        "accuracy_b": pytest.approx(2 / 3),
    }


def test_accuracies_of_many_classes_are_not_told_one_by_one():
    classes = [str(number) for number in range(21)]
    assert set(classification.evaluate(np.eye(21, dtype=np.float32), torch.arange(21), classes)) == {
        "accuracy",
        "balanced_accuracy",
        "loss",
    }


@pytest.fixture
def asked(make_network):
    """A network that is not trained, in evaluation mode, and images to ask it about."""
    images = torch.from_numpy(np.random.default_rng(0).integers(0, 256, (6, 1, 8, 8), np.uint8))
    return make_network(outputs=3).eval(), images


def test_sampled_probabilities_differ_by_sample_and_are_the_same_again(asked):
    network, images = asked
    with torch.inference_mode():
        found = classification.sampled(network, images, 4, 0.5, seed=1)
        assert found.shape == (4, 6, 3)
        assert torch.equal(found, classification.sampled(network, images, 4, 0.5, seed=1))
        assert not torch.equal(found, classification.sampled(network, images, 4, 0.5, seed=2))
    torch.testing.assert_close(found.sum(2), torch.ones(4, 6, dtype=torch.float64))
    assert not torch.allclose(found[0], found[1], atol=1e-3)


def test_sampled_probabilities_of_an_image_do_not_depend_on_its_minibatch(asked):
    network, images = asked
    with torch.inference_mode():
        whole = classification.sampled(network, images, 4, 0.5, seed=1)
        torch.testing.assert_close(classification.sampled(network, images[2:4], 4, 0.5, seed=1), whole[:, 2:4])


def test_without_dropout_every_sample_is_the_network_itself(asked):
    network, images = asked
    with torch.inference_mode():
        expected = classification.class_probabilities(network, images).double().expand(3, -1, -1)
        torch.testing.assert_close(classification.sampled(network, images, 3, 0.0, seed=1), expected)


def test_mean_of_many_logits_is_that_without_dropout(asked):
    """Features that stay are scaled up for those that don't."""
    network, images = asked
    with torch.inference_mode():
        logs = classification.sampled(network, images, 4000, 0.5, seed=1).log()
        logits = (logs - logs.mean(2, keepdim=True)).mean(0)
        expected = network(images).double()
        torch.testing.assert_close(logits, expected - expected.mean(1, keepdim=True), atol=0.05, rtol=0.05)


def test_outcomes_name_truth_guess_and_probability_of_each_image():
    found = classification.outcomes(LOGITS, torch.tensor([0, 1, 2, 1]), ["a", "b", "c"])
    assert list(found["label"]) == ["a", "b", "c", "b"]
    right = found["label"] == found["predicted"]
    measured = classification.evaluate(LOGITS, torch.tensor([0, 1, 2, 1]), ["a", "b", "c"])
    assert right.mean() == pytest.approx(measured["accuracy"])
    assert list(found["probability"]) == pytest.approx(classification.probabilities(LOGITS).max(axis=1))


@pytest.mark.parametrize("task", TASKS.values())
def test_the_first_metric_of_the_table_is_the_one_that_is_compared(task):
    assert task.metrics[0].key == task.metric
