"""Estimate within one run how many random labels would be as good as the labels that it has.

No page says it: in 608 simulated cases the rule below let a number be said in 2 %, and the truth was
in the interval in 11 of these 14. benchmarks/savings_study.py measures it.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from pt4al.errors import counted
from pt4al.statistics.forecast import power_law
from pt4al.statistics.intervals import LEVEL

# Takes rows of the label set to learn from and rows to answer; returns whether each answer is right.
Probe = Callable[[np.ndarray, np.ndarray], np.ndarray]

FOLDS = 5
REPEATS = 3  # divisions into folds, each with another order of the random labels
SIZES = 4  # numbers of random labels to learn from: the most, a half of it, a quarter ...
RESAMPLES = 400
REACH = 100  # times the most random labels: how far the curve is looked up
POINTS = 500
# What is missing to a curve's ceiling shrinks by a power of the labels between these. Where it is
# freer, curves of few labels end their rise too early: docs/studies/2026-11-27-savings_study.md.
RATES = np.linspace(0.3, 0.8, 11)
# Standard deviation of a probe's accuracy from one sample of n random labels to another, times the
# root of n; and the part of its square that the points of one curve share.
LUCK = 0.2
SHARED = 0.7
NOTHING = "nothing"
UNKNOWN = {"needed": None, "low": None, "high": None}
# The rule of what is said, stated before anything is computed.
FEWEST = 50  # random labels
MOST = 5000  # labels: a probe of more takes minutes, and a random run says it better
WIDEST = 4  # times the low end of an interval
FURTHEST = 2  # times the most random labels that a probe has learnt from


@dataclass(frozen=True)
class CrossFit:
    """How often probes are right about random images that they have not learnt from.

    Attributes
    ----------
    sizes
        Numbers of random labels that probes have learnt from, rising, (sizes,).
    by_random
        Share of right answers to each random image after so many, (sizes, images).
    by_all
        Whether it is right after all labels but those of the image's own fold, (images,).
    """

    sizes: np.ndarray
    by_random: np.ndarray
    by_all: np.ndarray


def estimate(labels: int, at_random: np.ndarray, probe: Probe, rng: np.random.Generator) -> dict:
    """Estimate how many random labels a probe needs to be as good as with all labels of a run.

    Probes learn from growing parts of the random labels, and from all labels, and are measured on
    random ones that they have not learnt from, by cross-fitting. A power law with a ceiling is
    fitted to the first; where it reaches the accuracy of the second is the estimate. The 95 %
    interval is that of a bootstrap over the random images, to whose curves the luck of a training
    sample is added.

    Supposes that the random labels are a simple random sample of the pool, that accuracy rises by
    such a law beyond them, and that a fifth of the random labels more would not change the ratio.

    Parameters
    ----------
    labels
        How many the run has: the rows that `probe` takes are 0 to `labels` - 1.
    at_random
        Rows of those that were drawn at random, distinct.

    Returns
    -------
    `labels`, `random` (how many were drawn at random), `says`, `sentence`, and, if it `says`
    `about` and not `nothing`, `needed`, `low` and `high` (random labels); else they are None.
    """
    excuse = too_few(labels, len(at_random))
    if excuse:
        return excuse
    numbers = interval(labels, at_random, probe, rng)
    said = describe(labels, len(at_random), numbers)
    if said["says"] == NOTHING:
        return {"labels": labels, "random": len(at_random)} | UNKNOWN | said
    return {"labels": labels, "random": len(at_random)} | numbers | said


def interval(labels: int, at_random: np.ndarray, probe: Probe, rng: np.random.Generator) -> dict[str, float]:
    """Return `needed`, `low` and `high`, perhaps infinite, of which the rule says nothing yet.

    The arguments are those of `estimate`. In simulated runs such intervals held the truth too
    seldom where they reach far: docs/studies/2026-11-27-savings_study.md.
    """
    found = cross_fit(labels, at_random, probe, rng)
    # Each probe of all labels lacked a fold of the random ones.
    scale = labels / (labels - len(at_random) / FOLDS)
    resampled = scale * random_needed(found, rng)
    ends = [(1 - LEVEL) / 2, (1 + LEVEL) / 2]
    # No interpolation between resamples: some of them are infinite.
    low, high = np.quantile(resampled, ends, method="inverted_cdf")
    return {"needed": float(np.median(resampled)), "low": float(low), "high": float(high)}


def too_few(labels: int, at_random: int) -> dict | None:
    """Return what `estimate` returns where it does not try: too few random labels, or many others."""
    if at_random < FEWEST:
        why = f"{counted(at_random, 'label')} drawn at random, and it takes {FEWEST}"
    elif labels > MOST:
        why = f"it is tried with at most {MOST:,} labels"
    else:
        return None
    return {"labels": labels, "random": at_random} | UNKNOWN | _nothing(why)


def cross_fit(labels: int, at_random: np.ndarray, probe: Probe, rng: np.random.Generator) -> CrossFit:
    """Measure probes of random labels, and of all labels, on random images of other folds."""
    images = len(at_random)
    most = images - int(np.ceil(images / FOLDS))
    sizes = np.unique(np.round(most * 2.0 ** -np.arange(SIZES)).astype(np.int64).clip(1))
    by_random = np.zeros((len(sizes), images))
    by_all = np.zeros(images)
    every = np.arange(labels)
    for repeat in range(REPEATS):
        fold = rng.permutation(images) % FOLDS
        for turn in range(FOLDS):
            held_out = fold == turn
            asked = at_random[held_out]
            others = rng.permutation(at_random[~held_out])
            for number, size in enumerate(sizes):
                by_random[number, held_out] += probe(others[:size], asked)
            # Once: it takes most of the time, and orders of the random labels don't change it.
            if repeat == 0:
                by_all[held_out] = probe(np.setdiff1d(every, asked), asked)
    return CrossFit(sizes, by_random / REPEATS, by_all)


def random_needed(found: CrossFit, rng: np.random.Generator) -> np.ndarray:
    """Return bootstrap draws, (resamples,), of the random labels that reach `by_all`'s accuracy.

    At least the fewest that a probe has learnt from; infinite where the curve never gets there.
    """
    images = len(found.by_all)
    drawn = rng.multinomial(images, np.full(images, 1 / images), size=RESAMPLES) / images
    luck = LUCK / np.sqrt(images)
    together = np.sqrt(SHARED) * rng.normal(size=(RESAMPLES, 1))
    apart = np.sqrt(1 - SHARED) * rng.normal(size=(RESAMPLES, len(found.sizes)))
    curves = drawn @ found.by_random.T + luck * (together + apart)
    targets = drawn @ found.by_all
    ahead = np.geomspace(found.sizes[0], REACH * found.sizes[-1], POINTS)
    noise = np.full(len(found.sizes), luck)
    fitted = power_law(found.sizes, curves, noise, ahead, RATES)
    reached = fitted >= targets[:, None]
    return np.where(reached.any(axis=1), ahead[reached.argmax(axis=1)], np.inf)


def describe(labels: int, at_random: int, numbers: dict[str, float]) -> dict[str, str]:
    """Say by the rule what an interval says: `says` and `sentence`.

    Parameters
    ----------
    labels, at_random
        How many the run has, and how many of them were drawn at random.
    numbers
        What `interval` returns.
    """
    needed, low, high = (numbers[name] for name in ("needed", "low", "high"))
    learnt = at_random * (1 - 1 / FOLDS)
    if needed > FURTHEST * learnt:
        return _nothing(
            f"the {at_random:,} of them are too few to continue their learning curve as far as "
            f"the accuracy of all {labels:,} labels"
        )
    if high > WIDEST * low:
        return _nothing(f"the {at_random:,} of them are too few to tell within a factor of {WIDEST}")
    sentence = (
        f"These {labels:,} labels are about as good as {_rounded(needed)} random labels (between "
        f"{_rounded(low)} and {_rounded(high)}, 95 %), under a linear probe of the features."
    )
    return {"says": "about", "sentence": sentence}


def _nothing(why: str) -> dict[str, str]:
    sentence = f"This run's own random labels can't say it either: {why}."
    return {"says": NOTHING, "sentence": sentence}


def _rounded(number: float) -> str:
    """Return a number with two digits that count."""
    return f"{float(f'{number:.2g}'):,.0f}"
