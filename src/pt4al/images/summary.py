"""Summarise what was read from a source, and warn of what a person may have meant otherwise."""

from dataclasses import dataclass

import pandas as pd

from pt4al.images.collection import Collection
from pt4al.text import confusable

NAMED = 5  # classes, or other names, that a sentence lists


@dataclass(frozen=True)
class Summary:
    """What was read, in one sentence, and warnings of a sentence each."""

    sentence: str
    warnings: list[str]


def summarise(
    source: Collection, divided: dict[str, Collection], taken: dict[str, Collection]
) -> Summary:
    """Return what was read.

    Parameters
    ----------
    source
        The whole source.
    divided
        `train` (the pool) and `test`.
    taken
        The same, with as many pictures as settings allow.
    """
    pool = taken["train"]
    test = taken["test"]
    parts = [f"{_classes(source)}; {_pictures(len(pool))} in the pool, {_tested(source, test)}"]
    left = [*source.reading.left_out, *_left(source, divided, taken)]
    if left:
        parts.append(f"left out: {', '.join(left)}")
    reading = source.reading
    layout = f"{reading.layout} ({reading.detail})" if reading.detail else reading.layout
    sentence = f"read {layout} at {reading.place}: {'; '.join(parts)}"
    return Summary(sentence, [*source.reading.notes, *_alike(source), *_alone(divided)])


def listed(source: Collection) -> str:
    """Return what was read from a source that is neither divided nor trained on."""
    left = f"; left out: {', '.join(source.reading.left_out)}" if source.reading.left_out else ""
    return f"read {source.reading.layout} at {source.reading.place}: {_pictures(len(source))}{left}"


def _classes(source: Collection) -> str:
    names = source.classes
    if not names:
        return "no labels"
    many = f"{len(names):,} {'class' if len(names) == 1 else 'classes'}"
    return f"{many} ({', '.join(names)})" if len(names) <= NAMED else many


def _tested(source: Collection, test: Collection) -> str:
    if not len(test):
        return "none to test with"
    splits = source.index["split"]
    own = test.index["split"].dropna().unique()
    if splits.isna().all() or list(own) == ["train"]:
        return f"{len(test):,} held out to test with"
    return f"{len(test):,} of the split `{own[0]}` to test with"


def _left(
    source: Collection, divided: dict[str, Collection], taken: dict[str, Collection]
) -> list[str]:
    """Say which pictures are in neither, and which settings leave out."""
    used = set().union(*(part.index["split"].dropna() for part in divided.values()))
    splits = source.index["split"]
    left = []
    if splits.notna().any():
        others = splits[~splits.isin(used)].fillna("without a split").value_counts().sort_index()
        left = [f"{_pictures(count)} of the split `{name}`" for name, count in others.items()]
    limited = sum(len(divided[name]) - len(taken[name]) for name in divided)
    if limited:
        left.append(f"{_pictures(limited)} by `pool.limit` or `pool.imbalance`")
    return left


def _pictures(count: int) -> str:
    return f"{count:,} {'picture' if count == 1 else 'pictures'}"


def _alike(source: Collection) -> list[str]:
    groups = [" and ".join(map(repr, group)) for group in confusable(source.classes)]
    if not groups:
        return []
    return [
        "Classes that differ in case or blanks alone are taken for different ones: "
        f"{_listed(groups)}"
    ]


def _alone(divided: dict[str, Collection]) -> list[str]:
    """Name the classes that only the test split has."""
    pool, test = (pd.unique(divided[name].index["label"].dropna()) for name in ("train", "test"))
    if not len(pool) or not len(test):
        return []
    unseen = sorted(set(test) - set(pool))
    if not unseen:
        return []
    return [
        f"Only the test split has pictures of {_listed([repr(name) for name in unseen])}: "
        f"no network can learn {'it' if len(unseen) == 1 else 'them'}, "
        "and all such pictures count as mistakes"
    ]


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - NAMED:,} more" if len(names) > NAMED else ""
    return ", ".join(names[:NAMED]) + more
