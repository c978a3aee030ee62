"""What the section on queries shows of each."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from pt4al.pages.render import environment
from pt4al.plots.contact_sheets import contact_sheet
from pt4al.plots.explanations import explanation_sheet
from support.browser import CHROMIUM, Browser

SHEET = contact_sheet(np.zeros((60, 1, 28, 28), np.uint8), ["an endless_name_of_a_class\n0.50"] * 60)


def reasons() -> bytes:
    table = pd.DataFrame({"id": [f"a/long/folder/of/pictures/IMG_{number}.jpg" for number in range(24)]})
    table = table.assign(neighbours='["known 0", "known 1", "known 2"]')
    labels = pd.Series({"known 0": "cat"})
    images = np.zeros((27, 3, 64, 64), np.uint8)
    return explanation_sheet(table, lambda ids: images, labels, lambda row: "Drawn at random.")


def section(
    figures: dict[str, bytes], asked: tuple[int, ...] = (0, 1), metric: str = "accuracy", people: bool = False
) -> str:
    template = environment().get_template("asked.html")
    return template.render(asked=asked, figures=figures, metric={"key": metric}, people=people)


def test_reasons_are_folded_and_each_query_is_seen_at_a_glance():
    page = section({"query_0": SHEET, "query_1": SHEET, "reasons_1": reasons()})
    assert page.count("<details>") == 1
    assert page.index("Cycle 0") < page.index("Cycle 1") < page.index("<details>") < page.index("Drawn at random.")


def test_who_labels_reads_of_rounds():
    page = section({"query_0": SHEET}, asked=(0,), people=True)
    assert "<h3>Round 1</h3>" in page
    assert "Cycle 0" not in page


def test_without_queries_and_classes_there_is_no_section():
    assert section({}, asked=()).strip() == ""


def test_classes_are_counted_in_images_or_in_pixels():
    assert "images by class" in section({"class_balance": b"<svg></svg>"})
    assert "pixels by class" in section({"class_balance": b"<svg></svg>"}, metric="miou")


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium")
@pytest.mark.parametrize("width", [1280, 390])
def test_sheets_wrap_on_a_screen_and_on_a_phone(tmp_path: Path, width: int) -> None:
    figures = {"query_0": SHEET, "reasons_0": reasons()}
    page = environment().from_string('{% include "head.html" %}<main>{% include "asked.html" %}</main>')
    facts = {"title": "", "asked": [0], "figures": figures, "metric": {"key": "accuracy"}, "people": False}
    (tmp_path / "page.html").write_text(page.render(facts))
    with Browser(width, 800) as browser:
        browser.open(f"file://{tmp_path}/page.html")
        browser.until("document.images.length == 60 + 24 * 4")
        browser.run("document.querySelector('details').open = true")
        assert browser.run("document.documentElement.scrollWidth") <= width
        ends = "Math.max(...[...document.querySelectorAll('.sheet *')].map(e => e.getBoundingClientRect().right))"
        assert browser.run(ends) <= browser.run("document.querySelector('.card').getBoundingClientRect().right")
        sizes = "[...new Set([...document.images].slice(0, 60).map(e => e.width + ' ' + e.height))].join()"
        assert browser.run(sizes) == "84 84"
