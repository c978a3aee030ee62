"""How pictures get into a page: charts and sheets as parts of it, panels as images."""

import re

import numpy as np
import pytest

from pt4al.pages.render import environment
from pt4al.plots.contact_sheets import contact_sheet
from pt4al.plots.style import plain
from pt4al.plots.svg import svg
from support.pictures import encoded

PANELS = encoded(np.zeros((2, 2), np.uint8))
CHART = svg(plain(2, "x", "y")[0])
SHEET = contact_sheet(np.zeros((1, 1, 4, 4), np.uint8), ["cat"])


def shown(picture: bytes, description: str = 'A "curve" & more', **more: str) -> str:
    template = environment().from_string(
        '{% from "figure.html" import figure %}{{ figure({"a": picture}, "a", description, caption) }}'
    )
    return template.render(picture=picture, description=description, caption=more.get("caption", ""))


@pytest.mark.parametrize(
    ("picture", "element"),
    [(CHART, '<svg role="img" aria-label='), (SHEET, '<div role="group" aria-label='), (PANELS, "alt=")],
)
def test_every_picture_says_what_it_is_to_those_who_do_not_see_it(picture, element):
    assert f'{element}"A &#34;curve&#34; &amp; more"' in shown(picture)


def test_a_chart_is_part_of_the_page_and_names_nothing_outside():
    page = shown(CHART)
    assert "http" not in page and "data:" not in page and page.count("<svg") == 1


def test_panels_are_an_image_within_the_page():
    assert '<img src="data:image/png;base64,' in shown(PANELS)


def test_a_caption_is_text():
    assert "<figcaption>&lt;b&gt;</figcaption>" in shown(CHART, caption="<b>")


@pytest.mark.parametrize("name", ["comparison.html", "cold_start.html", "intake.html", "predictions.html"])
def test_tables_that_scroll_can_be_reached_by_keyboard_and_are_named(name):
    page, _, _ = environment().loader.get_source(environment(), name)
    regions = re.findall(r'<div class="scroll"[^>]*>', page)
    assert regions and all('tabindex="0" role="region" aria-label="' in region for region in regions)
    labels = [region.partition("aria-label=")[2] for region in regions]
    assert len(set(labels)) == len(labels)
