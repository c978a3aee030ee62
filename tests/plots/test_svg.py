"""Charts as parts of a page: their bytes, their colours, and what they say to the pointer."""

import re
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest

from pt4al.pages.render import environment
from pt4al.plots import palette, run
from pt4al.plots.cells import draw_cells, shade
from pt4al.plots.style import plain
from pt4al.plots.svg import add_halo, svg, tell, tell_points
from support.browser import CHROMIUM, Browser
from support.sheets import titles, words

CURVE = pd.DataFrame({"labels": [20, 40, 60], "accuracy": [0.33, 0.5, 0.24]})


def chart(name: str = "mine") -> bytes:
    return svg(run.learning_curve({name: CURVE, "random": CURVE.assign(accuracy=0.45)}))


def test_the_same_figure_gives_the_same_bytes() -> None:
    assert chart() == chart()


def test_every_point_of_a_curve_says_what_it_is() -> None:
    assert {"mine: 60 labels, 24.0 %", "mine: 20 labels, 33.0 %", "random: 40 labels, 45.0 %"} < set(titles(chart()))
    assert len(titles(chart())) == 6


def test_points_that_are_not_known_are_left_out_and_the_others_keep_their_texts() -> None:
    figure, axes = plain(2, "x", "y")
    tell_points(axes, [1, 2, 3], [0.1, np.nan, 0.3], ["one", "two", "three"])
    assert titles(svg(figure)) == ["one", "three"]


@pytest.mark.parametrize("rows", [1, 2])
def test_every_cell_says_what_it_is(rows: int) -> None:
    figure, axes = plain(2, "x", "y")
    texts = [[f"{row} {column}" for column in range(rows)] for row in range(rows)]
    draw_cells(axes, shade(np.eye(rows)), texts, texts)
    assert titles(svg(figure)) == [text for row in texts for text in row]
    assert svg(figure).count(b'pointer-events="none"') == rows**2  # letters don't hide their cell


def test_bars_and_boxes_say_what_they_are() -> None:
    seconds = svg(run.seconds_by_stage(pd.DataFrame({"stage": ["pool", "main"], "seconds": [1.0, 3.0]})))
    assert titles(seconds) == ["pool: 1 s, 25 % of all", "main: 3 s, 75 % of all"]
    losses = run.losses_by_batch(pd.DataFrame({"pretext_loss": [3.0, 2.0, 1.0], "batch": [0, 0, 1]}))
    assert titles(svg(losses))[0].startswith("batch 0: 2 images, 2 to 3;")


def test_it_takes_the_colours_of_its_page() -> None:
    drawn = chart().decode("ascii")
    assert f"var(--blue, {palette.MAIN})" in drawn and "currentColor" in drawn
    assert "#ffffff" not in drawn.replace("var(--card, #ffffff)", "")
    assert not re.search(r"(?<!, )#(1d2229|000000|dfe3e8)", drawn)


def test_a_name_like_a_colour_stays_a_name() -> None:
    assert palette.MAIN in words(chart(palette.MAIN))


def test_letters_stay_letters_in_the_page_s_own_font() -> None:
    drawn = chart("größer & <kleiner>")
    assert "größer & <kleiner>" in words(drawn)
    assert b"DejaVu" not in drawn and b"<style" not in drawn and b"<metadata" not in drawn


def test_signs_that_are_no_text_do_no_harm() -> None:
    assert "a?b" in words(chart("a\x01b"))


def test_it_has_no_size_of_its_own_and_no_ids_but_those_that_are_used() -> None:
    root = ElementTree.fromstring(chart())
    assert "width" not in root.attrib and root.attrib["viewBox"].startswith("0 0 417.6 ")
    ids = [element.attrib["id"] for element in root.iter() if "id" in element.attrib]
    content = chart().decode()
    assert ids and all(content.count(f"#{name}") for name in ids)


def test_a_text_before_a_line_is_set_off_from_it() -> None:
    figure, axes = plain(2, "x", "y")
    add_halo(axes.text(0.5, 0.5, "0.79"))
    tell(axes.axhline(0.5), "the claim")
    drawn = svg(figure).decode()
    assert re.search(r"paint-order: stroke[^>]*>0.79<", drawn)
    assert titles(svg(figure)) == ["the claim"]


def luminance(colour: str) -> float:
    shares = np.array([int(colour[place : place + 2], 16) for place in (1, 3, 5)]) / 255
    linear = np.where(shares <= 0.03928, shares / 12.92, ((shares + 0.055) / 1.055) ** 2.4)
    return float(linear @ [0.2126, 0.7152, 0.0722])


def contrast(one: str, other: str) -> float:
    dark, light = sorted([luminance(one), luminance(other)])
    return (light + 0.05) / (dark + 0.05)


def papers() -> tuple[str, str]:
    head = environment().get_template("head.html").render(title="")
    return tuple(re.findall(r"--card: (#[0-9a-f]{6})", head))


def test_lines_stand_out_on_light_and_on_dark_paper() -> None:
    light, dark = papers()
    assert light == palette.PAPER
    for colour in palette.LINES:
        assert contrast(colour.light, light) >= 3 and contrast(colour.dark, dark) >= 3, colour


def test_a_page_s_style_sheet_knows_every_colour() -> None:
    head = environment().get_template("head.html").render(title="")
    for colour in palette.LINES:
        assert f"--{colour.name}: {colour.light};" in head and f"--{colour.name}: {colour.dark};" in head


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium")
@pytest.mark.parametrize("width", [1280, 390])
def test_no_chart_is_cut_on_a_screen_or_a_phone(tmp_path: Path, width: int) -> None:
    figures = {"curve": chart("a run of a somewhat long name")}
    page = environment().from_string(
        '{% include "head.html" %}{% from "figure.html" import figure %}'
        '<main>{{ figure(figures, "curve", "A curve") }}</main>'
    )
    (tmp_path / "page.html").write_text(page.render(title="", figures=figures))
    with Browser(width, 800) as browser:
        browser.open(f"file://{tmp_path}/page.html")
        browser.until("document.querySelectorAll('title').length > 6")
        assert browser.run("document.documentElement.scrollWidth") <= width
        ends = browser.run(
            "Math.max(...[...document.querySelectorAll('svg *')].map(e => e.getBoundingClientRect().right))"
        )
        assert ends <= browser.run("document.querySelector('.card').getBoundingClientRect().right")
        point = "document.querySelector('use title').parentNode.getBoundingClientRect()"
        met = f"(b => document.elementFromPoint(b.x + b.width / 2, b.y + b.height / 2))({point})"
        assert browser.run(f"{met}.textContent") == "random: 20 labels, 45.0 %"
        letters = browser.run("document.querySelector('svg text').getBoundingClientRect().height")
        assert letters >= 8
