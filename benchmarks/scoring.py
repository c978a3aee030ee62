"""Benchmark `scoring`: images a second of engine.predict, beside the limit and beside the released code's way."""

import tempfile
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import torch

import bare
import configuration
import pools
import released
from document import Section
from pt4al.training import networks
from pt4al.training.engine import SCORING_MINIBATCH, predict
from pt4al.training.precision import Hardware
from pt4al.training.tasks import classification
from timing import Variant, compared, interleaved

TEXT = f"""
Logits of the main network of `conf/base`. *Limit*: the same network in evaluation mode, same precision and minibatch
({SCORING_MINIBATCH["cpu"]}), in a bare loop over a tensor in memory; `engine.predict` may beat it: it folds the batch
norms. *Released way*: PNG files, one picture at a time through a `DataLoader` (0 or 2 workers, the faster one counts),
fp32, NCHW (`benchmarks/released.py`). Goals: 0.95 of the limit, 4 times the released way.
"""


def measure(hardware: Hardware, quick: bool) -> Section:
    """Score the pool that ships, several times; the released way fewer images of it."""
    settings = configuration.read(params="pool.limit.train=500" if quick else "")
    repeats, few = (1, 50) if quick else (7, 2000)
    with tempfile.TemporaryDirectory() as folder:
        pool, targets = pools.shipped(settings.pool, Path(folder, "pool"))
        count, classes, name = len(pool), int(targets.max()) + 1, settings.main.network
        rows = np.arange(count)
        images = pool.gather(rows)
        paths = released.write_pictures(pool, Path(folder, "pictures"))
        pictures = released.Pictures(paths, targets, released.transform(pool))
        network = networks.build(name, classes, (pool.mean, pool.std), torch.Generator().manual_seed(0))
        plain, outputs = released.network(name, pool.shape[0], classes), classification.outputs
        rates = interleaved(
            {
                "ours": Variant(lambda: predict(network, outputs, pool, hardware, rows), count),
                "limit": Variant(lambda: bare.score(network, outputs, images, hardware), count),
                "0 workers": Variant(partial(released.score, plain, pictures, few, 0), few),
                "2 workers": Variant(partial(released.score, plain, pictures, few, 2), few),
            },
            repeats,
        )
    measured = f"{repeats} rounds of {count:,} images ({few:,} the released way)"
    return Section("scoring", pd.DataFrame([{**compared(rates), "measured": measured}]), TEXT)
