"""Advise when to stop labelling, by named rules."""

from collections.abc import Callable

import pandas as pd

Advice = tuple[bool | None, str]  # whether to stop, None if the data can't say; and a sentence


def target(curve: pd.DataFrame, ahead: pd.DataFrame | None, least: float) -> Advice:
    """Stop when the lower end of the interval of the newest value is at least the target.

    To look after each cycle is to have several chances of being wrong: docs/studies/2026-11-25-people_study.md says
    how often it was.
    """
    low = curve["low"].iloc[-1]
    reached = bool(low >= least)
    is_below = "is" if reached else "is not yet"
    return reached, (
        f"The target of {100 * least:.1f} % {is_below} below the newest interval, which begins at "
        f"{100 * low:.1f} %."
    )


def gain(curve: pd.DataFrame, ahead: pd.DataFrame | None, least: float) -> Advice:
    """Stop when the next cycle is expected to gain less than a threshold."""
    if ahead is None or ahead.empty:
        return (
            None,
            "What the next cycle would gain can't be said: it takes three cycles, and one to come.",
        )
    more, most = 100 * ahead[["gain", "most"]].iloc[0]
    return bool(more < least), (
        f"The next cycle is expected to gain {more:.1f} points, {most:.1f} at most (95 %); the "
        f"threshold is {least:g}."
    )


def flat(curve: pd.DataFrame, ahead: pd.DataFrame | None, least: float) -> Advice:
    """Stop when all cycles to come gain less than a threshold, even at the band's upper end."""
    if ahead is None or ahead.empty:
        return (
            None,
            "Whether the curve is flat can't be said: it takes three cycles, and one to come.",
        )
    most = 100 * ahead["most"].max()
    which = "The cycle" if len(ahead) == 1 else f"All {len(ahead)} cycles"
    return bool(most < least), (
        f"{which} to come would gain {most:.1f} points at most (95 %); the threshold is {least:g}."
    )


STOP_RULES: dict[str, Callable[[pd.DataFrame, pd.DataFrame | None, float], Advice]] = {
    "target": target,
    "gain": gain,
    "flat": flat,
}


def advise(
    curve: pd.DataFrame, ahead: pd.DataFrame | None, thresholds: dict[str, float | None]
) -> list[dict]:
    """Return `rule`, `stop`, `sentence` of each rule that has a threshold.

    Parameters
    ----------
    curve
        `labels`, `value`, `low`, `high`, one row a cycle; `low` of the narrowest interval there is.
    ahead
        The cycles to come, as `forecast` returns them; None if it can't say.
    thresholds
        By rule: a value from 0 to 1 for `target`, points for the others.
    """
    advice = []
    for name, threshold in thresholds.items():
        if threshold is not None:
            stop, sentence = STOP_RULES[name](curve, ahead, threshold)
            advice.append({"rule": name, "stop": stop, "sentence": sentence})
    return advice
