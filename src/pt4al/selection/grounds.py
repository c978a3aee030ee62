"""What a query goes by: its rule or strategy, and what that looks at."""

from pt4al.selection.candidates import STARTS
from pt4al.selection.strategies import STRATEGIES, Strategy
from pt4al.selection.strategies.typical_first import TypicalFirst
from pt4al.selection.uncertainty import RANDOM
from pt4al.selection.why import Grounds


def start_grounds(rule: str, in_batch: bool) -> Grounds:
    """Return the grounds of the first query, by its rule or strategy."""
    return Grounds(rule, True, likeness=rule not in STARTS, in_batch=in_batch)


def later_grounds(
    name: str, strategy: Strategy, measure: str, in_batch: bool, balanced: bool, per_class: float
) -> Grounds:
    """Return the grounds of a query that a strategy chooses by a measure of uncertainty.

    `per_class` is the number of labels before it for each class.
    """
    if isinstance(strategy, TypicalFirst):
        name = strategy.turn(per_class)
        strategy = STRATEGIES[name]()
    looked = ""
    if "probabilities" in strategy.needs:
        looked = "probabilities"
    elif "scores" in strategy.needs and measure != RANDOM:
        looked = measure
    likeness = "features" in strategy.needs
    rule = name if looked or likeness else RANDOM
    return Grounds(rule, False, looked, likeness, in_batch, balanced)
