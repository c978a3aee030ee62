"""Choose images by a strategy from arrays, without a run around it: `pt4al.choose`.

Runs call the strategies by `pipelines/cycle/evidence.py`.
"""

from dataclasses import fields
from numbers import Integral
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
UNEVEN = 0.02  # by which probabilities may miss 1: those in bf16 do
APART = {"labelled", "weights", "biases"}  # have no row for each candidate


def choose(
    strategy: str | Strategy,
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
        A name in `STRATEGIES`: `top`, `badge`, `typiclust`, `uncertainty_herding` ...; or one of
        your own, an object with `needs` and `choose(evidence)`.
    budget
        How many to choose.
    seed
        Of what the strategy draws.
    measure
        Makes scores of probabilities where none are given: `margin`, `entropy` or
        `least_confidence`.
    options
        Settings of a strategy that is named, such as `{"weight": "loss"}`.
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
        If something is unknown, missing, or of another shape; or a strategy of your own returns
        no `budget` different positions.

    Examples
    --------
    >>> choose("badge", 10, features=features, probabilities=probabilities, seed=0)
    """
    chooser = _strategy(strategy, options or {})
    name = strategy if isinstance(strategy, str) else type(strategy).__name__
    head: dict[str, tuple[np.ndarray, np.ndarray]] = {}
    arrays = {name: _array(name, value) for name, value in known.items()}
    if "scores" in chooser.needs and "scores" not in arrays and "probabilities" in arrays:
        arrays["scores"] = _scores(measure, arrays["probabilities"])
    images = _count(arrays)
    if not isinstance(budget, Integral) or not 1 <= budget <= images:
        raise InputError(
            f"`budget` is {budget}: it must be a whole number from 1 to {images}, since there are "
            f"{images} candidates to choose from"
        )
    if not isinstance(seed, Integral) or seed < 0:
        raise InputError(f"`seed` is {seed!r}: it must be a whole number from 0 on")
    if "labelled" in chooser.needs and "features" in arrays:
        arrays.setdefault("labelled", arrays["features"][:0])
    _check_values(arrays)
    if {"weights", "biases"} <= arrays.keys():
        head = {"head": (arrays.pop("weights"), arrays.pop("biases"))}
    missing = sorted(chooser.needs - arrays.keys() - head.keys())
    if missing:
        lacks = "weights` and `biases" if missing == ["head"] else missing[0]
        raise InputError(f"strategy {name} needs `{lacks}`: give it as an argument")
    evidence = _evidence(arrays | head, budget, images, stream(seed, "strategy"))
    chosen = np.asarray(chooser.choose(evidence), np.int64)
    inside = np.unique(chosen[(chosen >= 0) & (chosen < images)])
    if chosen.shape != (budget,) or len(inside) != budget:
        raise InputError(
            f"strategy {name} returned {chosen.tolist()}: it must be {budget} different positions "
            f"from 0 to {images - 1}"
        )
    return chosen


def _strategy(name: str | Strategy, options: dict[str, Any]) -> Strategy:
    if hasattr(name, "choose") and hasattr(name, "needs"):
        if options:
            raise InputError("`options` are for a strategy that is named: set them in your own")
        return name
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


def _check_values(arrays: dict[str, np.ndarray]) -> None:
    if "probabilities" in arrays:
        sums = arrays["probabilities"].sum(axis=1)
        row = int(np.abs(sums - 1).argmax())
        if abs(sums[row] - 1) > UNEVEN or arrays["probabilities"].min() < 0:
            raise InputError(
                f"`probabilities` of row {row} add up to {sums[row]:.3g}: they must be from 0 to 1, "
                "and add up to 1"
            )
    if {"features", "labelled"} <= arrays.keys():
        widths = arrays["features"].shape[1], arrays["labelled"].shape[1]
        if widths[0] != widths[1]:
            raise InputError(
                f"`labelled` has {widths[1]} numbers a row, and `features` {widths[0]}: both must "
                "be features of the same network"
            )


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
