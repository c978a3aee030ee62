"""Check pretext losses before any label: do they read content, tell images apart, agree?"""

from collections import Counter
from itertools import combinations

import numpy as np
import pandas as pd

from pt4al.statistics.correlation import rank_correlation

SHORTCUT = 0.7  # a correlation below this is an alarm: docs/pretext_audit.md has the measurements
NEAR_ZERO = 0.01  # of the mean loss of the first epoch
SATURATED = 0.5  # share of the losses near zero above which there is an alarm
# Of the loss of guessing: a network whose mean loss is above it has learnt nothing.
AT_CHANCE = 0.95
AGAINST_NOTHING = (
    "Train longer (`pretext.schedule.minimum_steps`, `pretext.schedule.epochs`), or take more "
    "pictures."
)
AGAINST_SHORTCUTS = "Set `pool.noise: 4`, or take pictures that were never compressed."
AGAINST_SATURATION = (
    "Train less (`pretext.schedule.epochs`), or set `pretext.losses: cross_fitted`."
)
COLUMNS = ["check", "value", "low", "high", "alarm", "sentence"]


def checks(
    noisy: tuple[np.ndarray, np.ndarray] | None,
    losses: np.ndarray,
    first_epoch: float | None,
    chance: float | None = None,
) -> pd.DataFrame:
    """Return what can be said of a pretext network without a label.

    Parameters
    ----------
    noisy
        Losses of a sample as it is and with noise too faint to see, (N,) each; None if that was not
        tried.
    losses
        Those that rank the pool, (M,).
    first_epoch
        Mean loss of the first epoch of training: what a network that has learnt little gets. None
        without training.
    chance
        The loss of guessing: ln 4 for rotation. None where a task has none.

    Returns
    -------
    One row a check: `check`, `value`, `low`, `high` (of a 95 % interval; NaN where there is none),
    `alarm`, `sentence`.
    """
    rows = [] if noisy is None else [_shortcut(*noisy)]
    if first_epoch is not None:
        learnt_nothing = chance is not None and float(np.mean(losses)) > AT_CHANCE * chance
        if learnt_nothing:
            rows.append(_learnt_nothing(losses, chance))
        else:
            rows.append(_saturation(losses, first_epoch))
    return pd.DataFrame(rows, columns=COLUMNS).astype(
        {"value": float, "low": float, "high": float, "alarm": bool}
    )


def _shortcut(clean: np.ndarray, faint: np.ndarray) -> dict:
    result = rank_correlation(clean, faint)
    value = result["correlation"]
    low = result["low"]
    high = result["high"]
    if value is None:
        sentence = "All losses are the same: they rank nothing."
        return {"check": "shortcut", "alarm": True, "sentence": sentence}
    measured = (
        "with noise of 4 of 255 grey levels, which nobody sees, the losses keep their order at "
        f"{value:.2f} (95 % interval {low:.2f} to {high:.2f}, {result['images']:,} images)"
    )
    if value < SHORTCUT:
        sentence = (
            f"The network reads traces, of compression perhaps, not content: {measured}. "
            f"{AGAINST_SHORTCUTS}"
        )
    else:
        sentence = f"No sign of a shortcut: {measured}."
    return {
        "check": "shortcut",
        "value": value,
        "low": low,
        "high": high,
        "alarm": value < SHORTCUT,
        "sentence": sentence,
    }


def _learnt_nothing(losses: np.ndarray, chance: float) -> dict:
    mean = float(np.mean(losses))
    sentence = (
        f"The network has learnt nothing: the mean loss is {mean:.3f}, and guessing gets "
        f"{chance:.3f}, so that the ranking is chance. {AGAINST_NOTHING}"
    )
    return {"check": "learning", "value": mean / chance, "alarm": True, "sentence": sentence}


def _saturation(losses: np.ndarray, first_epoch: float) -> dict:
    share = float(np.mean(losses < NEAR_ZERO * first_epoch))
    alarm = share > SATURATED
    measured = (
        f"{100 * share:.0f} % of the losses are below a hundredth of the first epoch's mean, "
        f"{first_epoch:.2g}"
    )
    if alarm:
        sentence = f"The task is too easy, or memorised: {measured}. {AGAINST_SATURATION}"
    else:
        sentence = f"The task still tells images apart: {measured}."
    return {"check": "saturation", "value": share, "alarm": alarm, "sentence": sentence}


def agreement(losses: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """Return how far rankings agree: the rank correlation of each two.

    Parameters
    ----------
    losses
        By name, `id` and `pretext_loss` of the same images, in any order.

    Returns
    -------
    One row a pair, each pair once: `one`, `other`, `correlation`, `low`, `high`, `images`.
    """
    columns = {name: table.set_index("id")["pretext_loss"] for name, table in losses.items()}
    rows = []
    for one, other in combinations(columns, 2):
        paired = columns[other].loc[columns[one].index]
        rows.append({"one": one, "other": other, **rank_correlation(columns[one], paired)})
    return pd.DataFrame(rows, columns=["one", "other", "correlation", "low", "high", "images"])


def distinct_names(settings: dict[str, dict]) -> dict[str, str]:
    """Return names by the settings that differ; equal names get the key's last letters."""
    values: dict[str, set[str]] = {}
    for facts in settings.values():
        for name, value in facts.items():
            values.setdefault(name, set()).add(str(value))
    differing = [name for name, different in values.items() if len(different) > 1]
    names = {}
    for key, facts in settings.items():
        names[key] = ", ".join(_setting(name, facts.get(name)) for name in differing)
    counts = Counter(names.values())
    for key, name in names.items():
        if counts[name] > 1:
            names[key] = f"{name} {key[-4:]}".strip()
    return names


def _setting(name: str, value: object) -> str:
    return value if isinstance(value, str) else f"{name.rpartition('.')[2]} {value}"
