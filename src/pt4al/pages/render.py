"""Write a run's report as one HTML page that needs nothing but itself."""

import base64

from jinja2 import Environment, PackageLoader, StrictUndefined

from pt4al.plots.style import duration


def render(facts: dict) -> str:
    """Return the page.

    Parameters
    ----------
    facts
        `title`: a line. `run`: name to value, the configuration's main lines. `metric`: the main
        number's `key` (`accuracy` or `miou`) and `name`. `summary`: one dict a cycle with `labels`,
        that key (0 to 1) and perhaps `balanced_accuracy`, `pixel_accuracy`, `loss`. `baselines`:
        names of the runs shown beside this one. `audit`: dicts with `cycle`, `sentence`. `figures`:
        PNG files by name (`learning_curve`, `iou_by_class`, `query_0`, `panels_0` ..., `hardest`,
        `easiest`, `losses_by_batch`, `class_balance`, `ranking_agreement`, `audit`,
        `seconds_by_stage`); those that are missing are left out. `seconds`: the run's time.
        `notes`: sentences. `intake`, which may be missing or None: a sentence on what became of the
        source's files. `source`, which may be missing or None: dict with `sentence`, `warnings`,
        `found`; with it `intake_link`, where the intake report lies. `worth`, which may be missing:
        as `worth.worth` returns it. `controlled`, which may be missing: whether control images
        stand in for a test split. `leaks` and `pretext_checks`, which may be missing: dicts with
        `check`, `ok`, `found`, and with `alarm`, `sentence`.

    Raises
    ------
    jinja2.UndefinedError
        If a fact is missing; it names it.
    """
    return (
        environment()
        .get_template("page.html")
        .render(facts, asked=_asked(facts.get("figures", {})))
    )


def environment() -> Environment:
    """Return what the room's pages are made with: templates that share `head.html`, and filters."""
    shared = Environment(
        loader=PackageLoader("pt4al", "pages/templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    shared.filters |= {
        "percent": lambda share: f"{100 * share:.1f} %",
        "thousands": lambda number: f"{number:,}",
        "duration": duration,
        "uri": lambda image: "data:image/png;base64," + base64.b64encode(image).decode(),
    }
    return shared


def _asked(figures: dict[str, bytes]) -> list[int]:
    """Return the cycles whose queries are shown, in order: 10 comes after 9."""
    kinds = (name.split("_", 1) for name in figures)
    return sorted({int(rest[0]) for kind, *rest in kinds if kind in ("query", "panels")})
