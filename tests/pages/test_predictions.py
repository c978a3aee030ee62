"""What the page of predictions says, and that names can't break it."""

import pytest

from pt4al.pages.facts import PredictionsPage
from pt4al.pages.predictions import SHOWN, render_predictions_page

FACTS = {
    "title": "What a model takes these for",
    "path": "some/folder",
    "images": 12345,
    "counts": {"cat": 12000, "dog": 345},
    "problems": [],
    "figures": {"surest": b"PNG 1", "least_sure": b"PNG 2"},
}


def render(**changes: object) -> str:
    return render_predictions_page(PredictionsPage(**FACTS | changes))


def test_classes_counts_and_both_sheets_are_shown() -> None:
    page = render()
    for part in ("12,345", "some/folder", "cat", "12,000", "dog", "Look here first", "data:image/png;base64,"):
        assert part in page
    assert "could not be used" not in page


def test_pictures_that_could_not_be_used_are_named_with_the_reason() -> None:
    page = render(problems=[{"source": "odd.png", "reason": "not whole"}])
    assert "1 more could not be used" in page
    assert "odd.png" in page
    assert "not whole" in page


def test_a_page_of_masks_has_no_classes_and_no_sheets() -> None:
    page = render(counts={}, figures={})
    assert "By class" not in page
    assert "data:image/png" not in page


def test_a_page_of_a_thousand_classes_stays_short() -> None:
    page = render(counts={f"class {number}": 1 for number in range(1000)})
    assert page.count("<td>class ") == SHOWN


def test_names_are_text_not_html() -> None:
    page = render(path="<b>x", counts={"<i>y": 1}, problems=[{"source": "<u>z", "reason": "<s>w"}])
    assert not any(tag in page for tag in ("<b>x", "<i>y", "<u>z", "<s>w"))


def test_nothing_comes_from_the_network() -> None:
    assert "default-src 'none'" in render()
    assert "://" not in render()


def test_a_missing_fact_is_named() -> None:
    with pytest.raises(TypeError, match="counts"):
        PredictionsPage(**{name: value for name, value in FACTS.items() if name != "counts"})
