"""Say in words who wins a comparison, by the rule that was stated before it."""

import pandas as pd

from pt4al.errors import InputError
from pt4al.statistics.paired import POINTS, paired

# What a curve is summed up by, in words.
METRICS = {"area": "area under the curve", "final": "final value", "low_budget": "low-budget mean"}


def verdict(summary: pd.DataFrame, rule: dict, floor: dict | None) -> dict:
    """Apply the rule: a win is a gain over every opponent that is large enough, significant and beyond the noise.

    Parameters
    ----------
    summary
        See `pt4al.statistics.comparison.summary`.
    rule
        `claim`, an arm; `against`, others; `metric`: `area`, `final` or `low_budget`; `alpha`, for
        p corrected by Holm over the rule's own tests; `least_gain` in points.
    floor
        See `pt4al.statistics.paired.noise_floor`.

    Returns
    -------
    `won`; `headline`, a line; `rule`, the rule in words; `sentences`, one an opponent.

    Raises
    ------
    InputError
        If the rule names no opponent but the arm itself, or an arm without cells.
    """
    claim = rule["claim"]
    against = [arm for arm in dict.fromkeys(rule["against"]) if arm != claim]
    if not against:
        raise InputError(f"`comparison.rule.against` names no arm to compare {claim} with")
    for arm in [claim, *against]:
        if not (summary["arm"] == arm).any():
            raise InputError(f"`comparison.rule` names arm {arm}, which has no cells")
    arms = summary[summary["arm"].isin([claim, *against])]
    # The claim as the opponent: one test for each of the others, seen from the other side.
    tests = paired(arms, rule["metric"], [claim])
    tests = tests.assign(difference=-tests["difference"], low=-tests["high"], high=-tests["low"])
    judged = {row["arm"]: _judge(row, rule, floor) for row in tests.to_dict("records")}
    lost = [arm for arm in against if judged[arm][0]]
    beaten = [arm for arm in against if arm not in lost]
    if not beaten:
        headline = f"{claim} does not beat {_listed(lost, 'or')}"
    else:
        headline = f"{claim} beats {_listed(beaten)}" + (
            f", but not {_listed(lost, 'or')}" if lost else ""
        )
    return {
        "won": not lost,
        "headline": headline,
        "rule": _rule(rule, against, floor),
        "sentences": [judged[arm][1] for arm in against],
    }


def best(summary: pd.DataFrame, rule: dict) -> str:
    """Say which arm has the highest mean of the rule's metric, and which arms can't be told from it."""
    metric = rule["metric"]
    means = summary[summary["repeat"] == 0].groupby("arm", sort=False)[metric].mean()
    tests = paired(summary, metric, [means.idxmax()])
    level = list(tests.loc[tests["p_holm"] >= rule["alpha"], "arm"])
    told = (
        f"{_listed(level)} can't be told from it"
        if level
        else "every other arm is significantly lower"
    )
    return (
        f"{means.idxmax()} has the highest {METRICS[metric]} ({POINTS * means.max():.1f} %); {told} "
        f"(paired t-tests, Holm's correction over {len(tests)})."
    )


def _judge(test: dict, rule: dict, floor: dict | None) -> tuple[list[str], str]:
    """Return what is missing for a win over one opponent, and the sentence that says so."""
    difference = test["difference"]
    p = test["p_holm"]
    shortcomings = []
    if p >= rule["alpha"]:
        shortcomings.append("it is not significant")
    if difference <= 0:
        shortcomings.append("it is no gain" if shortcomings else "it is a significant loss")
    elif difference < rule["least_gain"]:
        shortcomings.append(f"it is less than {rule['least_gain']:g}")
    if floor and abs(difference) <= floor["floor"]:
        shortcomings.append(f"it is within the noise floor of {floor['floor']:.2f}")
    facts = f"95 % interval {points(test['low'])} to {points(test['high'])}, p {p_text(p)}, {test['seeds']} seeds"
    outcome = f"no win: {_listed(shortcomings)}" if shortcomings else "a win"
    return shortcomings, f"Against {test['arm']}: {points(difference)} points ({facts}): {outcome}."


def _rule(rule: dict, against: list[str], floor: dict | None) -> str:
    noise = f" and more than the noise floor of {floor['floor']:.2f} points" if floor else ""
    return (
        f"{rule['claim']} wins if its {METRICS[rule['metric']]} is at least {rule['least_gain']:g} points{noise} above "
        f"that of {_listed(against)}, with p < {rule['alpha']:g} after Holm's correction over {len(against)}."
        + ("" if floor else " The noise floor was not measured.")
    )


def points(difference: float) -> str:
    """Return a difference for people: `+1.2`, never `-0.0`."""
    return f"{difference:+z.1f}"


def p_text(p: float) -> str:
    """Return a p-value for people: `0.012`, `< 0.001`."""
    return "< 0.001" if p < 0.001 else f"{p:.3f}"


def _listed(names: list[str], last: str = "and") -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} {last} {names[-1]}"
