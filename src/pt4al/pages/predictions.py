"""Write what a model takes pictures for as one HTML page that needs nothing but itself."""

from pt4al.pages.facts import PredictionsPage
from pt4al.pages.render import render_page

SHOWN = 200  # rows of a table


def render_predictions_page(facts: PredictionsPage) -> str:
    """Return the page."""
    return render_page("predictions.html", {**vars(facts), "shown": SHOWN})
