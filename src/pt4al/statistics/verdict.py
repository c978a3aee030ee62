"""Say in words who wins a comparison, by the rule that was stated before it."""

from dataclasses import dataclass

import pandas as pd

from pt4al.errors import InputError
from pt4al.statistics.paired import POINTS, paired

# What a curve is summed up by, in words.
CURVE_SUMMARIES = {
    "area": "area under the curve",
    "final": "final value",
    "low_budget": "low-budget mean",
}


@dataclass(frozen=True)
class Rule:
    """Who wins, stated before the run.

    Attributes
    ----------
    claim
        The arm that is said to be better.
    against
        The arms that it has to beat.
    metric
        `area`, `final` or `low_budget`.
    alpha
        For p corrected by Holm over the rule's own tests.
    least_gain
        In points.
    """

    claim: str
    against: list[str]
    metric: str
    alpha: float
    least_gain: float


@dataclass(frozen=True)
class Verdict:
    """Whether the claim won; a line that says so; the rule in words; and a sentence an opponent."""

    won: bool
    headline: str
    rule: str
    sentences: list[str]


def verdict(summary: pd.DataFrame, rule: Rule, floor: dict | None) -> Verdict:
    """Apply the rule: a win is a large, significant gain over every opponent, beyond the noise.

    Parameters
    ----------
    summary
        See `pt4al.statistics.comparison.summary`.
    floor
        See `pt4al.statistics.paired.noise_floor`.

    Raises
    ------
    InputError
        If the rule names no opponent but the arm itself, or an arm without cells.
    """
    claim = rule.claim
    against = [arm for arm in dict.fromkeys(rule.against) if arm != claim]
    if not against:
        raise InputError(f"`comparison.rule.against` names no arm to compare {claim} with")
    for arm in [claim, *against]:
        if not (summary["arm"] == arm).any():
            raise InputError(f"`comparison.rule` names arm {arm}, which has no cells")
    arms = summary[summary["arm"].isin([claim, *against])]
    # The claim as the opponent: one test for each of the others, seen from the other side.
    tests = paired(arms, rule.metric, [claim])
    tests = tests.assign(difference=-tests["difference"], low=-tests["high"], high=-tests["low"])
    shortcomings = {}
    sentences = {}
    for test in tests.to_dict("records"):
        shortcomings[test["arm"]] = _shortcomings(test, rule, floor)
        sentences[test["arm"]] = _sentence(test, shortcomings[test["arm"]])
    lost = [arm for arm in against if shortcomings[arm]]
    beaten = [arm for arm in against if not shortcomings[arm]]
    if not beaten:
        headline = f"{claim} does not beat {_listed(lost, 'or')}"
    elif lost:
        headline = f"{claim} beats {_listed(beaten)}, but not {_listed(lost, 'or')}"
    else:
        headline = f"{claim} beats {_listed(beaten)}"
    return Verdict(
        won=not lost,
        headline=headline,
        rule=_rule(rule, against, floor),
        sentences=[sentences[arm] for arm in against],
    )


def best(summary: pd.DataFrame, rule: Rule) -> str:
    """Say which arm has the highest mean of the rule's metric, and which are level with it."""
    metric = rule.metric
    means = summary[summary["repeat"] == 0].groupby("arm", sort=False)[metric].mean()
    tests = paired(summary, metric, [means.idxmax()])
    level = list(tests.loc[tests["p_holm"] >= rule.alpha, "arm"])
    others = "every other arm is significantly lower"
    if level:
        others = f"{_listed(level)} can't be told from it"
    return (
        f"{means.idxmax()} has the highest {CURVE_SUMMARIES[metric]} "
        f"({POINTS * means.max():.1f} %); {others} "
        f"(paired t-tests, Holm's correction over {len(tests)})."
    )


def _shortcomings(test: dict, rule: Rule, floor: dict | None) -> list[str]:
    """Return what is missing for a win over one opponent."""
    difference = test["difference"]
    shortcomings = []
    if test["p_holm"] >= rule.alpha:
        shortcomings.append("it is not significant")
    if difference <= 0:
        shortcomings.append("it is no gain" if shortcomings else "it is a significant loss")
    elif difference < rule.least_gain:
        shortcomings.append(f"it is less than {rule.least_gain:g}")
    if floor and abs(difference) <= floor["floor"]:
        shortcomings.append(f"it is within the noise floor of {floor['floor']:.2f}")
    return shortcomings


def _sentence(test: dict, shortcomings: list[str]) -> str:
    facts = (
        f"95 % interval {points(test['low'])} to {points(test['high'])}, "
        f"p {p_text(test['p_holm'])}, {test['seeds']} seeds"
    )
    outcome = f"no win: {_listed(shortcomings)}" if shortcomings else "a win"
    return f"Against {test['arm']}: {points(test['difference'])} points ({facts}): {outcome}."


def _rule(rule: Rule, against: list[str], floor: dict | None) -> str:
    noise = f" and more than the noise floor of {floor['floor']:.2f} points" if floor else ""
    unmeasured = "" if floor else " The noise floor was not measured."
    return (
        f"{rule.claim} wins if its {CURVE_SUMMARIES[rule.metric]} is at least "
        f"{rule.least_gain:g} points{noise} above that of {_listed(against)}, with "
        f"p < {rule.alpha:g} after Holm's correction over {len(against)}.{unmeasured}"
    )


def points(difference: float) -> str:
    """Return a difference for people: `+1.2`, never `-0.0`."""
    return f"{difference:+z.1f}"


def p_text(p: float) -> str:
    """Return a p-value for people: `0.012`, `< 0.001`."""
    return "< 0.001" if p < 0.001 else f"{p:.3f}"


def _listed(names: list[str], last: str = "and") -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} {last} {names[-1]}"
