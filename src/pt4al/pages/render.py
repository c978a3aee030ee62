"""Fill in a page's template: the page needs nothing but itself."""

import base64
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from pt4al.plots.style import duration
from pt4al.statistics.verdict import p_text, points


def render_page(template: str, facts: dict[str, Any]) -> str:
    """Return a page as HTML, from the template's file name and its variables.

    Raises
    ------
    jinja2.UndefinedError
        If a variable is missing; it names it.
    """
    return environment().get_template(template).render(facts)


def environment() -> Environment:
    """Return what pages are made with: templates that share `head.html`, and filters."""
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
        "points": points,
        "p": p_text,
    }
    return shared
