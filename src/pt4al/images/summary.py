"""Say in one sentence what was read from a source, and in a few more what a person may have meant otherwise."""

from dataclasses import dataclass

import pandas as pd

from pt4al.images.collection import Collection
from pt4al.text import confusable

NAMED = 5  # classes, or other names, that a sentence lists


@dataclass(frozen=True)
class Summary:
    """What was read: one sentence; and what is worth a warning, a sentence each."""

    sentence: str
    warnings: list[str]


def summarise(
    source: Collection, divided: dict[str, Collection], taken: dict[str, Collection]
) -> Summary:
    """Return what was read.

    Parameters
    ----------
    source
        All that it holds.
    divided
        `train` (the pool) and `test`.
    taken
        The same, of which as many pictures as settings allow.
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
    """Return what was read of a source that is neither divided nor learnt from."""
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
    held = (
        "held out" if splits.isna().all() or list(own) == ["train"] else f"of the split `{own[0]}`"
    )
    return f"{len(test):,} {held} to test with"


def _left(
    source: Collection, divided: dict[str, Collection], taken: dict[str, Collection]
) -> list[str]:
    """Say which pictures are in neither, and which settings leave out."""
    used = set().union(*(part.index["split"].dropna() for part in divided.values()))
    splits = source.index["split"]
    told = []
    if splits.notna().any():
        others = splits[~splits.isin(used)].fillna("without a split").value_counts().sort_index()
        told = [f"{_pictures(count)} of the split `{name}`" for name, count in others.items()]
    limited = sum(len(part) for part in divided.values()) - sum(
        len(part) for part in taken.values()
    )
    return told + ([f"{_pictures(limited)} by `pool.limit` or `pool.imbalance`"] if limited else [])


def _pictures(count: int) -> str:
    return f"{count:,} {'picture' if count == 1 else 'pictures'}"


def _alike(source: Collection) -> list[str]:
    groups = confusable(source.classes)
    told = [" and ".join(repr(name) for name in group) for group in groups]
    return (
        [
            f"Classes that differ in case or blanks alone are taken for different ones: {_listed(told)}"
        ]
        if told
        else []
    )


def _alone(divided: dict[str, Collection]) -> list[str]:
    """Name the classes that only the test split has."""
    pool, test = (pd.unique(divided[name].index["label"].dropna()) for name in ("train", "test"))
    if not len(pool) or not len(test):
        return []
    unseen = sorted(set(test) - set(pool))
    if not unseen:
        return []
    return [
        f"Only the test split has pictures of {_listed(list(map(repr, unseen)))}: no network can learn "
        f"{'it' if len(unseen) == 1 else 'them'}, and all such pictures count as mistakes"
    ]


def _listed(names: list[str]) -> str:
    return ", ".join(names[:NAMED]) + (
        f" and {len(names) - NAMED:,} more" if len(names) > NAMED else ""
    )
