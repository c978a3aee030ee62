"""Write a run's report as one HTML page that needs nothing but itself."""

from pt4al.pages.facts import RunPage
from pt4al.pages.render import render_page


def render_run_page(facts: RunPage) -> str:
    """Return the page."""
    more = {"metric": facts.metrics[0], "asked": _asked(facts.figures)}
    return render_page("run.html", vars(facts) | more)


def _asked(figures: dict[str, bytes]) -> list[int]:
    """Return the cycles whose queries are shown, in order: 10 comes after 9."""
    cycles = set()
    for name in figures:
        kind, _, cycle = name.partition("_")
        if kind in ("query", "panels"):
            cycles.add(int(cycle))
    return sorted(cycles)
