"""List what a source holds; nothing is decoded yet, and neither torch nor a drawing library is needed."""

import logging
from functools import partial

from pt4al.errors import InputError
from pt4al.images import sources, summary
from pt4al.images.collection import Collection
from pt4al.images.imbalance import subsample_classes
from pt4al.images.splits import divide
from pt4al.images.summary import Summary
from pt4al.pipelines.remembered import once
from pt4al.project.configuration.source import Listing

logger = logging.getLogger(__name__)


def collect(pool: Listing) -> dict[str, Collection]:
    """Return what the source holds for `train` (the pool) and `test`, not decoded yet."""
    return _taken(pool, _divided(pool))


def summarise(pool: Listing) -> Summary:
    """Return what was read, in words."""
    divided = _divided(pool)
    return summary.summarise(read_source(pool), divided, _taken(pool, divided))


def tell_source(pool: Listing) -> None:
    """Log what was read, and what a person may have meant otherwise."""
    words = summarise(pool)
    logger.info("%s", words.sentence)
    for sentence in words.warnings:
        logger.warning("%s", sentence)


def read_source(pool: Listing) -> Collection:
    """Return all that the source holds, listed once a command."""
    source = pool.source
    read = partial(sources.read, source.kind, source.path, dict(source.columns))
    return once(f"listing of {source!r}", read).named(pool.classes)


def _divided(pool: Listing) -> dict[str, Collection]:
    source = read_source(pool)
    parts = divide(source, pool.test)
    if not len(parts["train"]):
        splits = sorted(source.index["split"].dropna().unique())
        why = f": of its splits ({', '.join(splits)}) none is `train`" if splits else ""
        raise InputError(f"{pool.source.path}: holds no pictures for the pool{why}")
    return parts


def _taken(pool: Listing, parts: dict[str, Collection]) -> dict[str, Collection]:
    # Before the limit, which says how many images there are whatever their classes.
    parts = parts | {
        "train": subsample_classes(parts["train"], pool.imbalance.kind, pool.imbalance.factor)
    }
    return {split: part.sample(getattr(pool.limit, split)) for split, part in parts.items()}
