"""The grid in a real browser: many pictures of a class are confirmed by one key, but for those that are marked."""

import json
from pathlib import Path

import pandas as pd
import pytest

from pt4al.annotation.aggregation import Policy
from pt4al.annotation.log import AnswerLog
from pt4al.annotation.queue import AnnotationQueue
from pt4al.annotation.web.server import Page
from support.browser import CHROMIUM, Browser
from support.label_page import READY, enter, guesses_of, labels, mouse, picture, press, presses, served, text

pytestmark = [
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium here"),
    pytest.mark.external,
]

MANY = [f"class {number:02}" for number in range(40)]
IN_GRID = "group !== null && !busy && group.since !== undefined && performance.now() - group.since > SIGHT"
TILES = "[...document.querySelectorAll('#cells button')]"


def page_of(folder: Path, likely: dict[str, list[tuple[str, float]]], classes: list[str], **more) -> Page:
    facts = {"run": "mine", "title": "mine", "round": 1, "rounds": 2, **more.pop("facts", {})}
    shown = more.pop("picture", picture)
    served_at = {name: more.pop(name) for name in ("port", "token") if name in more}
    query = pd.DataFrame({"id": more.pop("ids", list(likely))})
    guesses = guesses_of(likely) if likely else None
    queue = AnnotationQueue(AnswerLog(folder), query, more.pop("policy", Policy()), classes, guesses, **more)
    return Page(queue, shown, facts=facts, **served_at)


def cats_and_dogs(images: int) -> dict[str, list[tuple[str, float]]]:
    """Return guesses: every second image is a dog, the first are the surest."""
    pairs = [("cat", "dog"), ("dog", "cat")]
    guesses = {}
    for number in range(images):
        first, second = pairs[number % 2]
        guesses[f"i{number}"] = [(first, 0.9 - 0.01 * number), (second, 0.05)]
    return guesses


def open_grid(browser: Browser, page: Page) -> None:
    enter(browser, page)
    browser.press("g")
    browser.until(IN_GRID)


def titles(browser: Browser) -> list[str]:
    return browser.run(f"{TILES}.map(one => one.title)")


def test_a_group_is_confirmed_by_one_key_but_for_what_is_marked(tmp_path):
    page = page_of(tmp_path, cats_and_dogs(12), ["cat", "dog"])
    with served(page), Browser() as browser:
        open_grid(browser, page)
        assert text(browser, "question") == "Are these all cat?"
        assert titles(browser) == ["i0", "i2", "i4", "i6", "i8", "i10"]  # the surest first
        assert browser.run(f"{TILES}.every(one => one.querySelector('img').naturalWidth === 28)")
        presses(browser, ["ArrowRight", "ArrowRight", " "])
        assert browser.run(f"{TILES}.map(one => one.getAttribute('aria-pressed'))")[1] == "true"
        assert "The other 5 are cat" in text(browser, "yes")
        browser.picture(tmp_path / "grid.png")
        browser.press("Enter")
        browser.until("group?.label === 'dog' && " + IN_GRID)
        history = AnswerLog(tmp_path).read()
        assert history["id"].tolist() == ["i0", "i4", "i6", "i8", "i10"]
        assert set(history["label"]) == {"cat"}
        assert set(history["source"]) == {"grid"}
        assert len(set(history["seconds"])) == 1  # one look, shared out
        # What was marked is asked for once more, among those that the model takes for its second guess.
        assert titles(browser) == ["i1", "i3", "i5", "i7", "i9", "i11", "i2"]
        browser.press("Enter")
        browser.until("!document.getElementById('end').hidden")
    assert page.queue.progress().finished


def test_what_fits_no_group_is_asked_for_one_at_a_time(tmp_path):
    page = page_of(tmp_path, {"i0": [("cat", 0.9)], "i1": [("cat", 0.8)], "i2": [("dog", 0.9)]}, ["cat", "dog"])
    with served(page), Browser() as browser:
        open_grid(browser, page)
        browser.press("Enter")
        browser.until(READY + " && shown !== null")
        assert text(browser, "caption") == "i2"
        assert "One at a time, then." in text(browser, "told")
        press(browser, "Enter")
    assert labels(tmp_path) == ["cat", "cat", "dog"]


