"""The map of a pool in a real browser: by pointer, by keys, on a phone, and without any network."""

import base64
import hashlib
import html
import io
import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from pt4al.pages.map import MapPage, State, render_map_page
from pt4al.plots.sprites import sprites
from pt4al.statistics import regions
from support.browser import CHROMIUM, Browser


def browsed(test: Callable) -> Callable:
    """A test that needs Chromium."""
    return pytest.mark.skipif(CHROMIUM is None, reason="no Chromium here")(pytest.mark.external(test))


STATES = [
    State("without a label", "none"),
    State("labelled in cycle 0", "cycle"),
    State("labelled in cycle 1", "cycle"),
    State("asked for, not answered yet", "asked"),
]
CLASSES = ["cat", "</script><b>dog", "never seen"]
ODD = "</script><img src=x onerror=document.title=1>"
# What went wrong in the page, and what its policy refused.
NOTED = """window.errors = [];
addEventListener("error", (event) => errors.push(event.message));
addEventListener("unhandledrejection", (event) => errors.push(String(event.reason)));
addEventListener("securitypolicyviolation", (event) => errors.push(event.violatedDirective));"""
FEWEST = 9  # on a diagonal of their own
ASKED = 20


def png() -> bytes:
    file = io.BytesIO()
    Image.new("RGBA", (8, 8), "red").save(file, "PNG")
    return file.getvalue()


def gray(rows: np.ndarray) -> np.ndarray:
    """Images of a pool, each in a grey level of its own."""
    return np.broadcast_to(
        (np.asarray(rows) % 256).astype(np.uint8)[:, None, None, None], (len(rows), 1, 28, 28)
    ).copy()


def facts(number: int = 300, noise: bool = False) -> MapPage:
    """Nine images on a diagonal, the first one with an odd name; all others at random in its upper half."""
    rng = np.random.default_rng(0)
    spots = np.concatenate(
        [np.linspace(0, 32000, FEWEST)[:, None] * [1, 1], rng.uniform(33000, 65535, (number - FEWEST, 2))]
    ).astype(np.uint16)
    states = np.zeros(number, int)
    states[:FEWEST] = [1, 2, 0, 0, 1, 0, 0, 0, 3]
    states[FEWEST : FEWEST + ASKED] = 3
    points = pd.DataFrame({"id": [f"train/{row:06d}.png" for row in range(number)], "x": spots[:, 0], "y": spots[:, 1]})
    points.loc[0, "id"] = ODD
    points["state"] = states
    points["class"] = np.where(states == 1, 0, np.where(states == 2, 1, -1))
    points["loss"] = rng.permutation(number) / number
    points.loc[3, "loss"] = np.nan
    labelled = np.isin(states, (1, 2))
    shown = np.concatenate([np.flatnonzero(states > 0), np.flatnonzero(states == 0)])[:4096]
    read = gray
    if noise:

        def read(rows: np.ndarray) -> np.ndarray:
            return rng.integers(0, 256, (len(rows), 3, 64, 64), np.uint8)

    return MapPage(
        title="Map <of> mine",
        method="pca",
        points=points,
        states=STATES,
        classes=CLASSES,
        shown=shown,
        sprites=sprites(read, shown, 1_200_000),
        coverage=regions.coverage(spots, labelled, points["loss"].to_numpy()),
        preview=png(),
    )


@contextmanager
def opened(folder: Path, page: str, width: int = 1280) -> Iterator[Browser]:
    path = folder / "map.html"
    path.write_text(page, encoding="utf-8")
    with Browser(width=width) as browser:
        browser.send("Page.enable")
        browser.send("Page.addScriptToEvaluateOnNewDocument", source=NOTED)
        browser.open(path.as_uri())
        browser.until("document.documentElement.dataset.ready === '1'")
        yield browser
        assert browser.run("JSON.stringify(errors)") == "[]"


def spot(browser: Browser, point: int) -> tuple[float, float]:
    """Where a point is in the window."""
    across, down = browser.run(
        f"(() => {{ const box = canvas.getBoundingClientRect(); const [x, y] = poolMap.place({point});"
        " return [box.left + x, box.top + y]; })()"
    )
    return across, down


