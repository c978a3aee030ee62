"""Find labels that are likely wrong: by probes of the features that have not seen them.

Source: confident learning (Northcutt, Jiang, Chuang, "Confident Learning: Estimating Uncertainty in
Dataset Labels", JAIR 2021); the choices and the ranking are those of its library, cleanlab 2.9, with
`filter_by="confident_learning"` and `normalized_margin`.
"""

import json

import numpy as np
import pandas as pd

from pt4al.features.probe import fit

FOLDS = 5
FEWEST = 4  # labels of a class that can be judged: each fold then has some of it to learn from
NEAR = 3  # labelled images of the suggested class that are shown beside a suspect
TOLERANCE = 1e-6  # below a threshold, as cleanlab has it
COLUMNS = {
    "id": "str",
    "label": "str",
    "suggested": "str",
    "quality": "float64",
    "suspicious": "bool",
    "near": "str",
}


def none_found() -> pd.DataFrame:
    """Return the table of `find_suspects` without a row."""
    return pd.DataFrame({name: pd.Series(dtype=dtype) for name, dtype in COLUMNS.items()})


def find_suspects(
    ids: pd.Series,
    features: np.ndarray,
    targets: np.ndarray,
    classes: list[str],
    rng: np.random.Generator,
) -> pd.DataFrame:
    """Return how well each label fits what probes of all other labels say, the worst first.

    Parameters
    ----------
    ids, features, targets
        Of the labelled images: (N,), (N, width), and the number of each one's class, (N,).
    classes
        Names of the classes.
    rng
        Draws the folds.

    Returns
    -------
    `id`, `label`, `suggested` (the likeliest class), `quality` (0 to 1: the normalised margin of
    the label), `suspicious` (whether the label is confidently another one), `near` (JSON list: ids
    of up to three labelled images of the suggested class, the nearest by cosine first). Labels of
    classes that have fewer than 4 are left out: no probe could have learnt them. Empty if fewer
    than two classes have 4.
    """
    counts = np.bincount(targets, minlength=len(classes))
    judged = np.flatnonzero(counts[targets] >= FEWEST)
    if (counts >= FEWEST).sum() < 2:
        return none_found()
    features = np.asarray(features[judged], np.float32)
    ids = ids.iloc[judged].reset_index(drop=True)
    targets = targets[judged]
    probabilities = cross_fitted(features, targets, len(classes), rng)
    suggested = probabilities.argmax(axis=1)
    names = np.array(classes, object)
    table = pd.DataFrame(
        {
            "id": ids,
            "label": names[targets],
            "suggested": names[suggested],
            "quality": normalised_margin(targets, probabilities),
            "suspicious": confidently_others(targets, probabilities),
            "near": _nearest_of(features, targets, suggested, ids),
        }
    )
    return table.astype(COLUMNS).sort_values("quality", kind="stable", ignore_index=True)


def cross_fitted(
    features: np.ndarray, targets: np.ndarray, classes: int, rng: np.random.Generator
) -> np.ndarray:
    """Return probabilities of the classes, (N, classes), each by a probe of the other folds.

    Every class is spread over the folds as evenly as can be.
    """
    order = rng.permutation(len(targets))
    order = order[np.argsort(targets[order], kind="stable")]
    fold = np.empty(len(targets), np.int64)
    fold[order] = np.arange(len(targets)) % FOLDS
    probabilities = np.empty((len(targets), classes))
    for turn in range(FOLDS):
        unseen = fold == turn
        weight, bias, _ = fit(features[~unseen], targets[~unseen], classes)
        logits = (features[unseen] @ weight.T + bias).astype(np.float64)
        likely = np.exp(logits - logits.max(axis=1, keepdims=True))
        probabilities[unseen] = likely / likely.sum(axis=1, keepdims=True)
    return probabilities


def normalised_margin(targets: np.ndarray, probabilities: np.ndarray) -> np.ndarray:
    """Return the quality of labels, (N,): the lead of a label over the best other class, as 0 to 1."""
    every = np.arange(len(targets))
    others = probabilities.copy()
    others[every, targets] = -np.inf
    return (probabilities[every, targets] - others.max(axis=1) + 1) / 2


def confidently_others(targets: np.ndarray, probabilities: np.ndarray) -> np.ndarray:
    """Return which labels are counted off the diagonal of the confident joint, (N,) bool.

    An image belongs confidently to a class whose probability is at least the mean of that class's
    own images; of several such classes to the likeliest one. A label that is itself the likeliest
    class is none of them.
    """
    seen = np.unique(targets)
    thresholds = np.full(probabilities.shape[1], np.inf)
    for number in seen:
        thresholds[number] = probabilities[targets == number, number].mean()
    confident = probabilities >= thresholds - TOLERANCE
    likeliest = probabilities.argmax(axis=1)
    several = confident.sum(axis=1) > 1
    guessed = np.where(several, likeliest, confident.argmax(axis=1))
    return confident.any(axis=1) & (guessed != targets) & (likeliest != targets)


def _nearest_of(
    features: np.ndarray, targets: np.ndarray, suggested: np.ndarray, ids: pd.Series
) -> list[str]:
    """Return ids of the nearest images that have the class suggested for each image, as JSON."""
    units = features / np.maximum(np.linalg.norm(features, axis=1, keepdims=True), 1e-12)
    names = ids.to_numpy(object)
    near = [""] * len(ids)
    for number in np.unique(suggested):
        wanted = np.flatnonzero(suggested == number)
        known = np.flatnonzero(targets == number)
        likeness = units[wanted] @ units[known].T
        likeness[wanted[:, None] == known] = -np.inf
        order = np.argsort(-likeness, axis=1, kind="stable")[:, :NEAR]
        for row, best in zip(wanted, order, strict=True):
            near[row] = json.dumps([names[known[one]] for one in best if known[one] != row])
    return near
