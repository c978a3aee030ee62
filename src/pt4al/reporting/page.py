"""Write a run's report as one HTML page that needs nothing but itself."""

import base64
from importlib.resources import files

from jinja2 import Environment, StrictUndefined

from pt4al.reporting.figures import duration


def render(facts: dict) -> str:
    """Return the page.

    Parameters
    ----------
    facts
        `title`: a line. `run`: name to value, the configuration's main lines. `summary`: one dict a
        cycle with `labels`, `accuracy` (0 to 1) and perhaps `balanced_accuracy`, `loss`. `baselines`:
        names of the runs shown beside this one. `audit`: dicts with `cycle`, `sentence`. `figures`:
        PNG files by name (`learning_curve`, `query_0` ..., `hardest`, `easiest`, `losses_by_batch`,
        `class_balance`, `audit`, `seconds_by_stage`); those that are missing are left out. `seconds`:
        the run's time. `notes`: sentences.

    Raises
    ------
    jinja2.UndefinedError
        If a fact is missing; it names it.
    """
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters |= {
        "percent": lambda share: f"{100 * share:.1f} %",
        "thousands": lambda number: f"{number:,}",
        "duration": duration,
        "uri": lambda image: "data:image/png;base64," + base64.b64encode(image).decode(),
    }
    template = files("pt4al.reporting").joinpath("page.html").read_text(encoding="utf-8")
    return environment.from_string(template).render(facts, queries=_queries(facts.get("figures", {})))


def _queries(figures: dict[str, bytes]) -> list[int]:
    """Return the cycles whose queries are shown, in order: 10 comes after 9."""
    return sorted(int(name.removeprefix("query_")) for name in figures if name.startswith("query_"))