def test_undo_takes_a_whole_confirmation_back_and_shows_it_again(tmp_path):
    page = page_of(tmp_path, cats_and_dogs(8), ["cat", "dog"])
    with served(page), Browser() as browser:
        open_grid(browser, page)
        browser.press("Enter")
        browser.until("group?.label === 'dog' && " + IN_GRID)
        assert text(browser, "count") == "4 / 8"
        browser.press("u")
        browser.until("group?.label === 'cat' && " + IN_GRID)
        assert text(browser, "count") == "0 / 8"
        assert titles(browser) == ["i0", "i2", "i4", "i6"]
        assert "4 answers taken back" in text(browser, "told")
        browser.press("Enter")
        browser.until("group?.label === 'dog' && " + IN_GRID)
        press(browser, "g")
        assert browser.run("shown.id") == "i1"
        press(browser, "2", "u")  # one at a time, only that one
        assert text(browser, "count") == "4 / 8"
    assert page.queue.progress().answered == 4


def test_marked_pictures_get_a_class_of_their_own_and_without_any_the_question_changes(tmp_path):
    guesses = {f"i{number}": [(MANY[0], 0.9)] for number in range(6)}
    page = page_of(tmp_path, guesses, MANY)
    with served(page), Browser() as browser:
        open_grid_by_shift(browser, page)
        presses(browser, ["ArrowRight", " ", "ArrowRight", " "])
        browser.press("/")
        browser.type("clsas 33")  # with a slip
        browser.press("Enter")
        browser.until("group.images.length === 4 && !busy")
        assert labels(tmp_path) == [MANY[33], MANY[33]]
        browser.press("/")
        browser.type("class 20")
        browser.press("Enter")
        browser.until("group.label === 'class 20'")
        assert labels(tmp_path) == [MANY[33], MANY[33]]  # that alone answers nothing
        assert text(browser, "question") == "Are these all class 20?"
        browser.press("Enter")
        browser.until("!document.getElementById('end').hidden")
    assert labels(tmp_path)[2:] == [MANY[20]] * 4


def open_grid_by_shift(browser: Browser, page: Page) -> None:
    enter(browser, page)
    browser.send("Input.dispatchKeyEvent", type="keyDown", key="G", text="G", modifiers=8)
    browser.until(IN_GRID)


def test_marked_pictures_are_skipped_together(tmp_path):
    page = page_of(tmp_path, cats_and_dogs(8), ["cat", "dog"])
    with served(page), Browser() as browser:
        open_grid(browser, page)
        press(browser, "s")
        assert labels(tmp_path) == []
        presses(browser, ["ArrowRight", " "])
        browser.press("s")
        browser.until("group.images.length === 3 && !busy")
    assert labels(tmp_path) == [None]


def test_the_second_of_two_quick_presses_confirms_no_group_that_nobody_has_looked_at(tmp_path):
    page = page_of(tmp_path, cats_and_dogs(8), ["cat", "dog"])
    with served(page), Browser() as browser:
        open_grid(browser, page)
        presses(browser, ["Enter", "Enter"])
        browser.until("group?.label === 'dog' && " + IN_GRID)
        assert "Not taken" in text(browser, "early")
    assert labels(tmp_path) == ["cat"] * 4


def test_a_grid_needs_guesses_and_says_so(tmp_path):
    likely = cats_and_dogs(4)
    cases = {
        "no model before the next round": page_of(tmp_path / "first", {}, ["cat", "dog"], ids=list(likely)),
        "--no-suggestions": page_of(tmp_path / "without", likely, ["cat", "dog"], facts={"suggest": False}),
    }
    for said, page in cases.items():
        with served(page), Browser() as browser:
            enter(browser, page)
            press(browser, "g")
            assert said in text(browser, "told")
            press(browser, "1")
        assert page.queue.progress().answered == 1


def test_who_hides_the_guess_has_no_grid_of_guesses(tmp_path):
    page = page_of(tmp_path, cats_and_dogs(4), ["cat", "dog"])
    with served(page), Browser() as browser:
        open_grid(browser, page)
        press(browser, "h")
        assert browser.run("shown.id") == "i0"
        press(browser, "g")
        assert "are hidden" in text(browser, "told")
        press(browser, "h", "g")
        browser.until(IN_GRID)


