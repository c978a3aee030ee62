"""Checks of settings against a source: weights, labels, budgets. Each raises InputError before anything is computed."""

from pathlib import Path

import pandas as pd
from safetensors import SafetensorError, safe_open

from pt4al.annotation.formats.spreadsheet import read_answers
from pt4al.errors import InputError, counted
from pt4al.images.collection import Collection
from pt4al.project.configuration.parameters import Parameters
from pt4al.project.runs.folder import Runs
from pt4al.project.runs.pool_labels import take_known
from pt4al.selection import control as controls
from pt4al.selection import ranking
from pt4al.selection.candidates import asked_for, check_budget

BEFORE = ["features", "pretext", "main"]  # blocks whose network may start from a file


def check_files(parameters: Parameters) -> None:
    """Raise InputError if a file of weights is not there, or no such file."""
    for name in BEFORE:
        path = getattr(parameters, name).weights
        if path is not None:
            _check_weights(f"{name}.weights", Path(path))


def check_labels(parameters: Parameters, parts: dict[str, Collection]) -> None:
    """Raise InputError if labels are missing."""
    pool = parts["train"]
    path = parameters.pool.source.path
    if parameters.oracle.kind == "people":
        if not (parameters.oracle.classes or pool.classes):
            raise InputError(
                f"{path} doesn't say which classes there are: name them,"
                " oracle.classes=cat/dog/rabbit"
            )
        return
    masks = parameters.main.task == "segmentation"
    if masks and pool.masks is None:
        raise InputError(f"`main.task: segmentation` needs a mask for each image; {path} has none")
    answered, tested = (
        (part.masked.sum() if masks else len(part.labels)) for part in parts.values()
    )
    if answered < len(pool):
        raise InputError(
            f"{len(pool) - answered} of {len(pool)} images of {path} have no recorded label:"
            " `oracle.kind: recorded` needs one for each; `oracle.kind: people` asks you for a few"
            " of them" + "".join(f". {note}" for note in pool.reading.notes)
        )
    if not pool.classes:
        raise InputError(
            f"{path} doesn't say which classes there are: name them, pool.classes=cat/dog/rabbit"
        )
    if not len(parts["test"]):
        raise InputError(
            f"`pool.test` is {parameters.pool.test}, which holds out none of the {len(pool)}"
            f" pictures of {path}: nothing could be evaluated. Hold out a larger share,"
            " pool.test=0.5"
        )
    if not tested:
        raise InputError(f"the test split of {path} has no labels: nothing could be evaluated")


def check_budgets(parameters: Parameters, images: int, known: int = 0) -> None:
    """Raise InputError if a pool of so many images, of which `known` have a label already, is too small."""
    share = parameters.ranking.share
    held = ranking.held(images, share)
    try:
        _check_budgets(parameters, held, known)
    except InputError as error:
        if held == images:
            raise
        raise InputError(
            f"{error} (`ranking.share` {share:g} holds {held} of the pool's {images} images)"
        ) from None


def _check_budgets(parameters: Parameters, images: int, known: int) -> None:
    budgets = parameters.cycles.budgets
    query = parameters.query
    share = parameters.control.share
    check_budget(images, budgets, query.scope, parameters.ranking.drop)
    if sum(budgets) > images - known:
        raise InputError(
            f"{asked_for(budgets)}; of the pool's {counted(images, 'image')} {known} have one"
            " already: lower it, or `cycles.number`"
        )
    if share == "auto" or not share:
        return
    if 0 in [controls.size(budget, share) for budget in budgets]:
        raise InputError(
            f"`control.share` {share:g} of `cycles.budget` {min(budgets)} leaves nothing to choose:"
            " raise the budget, or set `control.share` to 0"
        )
    smallest = (images - 2 * int(images * parameters.ranking.drop)) // len(budgets)
    largest = max(budgets)
    chosen = largest - controls.size(largest, share)
    apart = controls.reserved(images - known, budgets, share)
    if query.scope == "batch" and chosen > smallest - min(apart, smallest):
        raise InputError(
            f"`query.scope: batch` chooses {chosen} of a batch of {smallest} images, of which up to"
            f" {apart} may be set apart for control slices: lower `cycles.budget` or `control.share`"
        )


def check_cold_start(parameters: Parameters, images: int) -> None:
    """Raise InputError if pipeline `cold_start` can't do what it is asked for."""
    if parameters.main.task != "classification":
        raise InputError(
            "pipeline cold_start is for `main.task: classification` alone: it fits a linear probe"
        )
    largest = max(parameters.cold_start.budgets)
    whole = parameters.query.scope == "pool"
    images = ranking.held(images, parameters.ranking.share)
    some = (
        images
        if whole
        else (images - 2 * int(images * parameters.ranking.drop)) // parameters.cycles.number
    )
    if largest > some:
        raise InputError(
            f"`cold_start.budgets` asks for {counted(largest, 'label')}; {counted(some, 'image')}"
            " may be asked for"
        )


def known_labels(parameters: Parameters, pool: Collection, runs: Runs | None = None) -> int:
    """Return how many images people have labelled before a run; InputError if that can't be used.

    Parameters
    ----------
    runs
        All runs of the project; needed where other runs' labels are meant.
    """
    oracle = parameters.oracle
    if oracle.knows_pool:
        known = take_known(runs, parameters, pool.index["id"], oracle.classes or pool.classes)
        return len(known)
    if oracle.kind != "people" or oracle.known_labels is None:
        return 0
    if not Path(oracle.known_labels).is_file():
        raise InputError(f"`oracle.known_labels` is {oracle.known_labels}: there is no such file")
    answers, problems = read_answers(
        Path(oracle.known_labels), pool.index["id"], oracle.classes or pool.classes
    )
    if len(problems):
        first = problems.iloc[0]
        raise InputError(
            f"{oracle.known_labels} (`oracle.known_labels`): {len(problems)} rows can't be used,"
            f" the first is row {first['row']}: {first['problem']}"
        )
    return len({answer.id for answer in answers if answer.label})


def _check_weights(name: str, path: Path) -> None:
    if not path.is_file():
        raise InputError(f"`{name}` is {path}: there is no such file of pretrained weights")
    try:
        with safe_open(path, framework="pt") as opened:
            opened.keys()
    except (SafetensorError, OSError) as error:
        raise InputError(
            f"`{name}` is {path}, which is no safetensors file, or is damaged: {error}"
        ) from None


def check_label_set(
    parameters: Parameters, label_set: pd.DataFrame | None, pool: Collection
) -> None:
    """Raise InputError if an image that a run has a label for is no longer in the source."""
    if label_set is None:
        return
    ids = label_set["id"]
    gone = ids[~ids.isin(pool.index["id"])]
    if len(gone):
        raise InputError(
            f"{len(gone)} images that run {parameters.run.name!r} has labels for are no longer in"
            f" {parameters.pool.source.path}, the first is {gone.iloc[0]!r}: put them back, or use"
            " another run.name"
        )
