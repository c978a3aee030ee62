"""What the page of first queries says."""

from pt4al.pages.cold_start import render_cold_start_page
from pt4al.statistics.cold_start import summarise
from support.first_queries import measured


def page(**accuracies: object) -> str:
    return render_cold_start_page("First queries", summarise(measured(**accuracies)))


def test_the_start_that_wins_most_often_is_the_headline():
    told = page(random=0.5, better=0.6, worse=0.4)
    assert "<b>better</b> beats a random first query at 2 of 2 budgets" in told
    assert "<li>worse is worse at 10, 50 labels.</li>" in told


def test_a_start_that_always_chooses_the_same_is_named():
    assert "fixed: the same query with every seed" in page(random=0.5, fixed="0.55")


def test_without_random_starts_none_wins():
    assert "<b>No start</b>" in page(typiclust=0.5, coreset=0.4)