def test_a_confirmation_that_is_taken_back_after_the_guess_was_hidden_is_confirmed_once_more(tmp_path):
    page = page_of(tmp_path, cats_and_dogs(8), ["cat", "dog"])
    with served(page), Browser() as browser:
        open_grid(browser, page)
        browser.press("Enter")
        browser.until("group?.label === 'dog' && " + IN_GRID)
        press(browser, "h", "u")
        browser.until("group?.label === 'cat' && " + IN_GRID)
        browser.press("Enter")
        browser.until(READY + " && shown !== null")
        assert browser.run("shown.id") == "i1"
    assert page.queue.progress().answered == 4


def test_a_grid_goes_on_in_the_next_round_and_corrects_from_the_overview(tmp_path):
    facts = {"goes_on": True, "run": "mine", "title": "mine", "rounds": 2}
    page = page_of(tmp_path, cats_and_dogs(4), ["cat", "dog"], facts=facts)
    with served(page), Browser() as browser:
        open_grid(browser, page)
        browser.press("Enter")
        browser.until("group?.label === 'dog' && " + IN_GRID)
        browser.press("o")
        browser.until("document.activeElement.id === 'groups' || document.activeElement.title === 'i0'")
        browser.run("document.querySelector('#groups button').click()")
        browser.until(READY + " && shown?.id === 'i0'")
        browser.press("2")
        browser.until("group?.label === 'dog' && " + IN_GRID)
        browser.press("Enter")
        browser.until("!document.getElementById('end').hidden && !busy")
        guesses = guesses_of({"j0": [("dog", 0.9)], "j1": [("dog", 0.8)]})
        queue = AnnotationQueue(AnswerLog(tmp_path), guesses[["id"]], Policy(), ["cat", "dog"], guesses)
        page.ask(queue, picture, lambda image: None, facts | {"round": 2})
        browser.until("group?.images[0] === 'j0' && " + IN_GRID)
        browser.press("Enter")
        browser.until("!document.getElementById('end').hidden && !busy")
    standing = AnswerLog(tmp_path).read().drop_duplicates("id", keep="last").set_index("id")["label"]
    assert standing.to_dict() == {"i0": "dog", "i2": "cat", "i1": "dog", "i3": "dog", "j0": "dog", "j1": "dog"}


def test_a_picture_of_the_grid_is_enlarged_by_a_key_and_by_a_long_press(tmp_path):
    sizes = []

    def sized(image: str, size: str = "screen") -> bytes:
        sizes.append(size)
        return picture(image)

    page = page_of(tmp_path, cats_and_dogs(8), ["cat", "dog"], picture=sized)
    with served(page), Browser(390, 800) as browser:
        open_grid(browser, page)
        before = len(sizes)
        presses(browser, ["ArrowRight", "z"])
        browser.until("document.querySelector('#large img').naturalWidth === 28")
        assert sizes[before:].count("screen") == 1
        browser.press("z")
        assert not browser.run("document.getElementById('large').open")
        browser.send("Emulation.setTouchEmulationEnabled", enabled=True, maxTouchPoints=1)
        x, y = browser.run(f"(box => [box.x + 30, box.y + 30])({TILES}[1].getBoundingClientRect())")
        browser.send("Input.dispatchTouchEvent", type="touchStart", touchPoints=[{"x": x, "y": y, "id": 1}])
        browser.until("document.getElementById('large').open")
        browser.send("Input.dispatchTouchEvent", type="touchEnd", touchPoints=[])
        assert browser.run("group.marked.size") == 0
        assert browser.run("document.querySelector('#large p').textContent") == "i2"


