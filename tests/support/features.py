"""Made-up pictures, and a small network that looks at them, here and in other processes."""

import numpy as np
import pandas as pd

from pt4al.features import scoring, writing
from pt4al.features.backbones import Backbone, weights_digest
from pt4al.images import parallel
from pt4al.images.collection import Collection
from pt4al.images.decode import Frame
from pt4al.randomness import stream, torch_generator
from pt4al.training import networks

SIDE = 16  # pixels


def album(pictures: list | np.ndarray, ids: list[str] | None = None, stamps: list[str] | None = None) -> Collection:
    """Return a collection of pictures (arrays or encoded bytes)."""
    usual = [f"picture {row}" for row in range(len(pictures))]
    index = pd.DataFrame(
        {
            "id": pd.Series(ids or usual, dtype="str"),
            "source": "album",
            "split": "train",
            "stamp": pd.Series(stamps or ["1"] * len(pictures), dtype="str"),
            "label": "a",
        }
    )
    return Collection(index, ["a"], lambda wanted: (pictures[row] for row in wanted))


def small_backbone(seed: int = 0) -> Backbone:
    """Return a network with random weights for images of 16 x 16 pixels."""
    generator = torch_generator(stream(seed, "backbone"))
    network = networks.build("resnet8_w16", 1, ([120.0] * 3, [70.0] * 3), generator).eval()
    return Backbone("small", network, 64, Frame(3, SIDE, SIDE), "bilinear", weights_digest(network))


def small_shards() -> None:
    """Let shards have four pictures, looked at two by two, soon after they are asked for."""
    writing.FEWEST = 4
    scoring.PIXELS = {"cpu": 2 * SIDE * SIDE}
    parallel.AHEAD = 1
