"""One step of `large_pool.py`, in a process of its own; prints what it found as JSON."""

import argparse
import json
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch

import pools
from confined import peak
from imagenet_like import RECIPE
from pt4al.images import keeping, pixels
from pt4al.images.building import build
from pt4al.images.pool import open_pool
from pt4al.images.sources import SOURCES
from pt4al.images.splits import divide
from pt4al.selection.uncertainty import margin
from pt4al.training import networks
from pt4al.training.engine import SCORING_MINIBATCH, predict
from pt4al.training.precision import Hardware
from pt4al.training.tasks import classification
from timing import seconds

CLASSES = 1000
WARM_UP = 1024  # images


def ingest(options: argparse.Namespace) -> dict[str, Any]:
    """Build the pool of a folder of npz files by the real source, on top of an older one if there is one."""
    pixels.SHARD = options.shard_bytes

    def run() -> None:
        collection = divide(SOURCES["imagenet_npz"](str(options.source)), "auto")["train"]
        build(collection, options.pool, RECIPE, options.previous)

    taken = seconds(run)
    return {"seconds": taken, "peak": peak(), "images": keeping.manifest(options.pool, pixels.PIXELS)["images"]}


def copy(options: argparse.Namespace) -> dict[str, Any]:
    """Make a pool of a larger pool's first images."""
    large = open_pool(options.source)
    chunks = np.split(np.arange(options.images), range(pools.CHUNK, options.images, pools.CHUNK))
    pools.write(options.pool, options.images, (large.gather(rows).numpy() for rows in chunks))
    return {"images": options.images}


def score(options: argparse.Namespace) -> dict[str, Any]:
    """Score a pool, or `images` of it in blocks at even intervals, by the margin of a small network."""
    pool = open_pool(options.pool)
    rows = _spread(len(pool), options.images or len(pool))
    generator = torch.Generator().manual_seed(0)
    network = networks.build("resnet8_w16", CLASSES, (pool.mean, pool.std), generator)
    function, hardware = partial(classification.uncertainty, measure=margin), Hardware("cpu", options.precision)
    predict(network, function, pool, hardware, rows[:WARM_UP])
    taken = seconds(lambda: predict(network, function, pool, hardware, rows))
    return {"seconds": taken, "peak": peak(), "images": len(rows)}


def _spread(total: int, wanted: int) -> np.ndarray:
    """Return row numbers in whole minibatches, from all over the pool."""
    if wanted >= total:
        return np.arange(total)
    size = SCORING_MINIBATCH["cpu"]
    blocks = np.unique(np.linspace(0, total // size - 1, max(1, wanted // size)).astype(int))
    return (blocks[:, None] * size + np.arange(size)).ravel()


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("step", choices=[step.__name__ for step in (ingest, copy, score)])
    arguments.add_argument("--pool", type=Path, required=True)
    arguments.add_argument("--source", type=Path)
    arguments.add_argument("--previous", type=Path)
    arguments.add_argument("--images", type=int, default=0)
    arguments.add_argument("--shard-bytes", type=int, default=pixels.SHARD)
    arguments.add_argument("--precision", default="fp32")
    options = arguments.parse_args()
    print(json.dumps({"ingest": ingest, "copy": copy, "score": score}[options.step](options)))


if __name__ == "__main__":
    main()
