"""Summarise what was read from a source, and warn of what a person may have meant otherwise."""

from dataclasses import dataclass

from pt4al.images.collection import Collection
from pt4al.text import confusable

MISSING = {"na", "n/a", "<na>", "#n/a", "nan", "none", "null", "nil", "-", "?"}
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
    warnings = [*source.reading.notes, *_alike(source), *_none(source), *_alone(source, divided)]
    return Summary(sentence, warnings)


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
        others = splits[~splits.isin(used)]
        counts = others.value_counts().sort_index()
        left = [f"{_pictures(count)} of the split `{name}`" for name, count in counts.items()]
        if others.isna().any():
            left.append(f"{_pictures(others.isna().sum())} without a split")
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
        "Classes that differ in case, blanks or a number's spelling alone are taken for different "
        f"ones: {_listed(groups)}"
    ]


def _none(source: Collection) -> list[str]:
    """Name the classes that are what programs write for a value that is missing."""
    names = [repr(name) for name in source.classes if name.casefold() in MISSING]
    if not names:
        return []
    return [
        f"{_listed(names)} {'is' if len(names) == 1 else 'are'} taken for the name of a class: "
        "if it means that there is no label, leave it empty there"
    ]


def _alone(source: Collection, divided: dict[str, Collection]) -> list[str]:
    """Name the classes that no picture of the pool has: in the test split alone, or nowhere."""
    pool, test = (set(divided[name].index["label"].dropna()) for name in ("train", "test"))
    if not pool:
        return []
    warnings = []
    unseen = sorted(test - pool)
    if unseen:
        warnings.append(
            f"Only the test split has pictures of {_listed(list(map(repr, unseen)))}: "
            f"no network can learn {'it' if len(unseen) == 1 else 'them'}, "
            "and all such pictures count as mistakes"
        )
    nowhere = [repr(name) for name in source.classes if name not in pool | test]
    if nowhere:
        warnings.append(
            f"No picture of the pool or the test split is of {_listed(nowhere)}: "
            f"{'it is a class' if len(nowhere) == 1 else 'they are classes'} all the same, "
            "which the network is asked about"
        )
    return warnings


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - NAMED:,} more" if len(names) > NAMED else ""
    return ", ".join(names[:NAMED]) + more
