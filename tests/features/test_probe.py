"""The linear probe: as good a head as there is on features that stay as they are."""

import time

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from pt4al.features.probe import fit, fit_calibrated, is_right, narrowed, probe
from pt4al.training.engine import predict
from pt4al.training.networks import Network
from pt4al.training.tasks import classification
from support.hardware import HARDWARE


def test_probe_learns_real_images_from_few_labels_and_leaves_the_trunk_alone(fashion, make_network):
    pool, targets = fashion
    network = make_network()
    trunk = {name: weight.clone() for name, weight in network.trunk.state_dict().items()}
    start = time.perf_counter()
    curve = probe(network, pool, np.arange(128), targets[:128], HARDWARE)
    assert time.perf_counter() - start < 10
    logits = predict(network, classification.outputs, pool, HARDWARE, np.arange(128, 256))
    # By chance one of ten would be right; these are features of a trunk that was drawn at random.
    assert (torch.from_numpy(logits).argmax(1) == targets[128:]).float().mean() > 0.4
    assert all(torch.equal(weight, network.trunk.state_dict()[name]) for name, weight in trunk.items())
    assert list(curve.columns) == ["epoch", "steps", "loss", "learning_rate"]
    assert len(curve) == 1
    assert curve["steps"].item() > 0


def test_loss_of_the_curve_is_that_of_the_fitted_network(fashion, make_network):
    pool, targets = fashion
    network = make_network()
    curve = probe(network, pool, np.arange(64), targets[:64], HARDWARE)
    losses = predict(network, classification.loss, pool, HARDWARE, np.arange(64), targets[:64])
    assert curve["loss"].item() == pytest.approx(losses.mean(), rel=1e-3)


def test_probe_is_the_same_to_the_byte_when_it_is_fitted_again(fashion, make_network):
    pool, targets = fashion
    heads = []
    for _ in range(2):
        network = make_network()
        probe(network, pool, np.arange(64), targets[:64], HARDWARE)
        heads.append(network.head.weight)
    assert torch.equal(*heads)


def test_weights_make_a_rare_class_count_more(fashion, make_network):
    pool, targets = fashion
    rows = np.concatenate([np.flatnonzero(targets == 0)[:20], np.flatnonzero(targets == 6)[:2]])  # T-shirt, shirt
    answers = {}
    for name, weights in (("plain", None), ("balanced", classification.class_weights(targets[rows], 10))):
        network = make_network()
        probe(network, pool, rows, targets[rows], HARDWARE, weights)
        answers[name] = predict(network, classification.outputs, pool, HARDWARE)[:, [0, 6]].argmax(1).mean()
    assert answers["balanced"] > answers["plain"]