def mouse(browser: Browser, kind: str, at: tuple[float, float], **more: object) -> None:
    browser.send("Input.dispatchMouseEvent", type=kind, x=at[0], y=at[1], **more)


def drag(browser: Browser, corners: list[tuple[float, float]], modifiers: int = 0) -> None:
    held = {"button": "left", "buttons": 1, "clickCount": 1, "modifiers": modifiers}
    mouse(browser, "mousePressed", corners[0], **held)
    for corner in corners[1:]:
        mouse(browser, "mouseMoved", corner, button="left", buttons=1, modifiers=modifiers)
    mouse(browser, "mouseReleased", corners[-1], button="left", modifiers=modifiers)


def test_the_page_has_one_script_which_its_policy_names_and_no_address_outside() -> None:
    page = render_map_page(facts())
    (script,) = re.findall(r"<script>(.*?)</script>", page, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    (policy,) = re.findall(r'Content-Security-Policy" content="([^"]*)"', page)
    assert "default-src 'none'" in policy
    assert html.unescape(policy).endswith(f"script-src 'sha256-{digest}'")
    kinds = re.findall(r"<script type=\"([^\"]*)\"", page)
    assert kinds == ["application/json", "text/plain"]  # data, which nobody runs
    assert page.count("<script") == 3
    assert re.findall(r'(?:src|href)="(?!data:)([^"]*)"', page) == ["report.html"]
    assert "://" not in page.replace(script, "")
    assert not re.search(r"https?:|fetch\(|XMLHttpRequest|WebSocket|import\(", script)


def test_the_page_says_in_words_what_the_map_shows() -> None:
    page = " ".join(
        html.unescape(re.sub(r"<(style|script).*?</\1>|<[^>]+>", "", render_map_page(facts()), flags=re.S)).split()
    )
    assert "Map <of> mine" in page
    assert "3 of 300 images have a label" in page
    assert "276 without a label (92.0 %)" in page
    assert "21 asked for, not answered yet" in page
    assert "No label yet is of never seen." in page
    assert re.search(r"hold no label; the largest of these: \d+ images, .*right.* of the map; half of them", page)


def test_the_page_of_a_hundred_thousand_images_stays_below_four_megabytes() -> None:
    page = render_map_page(facts(100_000, noise=True))
    assert len(page.encode()) < 4_000_000
    assert len(render_map_page(facts(300)).encode()) < 400_000


@browsed
def test_a_browser_draws_all_points_and_shows_the_picture_under_the_pointer(tmp_path: Path) -> None:
    with opened(tmp_path, render_map_page(facts())) as browser:
        assert browser.run("poolMap.images") == 300
        assert browser.run("poolMap.shown") == 300
        inked = """[...canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data]
            .filter((value, at) => at % 4 === 3 && value).length"""
        assert browser.run(inked) > 300
        assert browser.run("document.getElementById('card').hidden") is True
        mouse(browser, "mouseMoved", spot(browser, 4))
        browser.until("poolMap.hovered === 'train/000004.png'")
        assert "labelled in cycle 0" in browser.run("document.getElementById('card').textContent")
        assert browser.run("document.getElementById('card').hidden") is False
        pixel = "document.querySelector('#card canvas').getContext('2d').getImageData(14, 14, 1, 1).data[0]"
        assert abs(browser.run(pixel) - 4) <= 4
        mouse(browser, "mouseMoved", spot(browser, 0))
        browser.until("document.querySelector('#card strong').textContent.includes('onerror')")
        assert browser.run("document.title") == "Map <of> mine"


@browsed
def test_a_lasso_lists_the_images_within_it(tmp_path: Path) -> None:
    with opened(tmp_path, render_map_page(facts())) as browser:
        (left, bottom), (right, top) = spot(browser, 0), spot(browser, FEWEST - 1)
        corners = [(left - 9, top - 9), (right + 5, top - 5), (right + 5, bottom + 9), (left - 9, bottom + 9)]
        drag(browser, corners, modifiers=8)
        browser.until(f"poolMap.chosen.length === {FEWEST}")
        listed = browser.run("document.getElementById('ids').value").split("\n")
        assert sorted(listed) == sorted([ODD] + [f"train/{row:06d}.png" for row in range(1, FEWEST)])
        assert browser.run("document.querySelectorAll('#chosen canvas').length") == FEWEST
        assert browser.run("document.getElementById('status').textContent") == f"{FEWEST} images are chosen."
        # A legend's entry that is off takes its images out of the lasso's reach.
        browser.run("document.querySelector('#legend button').click()")
        assert browser.run("poolMap.shown") == 24
        drag(browser, corners, modifiers=8)
        browser.until("poolMap.chosen.length === 4")
        browser.run("document.getElementById('all').click()")
        assert browser.run("poolMap.shown") == 300


@browsed
def test_two_fingers_zoom_and_one_draws_a_lasso_where_that_is_switched_on(tmp_path: Path) -> None:
    with opened(tmp_path, render_map_page(facts()), width=390) as browser:
        browser.send("Emulation.setTouchEmulationEnabled", enabled=True, maxTouchPoints=2)
        left, top = browser.run("[canvas.getBoundingClientRect().left, canvas.getBoundingClientRect().top]")

        def touch(kind: str, *spots: tuple[float, float]) -> None:
            touched = [{"x": left + x, "y": top + y, "id": finger} for finger, (x, y) in enumerate(spots)]
            browser.send("Input.dispatchTouchEvent", type=kind, touchPoints=touched)

        apart = "poolMap.place(8)[0] - poolMap.place(0)[0]"
        before = browser.run(apart)
        touch("touchStart", (150, 200))
        touch("touchStart", (150, 200), (200, 200))
        touch("touchMove", (125, 200), (225, 200))
        touch("touchEnd")
        assert browser.run(apart) == pytest.approx(2 * before)
        browser.run("document.getElementById('whole').click()")
        browser.run("document.getElementById('lasso').click()")
        width, height = browser.run("[canvas.clientWidth, canvas.clientHeight]")
        touch("touchStart", (2, 60))
        for corner in ((width - 2, 60), (width - 2, height - 2), (2, height - 2)):
            touch("touchMove", corner)
        touch("touchEnd")
        browser.until("poolMap.chosen.length === 300")
        assert browser.run("document.getElementById('rest').textContent").startswith("240 more are in the list")


@browsed
def test_ids_are_copied_for_another_program(tmp_path: Path) -> None:
    with opened(tmp_path, render_map_page(facts())) as browser:
        mouse(browser, "mousePressed", spot(browser, 4), button="left", buttons=1, clickCount=1)
        mouse(browser, "mouseReleased", spot(browser, 4), button="left", clickCount=1)
        browser.until("poolMap.chosen.join() === 'train/000004.png'")
        browser.run("window.copied = ''; addEventListener('copy', () => { copied = String(ids.value); })")
        browser.run("Object.defineProperty(navigator, 'clipboard', { value: undefined })")  # as on a page over http
        browser.run("document.getElementById('copy').click()")
        browser.until("document.getElementById('copied').textContent === '1 id is copied.'")
        assert browser.run("copied") == "train/000004.png"


@browsed
def test_keys_go_from_image_to_image_and_choose(tmp_path: Path) -> None:
    with opened(tmp_path, render_map_page(facts())) as browser:
        browser.run("canvas.focus()")
        browser.press("ArrowLeft")
        before = browser.run("poolMap.hovered")
        assert before is not None
        browser.press("ArrowLeft")
        assert browser.run("poolMap.hovered") != before
        for _ in range(40):  # down to the diagonal, and to its end
            browser.press("ArrowDown")
        assert browser.run("poolMap.hovered") == ODD
        browser.press("ArrowRight")
        assert browser.run("poolMap.hovered") == "train/000001.png"
        assert "labelled in cycle 1" in browser.run("document.getElementById('status').textContent")
        browser.press("Enter")
        assert browser.run("poolMap.chosen.join()") == "train/000001.png"
        browser.press("Enter")
        assert browser.run("poolMap.chosen.length") == 0


@browsed
def test_colours_follow_class_and_pretext_loss(tmp_path: Path) -> None:
    with opened(tmp_path, render_map_page(facts())) as browser:
        entries = "[...document.querySelectorAll('#legend button')].filter((b) => !b.hidden).map((b) => b.textContent)"
        browser.run("document.querySelector('input[value=class]').click()")
        assert browser.run(entries) == ["class not known297", "cat2", "</script><b>dog1"]
        browser.run("document.querySelector('input[value=loss]').click()")
        counts = [int(re.search(r"\d+$", entry).group()) for entry in browser.run(entries)]
        assert counts[0] == 1
        assert sum(counts) == 300
        assert max(counts[1:]) - min(counts[1:]) < 10


@browsed
def test_labels_that_look_wrong_have_a_colour_and_say_on_hover_what_else_they_seem_to_be(tmp_path: Path) -> None:
    page = replace(facts(), judged=[0, 1, 4], doubted={1: "</script><b>dog"})
    with opened(tmp_path, render_map_page(page)) as browser:
        entries = "[...document.querySelectorAll('#legend button')].filter((b) => !b.hidden).map((b) => b.textContent)"
        browser.run("document.querySelector('input[value=doubt]').click()")
        assert browser.run(entries) == ["not judged297", "fits those like it2", "looks wrong1"]
        mouse(browser, "mouseMoved", spot(browser, 1))
        browser.until("!document.getElementById('card').hidden")
        card = browser.run("document.getElementById('card').innerText")
        assert "looks wrong: those like it are called </script><b>dog" in card


@browsed
def test_where_no_label_was_judged_none_is_doubtful(tmp_path: Path) -> None:
    with opened(tmp_path, render_map_page(facts())) as browser:
        assert browser.run("document.querySelector('input[value=doubt]').closest('label').hidden")


@browsed
def test_a_region_without_a_label_is_one_click_away(tmp_path: Path) -> None:
    page = facts()
    region = page.coverage.regions[0]
    with opened(tmp_path, render_map_page(page)) as browser:
        browser.run("document.querySelector('button.region').click()")
        assert browser.run("document.activeElement.id") == "canvas"
        left, bottom, right, top = region["box"]
        points = page.points
        inside = points["x"].between(left, right - 1) & points["y"].between(bottom, top - 1)
        assert inside.sum() == region["images"]
        size = browser.run("[canvas.clientWidth, canvas.clientHeight]")
        for point in np.flatnonzero(inside):
            place = browser.run(f"poolMap.place({point})")
            assert all(0 < place[axis] < size[axis] for axis in range(2))


@browsed
def test_a_hundred_thousand_points_are_drawn_on_a_phone_without_any_request(tmp_path: Path) -> None:
    page = render_map_page(facts(100_000))
    with opened(tmp_path, page, width=390) as browser:
        assert browser.run("poolMap.images") == 100_000
        assert browser.run("document.documentElement.scrollWidth") <= 390
        entries = json.loads(
            browser.run("JSON.stringify(performance.getEntriesByType('resource').map((e) => e.name.slice(0, 5)))")
        )
        assert set(entries) <= {"data:"}
        for times in (3, 100, 0.001):
            browser.run(f"poolMap.zoom({times}, 100, 100); poolMap.paint()")
        assert browser.run("poolMap.milliseconds > 0") is True


@browsed
def test_the_map_prints_as_its_picture(tmp_path: Path) -> None:
    with opened(tmp_path, render_map_page(facts())) as browser:
        shows = """[...document.querySelectorAll(".live, .paper")].map((part) =>
            part.classList.contains("paper") === (getComputedStyle(part).display !== "none"))"""
        assert not any(browser.run(shows))
        browser.send("Emulation.setEmulatedMedia", media="print")
        assert all(browser.run(shows))
