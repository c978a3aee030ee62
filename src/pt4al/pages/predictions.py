"""Write what a model takes pictures for as one HTML page that needs nothing but itself."""

from pt4al.pages.render import environment

SHOWN = 200  # rows of a table


def render(facts: dict) -> str:
    """Return the page.

    Parameters
    ----------
    facts
        `title`: a line. `path`: where the pictures are. `images`: how many. `counts`: images by
        class; empty of masks. `problems`: dicts with `source`, `reason`. `figures`: PNG files by
        name, `surest` and `least_sure`.

    Raises
    ------
    jinja2.UndefinedError
        If a fact is missing; it names it.
    """
    return environment().get_template("predictions.html").render(facts, shown=SHOWN)
