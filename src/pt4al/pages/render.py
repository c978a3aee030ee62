"""Fill in a page's template: the page needs nothing but itself."""

import base64
import re
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from pt4al.plots.kinds import kind
from pt4al.plots.palette import LINES
from pt4al.plots.style import duration
from pt4al.plots.svg import XMLNS
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
        "uri": _address,
        "code": _code,
        "picture": _picture,
        "points": points,
        "p": p_text,
    }
    shared.globals["colours"] = LINES
    return shared


def _picture(content: bytes, description: str) -> Markup:
    """Return a picture as an element of a page, with what it is for those who don't see it."""
    about = escape(description)
    if kind(content) == "html":
        return Markup('<div role="group" aria-label="{}">{}</div>').format(
            about, Markup(content.decode("ascii"))
        )
    if kind(content) == "svg":
        # Within a page its kind needs no name.
        svg = content.decode("ascii").replace(f' xmlns="{XMLNS}"', "", 1)
        return Markup(svg.replace("<svg", f'<svg role="img" aria-label="{about}"', 1))
    return Markup(f'<img src="{_address(content)}" alt="{about}">')


def _code(sentence: str) -> Markup:
    """Return a sentence with names of settings, between backticks, as code."""
    return Markup(re.sub("`([^`]+)`", r"<code>\1</code>", str(escape(sentence))))


def _address(png: bytes) -> str:
    """Return a PNG file as an address that needs no network."""
    return "data:image/png;base64," + base64.b64encode(png).decode()
