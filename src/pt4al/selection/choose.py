"""Choose images by a strategy from arrays, without a run around it: `pt4al.choose`.

Runs call the strategies by `pipelines/cycle/evidence.py`.
"""

from dataclasses import fields
from typing import Any

import numpy as np
import torch

from pt4al.errors import InputError, did_you_mean
from pt4al.randomness import stream
from pt4al.selection.evidence import Evidence
from pt4al.selection.strategies import STRATEGIES, Strategy
from pt4al.selection.uncertainty import MEASURES

# What may be known of candidates, and its dimensions.
KNOWN = {
    "features": 2,
    "probabilities": 2,
    "scores": 1,
    "losses": 1,
    "batches": 1,
    "labelled": 2,
    "weights": 2,
    "biases": 1,
}
APART = {"labelled", "weights", "biases"}  # have no row for each candidate


def choose(
    strategy: str,
    budget: int,
    *,
    seed: int = 0,
    measure: str = "margin",
    options: dict[str, Any] | None = None,
    **known: Any,
) -> np.ndarray:
    """Return the positions of the candidates that a strategy asks for, the most wanted first.

    Parameters
    ----------
    strategy
        A name in `STRATEGIES`: `top`, `badge`, `typiclust`, `uncertainty_herding` ...
    budget
        How many to choose.
    seed
        Of what the strategy draws.
    measure
        Makes scores of probabilities where none are given: `margin`, `entropy` or
        `least_confidence`.
    options
        Settings of the strategy, such as `{"weight": "loss"}`.
    known
        What is known of N candidates, as numpy arrays, tensors or lists: `features` (N, D),
        `probabilities` (N, classes), `scores` (N,), pretext `losses` (N,), `batches` of a ranking
        (N,); of what has a label already the features, `labelled` (L, D); of a linear classifier
        of the features `weights` (classes, D) and `biases` (classes,).

    Returns
    -------
    (budget,) int64, all different.

    Raises
    ------
    InputError
        If something is unknown, missing, or of another shape.

    Examples
    --------
    >>> choose("badge", 10, features=features, probabilities=probabilities, seed=0)
    """
    chooser = _strategy(strategy, options or {})
    head: dict[str, tuple[np.ndarray, np.ndarray]] = {}
    arrays = {name: _array(name, value) for name, value in known.items()}
    if "scores" in chooser.needs and "scores" not in arrays and "probabilities" in arrays:
        arrays["scores"] = _scores(measure, arrays["probabilities"])
    images = _count(arrays)
    if not 1 <= budget <= images:
        raise InputError(f"`budget` is {budget}: there are {images} candidates to choose from")
    if "labelled" in chooser.needs and "features" in arrays:
        arrays.setdefault("labelled", arrays["features"][:0])
    if {"weights", "biases"} <= arrays.keys():
        head = {"head": (arrays.pop("weights"), arrays.pop("biases"))}
    missing = sorted(chooser.needs - arrays.keys() - head.keys())
    if missing:
        lacks = "weights` and `biases" if missing == ["head"] else missing[0]
        raise InputError(f"strategy {strategy} needs `{lacks}`: give it as an argument")
    evidence = _evidence(arrays | head, budget, images, stream(seed, "strategy"))
    return np.asarray(chooser.choose(evidence), np.int64)


def _strategy(name: str, options: dict[str, Any]) -> Strategy:
    if name not in STRATEGIES:
        raise InputError(f"strategy {name!r} is unknown: {did_you_mean(name, STRATEGIES)}")
    settings = [field.name for field in fields(STRATEGIES[name])]
    for option in options:
        if option not in settings:
            has = ", ".join(settings) or "none"
            raise InputError(f"`options` has {option!r}; strategy {name} has these: {has}")
    return STRATEGIES[name](**options)


def _array(name: str, value: Any) -> np.ndarray:
    if name not in KNOWN:
        raise InputError(f"argument {name!r} is unknown: {did_you_mean(name, KNOWN)}")
    array = np.asarray(value, np.float32)
    if array.ndim != KNOWN[name]:
        raise InputError(f"`{name}` has shape {array.shape}: it needs {KNOWN[name]} dimensions")
    if not np.isfinite(array).all():
        row = int(np.argwhere(~np.isfinite(array))[0][0])
        raise InputError(f"`{name}` is not finite in row {row}")
    return array


def _scores(measure: str, probabilities: np.ndarray) -> np.ndarray:
    if measure not in MEASURES:
        raise InputError(f"`measure` {measure!r} is unknown: {did_you_mean(measure, MEASURES)}")
    return MEASURES[measure](torch.from_numpy(probabilities)).numpy()


def _count(arrays: dict[str, np.ndarray]) -> int:
    """Return how many candidates there are; each array has a row for each."""
    counts = {name: len(array) for name, array in arrays.items() if name not in APART}
    if not counts:
        raise InputError("nothing is known of the candidates: give `features` or `probabilities`")
    if len(set(counts.values())) > 1:
        lengths = ", ".join(f"`{name}` {count}" for name, count in counts.items())
        raise InputError(f"arrays differ in their number of candidates: {lengths}")
    return next(iter(counts.values()))


def _evidence(
    known: dict[str, Any], budget: int, images: int, rng: np.random.Generator
) -> Evidence:
    classes = 1
    if "probabilities" in known:
        classes = known["probabilities"].shape[1]
    zeros = np.zeros(images, np.float32)
    known = {"losses": zeros, "batches": zeros} | known
    known["batches"] = known["batches"].astype(np.int64)
    return Evidence(budget=budget, rng=rng, cycle=1, classes=classes, **known)
