"""Nodes of stage `pool`."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import pandas as pd

from pt4al.images.collection import Collection
from pt4al.images.pool import build
from pt4al.images.sources import SOURCES
from pt4al.labelling.label_set import empty
from pt4al.parameters import Pool
from pt4al.randomness import stream

Write = Callable[[Path], None]


def collect(pool: Pool, split: str) -> Collection:
    """Return what the source holds of a split, before anything is decoded."""
    collection = SOURCES[pool.source.kind](Path(pool.source.path), split).named(pool.classes)
    # Seed 0, not the run's: every run on a pool must see the same images.
    return collection.sample(getattr(pool.limit, split), stream(0, f"limit {split}"))


def build_pool(pool: Pool) -> tuple[Write, pd.DataFrame, list[str]]:
    """Return the pool, the oracle's labels, and the names of the classes."""
    collection = collect(pool, "train")
    return _writer(collection, pool, "train"), collection.labels, collection.classes


def build_test_pool(pool: Pool) -> tuple[Write, pd.DataFrame]:
    """Return the test split's images and labels."""
    collection = collect(pool, "test")
    return _writer(collection, pool, "test"), collection.labels


def start() -> pd.DataFrame:
    """Return the label set before cycle 0."""
    return empty()


def _writer(collection: Collection, pool: Pool, split: str) -> Write:
    return partial(build, collection, channels=pool.channels, noise=pool.noise, rng=stream(0, f"noise {split}"))