def test_a_phone_has_three_columns_without_scrolling_and_a_tap_marks(tmp_path):
    guesses = {f"i{number}": [(MANY[0], 0.9)] for number in range(40)}
    page = page_of(tmp_path, guesses, MANY, add_class=lambda name: None)
    with served(page), Browser(390, 844) as browser:
        enter(browser, page)
        browser.picture(tmp_path / "single.png")
        browser.run("document.getElementById('switch').click()")
        browser.until(IN_GRID)
        assert browser.run("document.documentElement.scrollWidth") <= 390
        assert browser.run("getComputedStyle(document.getElementById('cells')).gridTemplateColumns").count("px") == 3
        cells = "document.getElementById('cells')"
        assert browser.run(f"{cells}.scrollHeight <= {cells}.clientHeight")  # nothing is confirmed out of sight
        assert len(titles(browser)) >= 9
        browser.picture(tmp_path / "phone.png")
        button = browser.run("document.getElementById('yes').getBoundingClientRect().y")
        browser.send("Emulation.setTouchEmulationEnabled", enabled=True, maxTouchPoints=1)
        x, y = browser.run(f"(box => [box.x + 30, box.y + 30])({TILES}[4].getBoundingClientRect())")
        browser.send("Input.dispatchTouchEvent", type="touchStart", touchPoints=[{"x": x, "y": y, "id": 1}])
        browser.send("Input.dispatchTouchEvent", type="touchEnd", touchPoints=[])
        browser.until("group.marked.size === 1")
        # What a finger is about to press stays where it is.
        assert browser.run("document.getElementById('yes').getBoundingClientRect().y") == button
        assert browser.run("document.documentElement.scrollWidth") <= 390
        browser.picture(tmp_path / "marked.png")


def test_a_click_marks_and_a_second_one_takes_it_back(tmp_path):
    page = page_of(tmp_path, cats_and_dogs(8), ["cat", "dog"])
    with served(page), Browser() as browser:
        open_grid(browser, page)
        x, y = browser.run(f"(box => [box.x + 30, box.y + 30])({TILES}[2].getBoundingClientRect())")
        for marked in (["i4"], []):
            for kind in ("mousePressed", "mouseReleased"):
                mouse(browser, kind, x, y, button="left", clickCount=1)
            assert browser.run("[...group.marked]") == marked


def test_a_picture_that_cannot_be_shown_is_confirmed_with_no_group(tmp_path):
    likely = {name: [("cat", 0.9)] for name in ("i0", "broken", "i1")}
    page = page_of(tmp_path, likely, ["cat", "dog"])
    with served(page), Browser() as browser:
        open_grid(browser, page)
        assert "can't be shown is left out" in text(browser, "told")
        browser.press("Enter")
        browser.until(READY + " && shown !== null")
        assert browser.run("shown.id") == "broken"
    assert sorted(AnswerLog(tmp_path).read()["id"]) == ["i0", "i1"]


def test_two_people_confirm_different_pictures_at_the_same_time(tmp_path):
    page = page_of(tmp_path, {f"i{number}": [("cat", 0.9)] for number in range(40)}, ["cat", "dog"])
    with served(page), Browser() as one, Browser() as two:
        for browser, name in ((one, "Ada"), (two, "Bob")):
            enter(browser, page, name)
            browser.press("g")
            browser.until(IN_GRID)
        assert set(titles(one)).isdisjoint(titles(two))
        one.press("Enter")
        two.press("Enter")
        for browser in (one, two):
            browser.until("!document.getElementById('end').hidden")
    history = AnswerLog(tmp_path).read()
    assert len(history) == history["id"].nunique() == 40


def test_a_confirmation_waits_for_its_server_and_outlives_a_reload(tmp_path):
    likely = cats_and_dogs(8)
    page = page_of(tmp_path, likely, ["cat", "dog"])
    with Browser() as browser:
        with served(page):
            open_grid(browser, page)
        browser.press("Enter")
        browser.until("document.getElementById('told').textContent.includes('your answer is kept here and sent again')")
        assert titles(browser)[0] == "i0"
        presses(browser, ["Enter"])
        assert labels(tmp_path) == []
        with served(page_of(tmp_path, likely, ["cat", "dog"], port=page.port, token=page.token)):
            browser.until("group?.label === 'dog' && " + IN_GRID)
            kept = browser.run("group.images")
            body = {"images": kept, "label": "dog", "exceptions": [], "annotator": "Ada", "key": "k", "at": 1}
            browser.run(f"void (localStorage[kept() + 'k'] = {json.dumps(json.dumps(body))}); window.old = 1")
            browser.open(page.url)
            browser.until("window.old === undefined && typeof facts !== 'undefined' && !busy")
            browser.until("!document.getElementById('end').hidden")
    assert labels(tmp_path) == ["cat"] * 4 + ["dog"] * 4
