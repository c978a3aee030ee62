"""Pretext task `embedding`: no training; distance of an image from others in features.

Source: Hacohen, Dekel, Weinshall, "Active Learning on a Budget: Opposite Strategies Suit High and
Low Budgets", ICML 2022. Their typicality is the inverse of the mean distance to the 20 nearest
neighbours, between features of unit length; this is that distance, so that the least typical images
are the hardest.
"""

import numpy as np
import torch
from torch.nn.functional import normalize

from pt4al.images.pool import ImagePool
from pt4al.pretext.task import PretextTask
from pt4al.randomness import stream
from pt4al.training.engine import predict
from pt4al.training.networks import Network
from pt4al.training.precision import Hardware

NEIGHBOURS = 20
# Larger pools search neighbours in a random sample of this size: 410 MB of 2,048 features.
MOST = 50_000
CHUNK = 256  # images whose distances to the sample are held at once: 51 MB


class Embedding(PretextTask):
    """Score images by their distance to their nearest neighbours; nothing is trained."""

    trains = False

    def score(
        self, network: Network, pool: ImagePool, hardware: Hardware, rows: np.ndarray | None = None
    ) -> np.ndarray:
        """Return each row's mean distance to its 20 nearest neighbours in the pool, (N,) float32.

        Exact for pools of up to 50,000 images. In larger ones, neighbours are searched in a random
        sample of as many: all distances are larger than in the whole pool.
        """
        rows = np.arange(len(pool)) if rows is None else rows
        sample = np.arange(len(pool))
        if len(pool) > MOST:
            sample = np.sort(stream(0, "neighbours").choice(len(pool), MOST, replace=False))
        vectors = predict(network, features, pool, hardware, sample, title="features")
        reference = torch.from_numpy(vectors).to(hardware.device)
        scores = np.empty(len(rows), np.float32)
        inside = np.isin(rows, sample)
        own = torch.from_numpy(np.searchsorted(sample, rows[inside])).to(hardware.device)
        near = [distance(reference[chunk], reference, itself=True) for chunk in own.split(CHUNK)]
        scores[inside] = torch.cat(near).cpu().numpy()
        if not inside.all():

            def outside(network: Network, images: torch.Tensor) -> torch.Tensor:
                return distance(features(network, images), reference)

            scores[~inside] = predict(
                network, outside, pool, hardware, rows[~inside], title="neighbours"
            )
        return scores


def features(network: Network, images: torch.Tensor) -> torch.Tensor:
    """Return features of unit length, (B, width)."""
    return normalize(network.features(images))


def distance(points: torch.Tensor, reference: torch.Tensor, itself: bool = False) -> torch.Tensor:
    """Return the mean distance to the 20 nearest of `reference` (M, width), (B,).

    `itself`: the points are among the reference, and are not counted.
    """
    with torch.autocast(points.device.type, enabled=False):
        distances = torch.cdist(points, reference)
    near = distances.topk(min(NEIGHBOURS + itself, len(reference)), largest=False).values
    return near[:, itself:].mean(1)