def clouds(classes: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Points around one corner a class, of features on very different scales."""
    rng = np.random.default_rng(seed)
    targets = np.arange(20 * classes) % classes
    features = np.eye(classes, 6)[targets] * 4 + rng.normal(0, 0.5, (len(targets), 6))
    return (features * [1, 10, 100, 1, 1, 0.01] + 50).astype(np.float32), targets


@given(classes=st.integers(1, 6), first=st.integers(0, 3), seed=st.integers(0, 100))
def test_classes_are_told_apart_and_those_without_labels_are_never_the_answer(classes, first, seed):
    features, targets = clouds(classes, seed)
    weight, bias, _ = fit(features, targets + first, 10)
    logits = features @ weight.T + bias
    assert np.isfinite(logits).all()
    assert (logits.argmax(1) == targets + first).mean() > 0.9
    unseen = np.setdiff1d(np.arange(10), targets + first)
    anywhere = np.random.default_rng(seed).normal(50, 100, (50, 6)) @ weight.T + bias
    assert (anywhere[:, unseen].max(1) < anywhere.max(1) - 9.9).all()


@pytest.mark.parametrize("classes", [2, 3])
def test_probabilities_are_scikit_learns(classes):
    from sklearn.linear_model import LogisticRegression
    from sklearn.preprocessing import StandardScaler

    from pt4al.features.probe import C

    features, targets = clouds(classes)
    weight, bias, _ = fit(features, targets, classes)
    found = classification.probabilities(features @ weight.T + bias)
    scaled = StandardScaler().fit_transform(features.astype(np.float64))
    expected = LogisticRegression(C=C, max_iter=1000).fit(scaled, targets).predict_proba(scaled)
    np.testing.assert_allclose(found, expected, atol=1e-3)


def test_feature_that_never_changes_is_no_trouble():
    features, targets = clouds(3)
    features[:, 0] = 7
    weight, bias, _ = fit(features, targets, 3)
    assert np.isfinite(weight).all()
    assert np.isfinite(bias).all()


def test_probed_network_is_an_ordinary_one(fashion, make_network, tmp_path):
    from pt4al.training.networks import load, save

    pool, targets = fashion
    network = make_network()
    probe(network, pool, np.arange(64), targets[:64], HARDWARE)
    save(network, tmp_path / "network.safetensors")
    again = load(tmp_path / "network.safetensors")
    assert isinstance(again, Network)
    outputs = [predict(one, classification.outputs, pool, HARDWARE, np.arange(16)) for one in (network, again)]
    pd.testing.assert_frame_equal(*map(pd.DataFrame, outputs))


def test_calibration_changes_no_answer_and_makes_unseen_labels_likelier():
    rng = np.random.default_rng(0)
    corners = rng.normal(0, 1, (5, 200))
    targets = np.arange(600) % 5
    features = (corners[targets] + rng.normal(0, 8, (600, 200))).astype(np.float32)
    plain, calibrated = (way(features[:60], targets[:60], 5) for way in (fit, fit_calibrated))
    unseen, truths = features[60:], torch.from_numpy(targets[60:])
    logits = [torch.from_numpy(unseen @ weight.T + bias) for weight, bias, _ in (plain, calibrated)]
    assert torch.equal(logits[0].argmax(1), logits[1].argmax(1))
    before, after = (torch.nn.functional.cross_entropy(found, truths) for found in logits)
    assert after < before


@pytest.mark.parametrize("targets", [[0], [0, 1], [0, 0], [0, 1, 2], [0, 0, 0, 0, 1]])
def test_few_labels_are_calibrated_too(targets: list[int]):
    features = np.random.default_rng(0).normal(size=(len(targets), 8)).astype(np.float32)
    weight, bias, _ = fit_calibrated(features, np.array(targets), 4)
    assert np.isfinite(weight).all()
    assert np.isfinite(bias).all()


def test_narrow_features_keep_the_directions_in_which_images_differ_most():
    rng = np.random.default_rng(0)
    scale = np.array([10.0, 5.0, 0.01, 0.01])
    features = (rng.normal(size=(50, 4)) * scale).astype(np.float32)
    narrow = narrowed(features, 2)
    assert (narrow.shape, narrow.dtype) == ((50, 2), np.float32)
    centred = features - features.mean(axis=0)
    np.testing.assert_allclose((narrow**2).sum(axis=1), (centred**2).sum(axis=1), atol=0.01)
    assert narrowed(features, 4) is features
    assert narrowed(features[:3], 3).shape == (3, 3)  # fewer images than features


def test_a_probe_is_right_about_what_lies_where_it_has_learnt():
    rng = np.random.default_rng(0)
    targets = rng.integers(3, size=90)
    features = (4 * np.eye(3)[targets] + rng.normal(size=(90, 3))).astype(np.float32)
    right = is_right(features, targets, 3, np.arange(60), np.arange(60, 90))
    assert right.shape == (30,)
    assert right.mean() > 0.9
    two_known = np.flatnonzero(targets < 2)
    assert not is_right(features, targets, 3, two_known, np.flatnonzero(targets == 2)).any()
