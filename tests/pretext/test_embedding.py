"""Embedding: an image is the harder the further its nearest neighbours are."""

import numpy as np
import pytest
from scipy.spatial import KDTree

from pt4al.pretext import embedding
from pt4al.pretext.embedding import NEIGHBOURS, Embedding, features
from pt4al.training.engine import predict


@pytest.fixture
def network(make_network):
    return make_network(Embedding())


@pytest.fixture
def found(fashion, network, hardware) -> np.ndarray:
    """Features of unit length."""
    return predict(network, features, fashion, hardware)


def test_score_is_the_mean_distance_to_the_20_nearest_others(fashion, network, hardware, found):
    distances, _ = KDTree(found).query(found, NEIGHBOURS + 1)
    score = Embedding().score(network, fashion, hardware)
    np.testing.assert_allclose(score, distances[:, 1:].mean(1), rtol=1e-4)


def test_an_image_unlike_all_others_is_the_hardest(make_pool, make_network, hardware):
    images = np.full((60, 1, 12, 12), 100, np.uint8) + np.random.default_rng(0).integers(
        0, 9, (60, 1, 12, 12), np.uint8
    )
    images[17, :, ::2] = 255  # stripes
    assert Embedding().score(make_network(Embedding()), make_pool(images), hardware).argmax() == 17


def test_a_large_pool_looks_among_a_sample(fashion, network, hardware, found, monkeypatch):
    monkeypatch.setattr(embedding, "MOST", 200)
    exact, score = KDTree(found).query(found, NEIGHBOURS + 1)[0][:, 1:].mean(1), Embedding().score
    among = score(network, fashion, hardware)
    assert (among >= exact * (1 - 1e-4)).all()  # fewer images lie nowhere nearer
    assert np.corrcoef(among, exact)[0, 1] > 0.98
    np.testing.assert_allclose(
        score(network, fashion, hardware, np.array([255, 3, 90])), among[[255, 3, 90]], rtol=1e-4
    )


def test_a_pool_smaller_than_a_neighbourhood_is_its_own(make_pool, network, hardware):
    images = np.random.default_rng(0).integers(0, 256, (5, 1, 12, 12), np.uint8)
    pool = make_pool(images)
    all_ = predict(network, features, pool, hardware)
    expected = np.linalg.norm(all_[:, None] - all_, axis=2).sum(1) / 4
    np.testing.assert_allclose(Embedding().score(network, pool, hardware), expected, rtol=1e-4)


def test_a_task_without_training_says_so(network):
    assert not Embedding.trains
    with pytest.raises(NotImplementedError, match="Embedding has no loss to train on"):
        Embedding().loss(network, None)
