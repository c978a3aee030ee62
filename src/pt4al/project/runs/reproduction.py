"""Compare the published run, as it was made here, with what was published."""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from pt4al.errors import InputError, counted
from pt4al.files.whole import replacing
from pt4al.project.runs.folder import RunFolder

RUN = "published"
REFERENCE = "reference"  # the folder of what was published, which git keeps
QUERIES = "queries.csv"
CURVE = "learning_curve.csv"
MADE_ON = "made_on.json"
METRIC = "accuracy"
EQUAL = "accuracies equal"


@dataclass(frozen=True)
class Outcome:
    """The result of a run of the published settings.

    Attributes
    ----------
    queries
        One row an image asked for, in the order of asking; columns `cycle`, `id`.
    curve
        One row a cycle; columns `labels` and `accuracy` (0 to 1).
    machines
        Lines on the machines that have made it.
    """

    queries: pd.DataFrame
    curve: pd.DataFrame
    machines: list[str]


@dataclass(frozen=True)
class Verdict:
    """Whether two outcomes are the same, in words."""

    same: bool
    lines: list[str]


def made(root: Path) -> Outcome:
    """Return the result of the run in the folder `root`."""
    folder = RunFolder(root, RUN)
    cycles = sorted(folder.record.glob("cycle_*/query.parquet"), key=_number)
    if not cycles or not (folder.reports / CURVE).exists():
        raise InputError(
            f"{root}: the published run has not been made here: "
            "type `make repro`, or `dvc repro`, first"
        )
    asked = [pd.read_parquet(path)[["id"]].assign(cycle=_number(path)) for path in cycles]
    return Outcome(
        queries=pd.concat(asked, ignore_index=True)[["cycle", "id"]],
        curve=pd.read_csv(folder.reports / CURVE)[["labels", METRIC]],
        machines=_machines(folder.reports / MADE_ON),
    )


def published(root: Path) -> Outcome:
    """Return what `publish` wrote."""
    folder = root / REFERENCE
    for name in (QUERIES, CURVE):
        if not (folder / name).exists():
            raise InputError(
                f"{folder / name}: nothing is published to compare with; "
                "`make publish` writes it, from the run as it is here"
            )
    return Outcome(
        queries=pd.read_csv(folder / QUERIES, dtype={"id": str}, keep_default_na=False),
        curve=pd.read_csv(folder / CURVE),
        machines=_machines(folder / MADE_ON),
    )


def publish(root: Path, outcome: Outcome) -> Path:
    """Write what later runs are compared with; return its folder."""
    folder = root / REFERENCE
    with replacing(folder / QUERIES) as temporary:
        outcome.queries.to_csv(temporary, index=False, encoding="utf-8")
    with replacing(folder / CURVE) as temporary:
        outcome.curve.to_csv(temporary, index=False)
    with replacing(folder / MADE_ON) as temporary:
        text = json.dumps(outcome.machines, indent=2, ensure_ascii=False)
        temporary.write_text(text + "\n", encoding="utf-8")
    return folder


def compare(then: Outcome, now: Outcome, noise: float) -> Verdict:
    """Return whether a run is the published one and, if not, what differs first.

    Parameters
    ----------
    noise
        Points of accuracy by which a run may differ whose numbers were rounded otherwise.
    """
    asked_then = _by_cycle(then.queries)
    asked_now = _by_cycle(now.queries)
    cycles = sorted(asked_then.keys() | asked_now.keys())
    other = [cycle for cycle in cycles if asked_then.get(cycle) != asked_now.get(cycle)]
    accuracies, close = _compare_accuracies(then.curve, now.curve, noise)
    same = f"{len(cycles) - len(other)} of {counted(len(cycles), 'cycle')}"
    lines = [f"the same queries in {same}; {accuracies}"]
    if other:
        lines.append(_first_difference(other[0], asked_then, asked_now))
    if other or accuracies != EQUAL:
        lines.append(f"published: {_joined(then.machines)}")
        lines.append(f"here:      {_joined(now.machines)}")
    return Verdict(same=close and not other, lines=lines)


def _compare_accuracies(then: pd.DataFrame, now: pd.DataFrame, noise: float) -> tuple[str, bool]:
    """Return a sentence on the accuracies, and whether they count as the same."""
    if list(then["labels"]) != list(now["labels"]):
        published = _listed(then["labels"])
        here = _listed(now["labels"])
        return f"other numbers of labels: {published} published, {here} here", False
    published = 100 * then[METRIC].to_numpy()
    here = 100 * now[METRIC].to_numpy()
    apart = np.abs(here - published)
    if not apart.any():
        return EQUAL, True
    furthest = int(apart.argmax())
    where = f"cycle {furthest}: {published[furthest]:.2f} % published, {here[furthest]:.2f} % here"
    if apart.max() <= noise:
        return (
            f"accuracies within the stated noise of {noise:g} points (furthest apart in {where})",
            True,
        )
    return f"accuracies differ by more than the stated noise of {noise:g} points ({where})", False


def _first_difference(cycle: int, then: dict[int, list[str]], now: dict[int, list[str]]) -> str:
    published = then.get(cycle, [])
    here = now.get(cycle, [])
    shared = len(set(published) & set(here))
    place = 0
    while place < min(len(published), len(here)) and published[place] == here[place]:
        place += 1
    first, instead = (ids[place] if place < len(ids) else "nothing" for ids in (published, here))
    images = counted(len(published), "image")
    return (
        f"first difference: cycle {cycle}, which shares {shared} of {images}; "
        f"image {place + 1} was {first}, and is {instead} here"
    )


def _by_cycle(queries: pd.DataFrame) -> dict[int, list[str]]:
    return {int(cycle): list(asked["id"]) for cycle, asked in queries.groupby("cycle", sort=True)}


def _machines(path: Path) -> list[str]:
    return list(json.loads(path.read_text(encoding="utf-8"))) if path.exists() else []


def _number(query: Path) -> int:
    return int(query.parent.name.removeprefix("cycle_"))


def _joined(machines: list[str]) -> str:
    return "; ".join(machines) or "on an unknown machine"


def _listed(numbers: pd.Series) -> str:
    return "/".join(map(str, numbers))
