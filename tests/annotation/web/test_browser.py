"""The page in a real browser: driven by keys alone, on a phone's width, with odd names, and without its server."""

import io
import json
import threading
import time
from pathlib import Path

import pandas as pd
import pytest
from PIL import Image

from pt4al.annotation.aggregation import Policy
from pt4al.annotation.log import Answer, AnswerLog
from pt4al.annotation.queue import AnnotationQueue
from pt4al.annotation.web import link
from pt4al.annotation.web.server import Page
from support.browser import CHROMIUM, Browser, wait
from support.label_page import READY, enter, guesses_of, labels, mouse, picture, press, presses, served, text

pytestmark = [
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium here"),
    pytest.mark.external,
]

COMMAND = "kedro run --pipelines=active_learning --params=run.name=mine"
ODD = ['<img src=x onerror="document.title=1">', "</script><script>document.title=1</script>", "NA", "a" * 150, "你好"]


def panorama(image: str, size: str = "screen") -> bytes:
    """Return a wide picture, reduced for a screen."""
    width = {"screen": 1600, "whole": 4800}[size]
    file = io.BytesIO()
    Image.linear_gradient("L").resize((width, width // 6)).save(file, "png")
    return file.getvalue()


def page_of(folder: Path, ids: list[str], classes: list[str], policy: Policy | None = None, **more) -> Page:
    shown = more.pop("picture", picture)
    facts = {"title": "mine, cycle 2", "command": COMMAND, "suggest": more.pop("suggest", True)}
    served = {name: more.pop(name) for name in ("port", "token") if name in more}
    queue = AnnotationQueue(AnswerLog(folder), pd.DataFrame({"id": ids}), policy or Policy(), classes, **more)
    return Page(queue, shown, lambda image: {"sentence": "The model wavers.", "neighbours": []}, facts, **served)


def test_a_query_is_labelled_by_keys_alone(tmp_path):
    guess = pd.DataFrame({"id": ["i1"], "label": ["dog"], "probability": [0.91]})
    page = page_of(tmp_path, ["i0", "i1", "i2", "i3"], ["cat", "dog", "bird"], suggestions=guess)
    with served(page), Browser() as browser:
        enter(browser, page)
        assert page.token not in browser.run("location.href")
        assert browser.run("document.getElementById('image').className") == "small"
        press(browser, "1")
        assert "model 91 %" in text(browser, "classes")
        press(browser, "w")
        assert "The model wavers." in text(browser, "why")
        press(browser, "Enter", "s", "u", "3")  # the guess; a skip, taken back; another answer
        assert text(browser, "count") == "3 / 4"
        press(browser, "ArrowLeft", "ArrowLeft")
        assert "Your answer: dog" in text(browser, "told")
        press(browser, "1")  # changed: on to the next that was answered
        assert "Your answer: bird" in text(browser, "told")
        press(browser, "ArrowRight", "2")
        assert "All 4 answered" in text(browser, "end")
        assert COMMAND in text(browser, "end")
    history = AnswerLog(tmp_path).read()
    standing = page.queue.progress().images
    assert standing["label"].tolist() == ["cat", "cat", "bird", "dog"]
    assert set(history["annotator"]) == {"Ada"}
    assert (history["seconds"].dropna() > 0).all()


def test_a_phone_shows_all_of_it_and_odd_names_are_only_names(tmp_path):
    page = page_of(tmp_path, ["i0", "i1"], ODD)
    with served(page), Browser(360, 740) as browser:
        enter(browser, page)
        assert browser.run("document.documentElement.scrollWidth") <= 360
        assert browser.run("document.getElementById('image').getBoundingClientRect().height") > 150
        heights = "[...document.querySelectorAll('#classes button')].map(one => one.getBoundingClientRect().height)"
        assert min(browser.run(heights)) >= 40
        names = "[...document.querySelectorAll('#classes button > span')].map(one => one.textContent)"
        assert browser.run(names) == ODD
        browser.run("document.querySelectorAll('#classes button')[1].click()")
        browser.until("trail.length === 1 && " + READY)
        assert browser.run("document.title") == "mine, cycle 2"
    assert labels(tmp_path) == [ODD[1]]


def test_one_of_a_thousand_classes_is_found_by_typing(tmp_path):
    added = []
    classes = [f"class {number}" for number in range(1000)]
    page = page_of(tmp_path, ["i0", "i1", "i2"], classes, add_class=added.append)
    with served(page), Browser() as browser:
        enter(browser, page)
        for typed, key in (("class 77", "Enter"), ("Klass", "Enter")):
            browser.press("/")
            browser.type(typed)
            press(browser, key)
        assert labels(tmp_path) == ["class 77"]  # a slip adds no class
        browser.run("document.querySelector('.new').click()")
        browser.until("trail.length === 2 && " + READY)
    assert labels(tmp_path) == ["class 77", "Klass"]
    assert added == ["Klass"]


def test_guesses_can_be_hidden_from_the_start(tmp_path):
    guess = pd.DataFrame({"id": ["i0"], "label": ["dog"], "probability": [0.91]})
    page = page_of(tmp_path, ["i0"], ["cat", "dog"], suggestions=guess, suggest=False)
    with served(page), Browser() as browser:
        enter(browser, page)
        assert "91" not in text(browser, "classes")
        press(browser, "Enter")
        assert labels(tmp_path) == []
        press(browser, "h")
        assert "91" in text(browser, "classes")


def test_a_picture_that_cannot_be_shown_is_told_and_skipped(tmp_path):
    page = page_of(tmp_path, ["broken", "i1"], ["cat", "dog"])
    with served(page), Browser() as browser:
        enter(browser, page)
        assert "can't be shown" in text(browser, "told")
        press(browser, "s")
        assert text(browser, "caption") == "i1"
    assert labels(tmp_path) == [None]


def test_people_who_disagree_are_reviewed(tmp_path):
    log = AnswerLog(tmp_path)
    log.add(
        [Answer(id="i0", label=label, annotator=name, source="page") for name, label in (("A", "cat"), ("B", "dog"))]
    )
    page = page_of(tmp_path, ["i0"], ["cat", "dog"], Policy(2, "consensus"))
    with served(page), Browser() as browser:
        enter(browser, page, "Cy")
        assert "1 image" in text(browser, "end")
        press(browser, "r")
        assert "A: cat, B: dog" in text(browser, "told")
        press(browser, "2")
        assert "All 1 answered" in text(browser, "end")


def test_an_answer_waits_for_its_server_and_is_taken_once(tmp_path):
    page = page_of(tmp_path, ["i0", "i1"], ["cat", "dog"])
    with Browser() as browser:
        with served(page):
            enter(browser, page)
        browser.press("2")
        browser.until("document.getElementById('told').textContent.startsWith('No connection: your answer is kept')")
        assert text(browser, "caption") == "i0"  # the page moves on with the acknowledgement alone
        browser.press("1")  # and takes nothing in meanwhile
        assert labels(tmp_path) == []
        with served(page_of(tmp_path, ["i0", "i1"], ["cat", "dog"], port=page.port, token=page.token)):
            browser.until("trail.length === 1 && " + READY)
            assert text(browser, "caption") == "i1"
    assert labels(tmp_path) == ["dog"]


def test_an_answer_on_its_way_outlives_a_reload_of_its_tab(tmp_path):
    page = page_of(tmp_path, ["i0", "i1"], ["cat", "dog"])
    with served(page), Browser() as browser:
        enter(browser, page)
        for image, shown in (("i0", "i1"), ("of another query", "i1")):
            answer = {"image": image, "label": "dog", "annotator": "Ada", "key": image, "at": 1, "seconds": 1}
            browser.run(f"void (localStorage[kept() + 'k'] = {json.dumps(json.dumps(answer))}); window.old = 1")
            browser.open(page.url)
            browser.until("window.old === undefined && " + READY)
            browser.until(f"document.getElementById('caption').textContent === '{shown}'")
            browser.run("delete localStorage[kept() + 'k']")  # by another key than the page's own
        assert browser.run("unsent().length") == 0
        assert "not in this query" in text(browser, "told")
    assert labels(tmp_path) == ["dog"]


def test_a_label_of_an_earlier_cycle_is_changed_by_going_back(tmp_path):
    earlier = pd.DataFrame({"id": ["i7"], "label": ["cat"]})
    page = page_of(tmp_path, ["i0"], ["cat", "dog"], earlier=earlier)
    with served(page), Browser() as browser:
        enter(browser, page)
        press(browser, "ArrowLeft")
        assert "earlier round: cat" in text(browser, "told")
        press(browser, "2")
        assert text(browser, "caption") == "i0"
        press(browser, "ArrowLeft")
        assert "dog" in text(browser, "told")
        press(browser, "u")
        assert browser.run("shown.label") == "cat"


def test_two_tabs_are_handed_different_images(tmp_path):
    page = page_of(tmp_path, ["i0", "i1", "i2"], ["cat", "dog"])
    with served(page), Browser() as one, Browser() as two:
        enter(one, page, "Ada")
        enter(two, page, "Bob")
        assert {text(one, "caption"), text(two, "caption")} == {"i0", "i1"}
        one.press("1")
        two.press("2")
        wait(lambda: page.queue.progress().answered == 2)
    assert sorted(AnswerLog(tmp_path).read()["id"]) == ["i0", "i1"]


def test_a_press_that_comes_too_early_is_refused_and_said_so_and_answers_nothing(tmp_path):
    opened = threading.Event()
    opened.set()

    def slow(image: str) -> bytes:
        opened.wait(120)
        return picture(image)

    queue = AnnotationQueue(
        AnswerLog(tmp_path), pd.DataFrame({"id": [f"i{n}" for n in range(6)]}), Policy(), ["cat", "dog"]
    )
    page = Page(queue, slow, facts={"run": "mine"})
    with served(page), Browser() as browser:
        enter(browser, page)
        browser.until("ahead.has('i2')")
        browser.run("Promise.all(ahead.values()).then(() => 1)")
        opened.clear()
        press(browser, "1", "2")  # i1 and i2 were here already; i3 comes slowly
        presses(browser, "2")
        wait(lambda: labels(tmp_path) == ["cat", "dog", "dog"])
        presses(browser, "111")
        assert "Not taken (3 times): the picture was not there yet" in text(browser, "early")
        browser.picture(tmp_path / "early.png")
        opened.set()
        browser.until(READY + " && shown.id === 'i3'")
        assert labels(tmp_path) == ["cat", "dog", "dog"]
        browser.until("performance.now() - refused > PAUSE")
        press(browser, "2")
        browser.until("document.getElementById('early').hidden")
    assert labels(tmp_path) == ["cat", "dog", "dog", "dog"]


def test_the_next_two_pictures_are_fetched_once_while_a_person_looks(tmp_path):
    asked = []

    def noted(image: str) -> bytes:
        asked.append(image)
        return picture(image)

    page = page_of(tmp_path, [f"i{number}" for number in range(5)], ["cat", "dog"], picture=noted)
    with served(page), Browser() as browser:
        enter(browser, page)
        wait(lambda: len(asked) == 3)
        assert browser.run("[...ahead.keys()]") == ["i1", "i2"]
        press(browser, "1")
        wait(lambda: len(asked) == 4)
        press(browser, "1", "1", "1", "1")
        assert browser.run("ahead.size") == 0
    assert sorted(asked) == [f"i{number}" for number in range(5)]  # two at once come in any order


def test_each_press_of_a_fast_hand_is_an_answer_to_what_was_shown_or_is_refused_in_sight(tmp_path):
    page = page_of(tmp_path, [f"i{number}" for number in range(8)], ["cat", "dog"])
    with served(page), Browser() as browser:
        enter(browser, page)
        for _ in range(5):
            browser.press("1")
            time.sleep(0.1)
        browser.until(READY)
        taken = len(labels(tmp_path))
        assert taken + browser.run("number") == 5
        assert browser.run("document.getElementById('early').hidden") == (taken == 5)


def test_an_old_tab_goes_on_when_its_server_is_started_again_and_sends_what_it_kept(tmp_path):
    ids, classes, added = [f"i{number}" for number in range(4)], ["cat", "dog"], []
    page = page_of(tmp_path, ids, classes, add_class=added.append)
    link.keep(tmp_path / "page.json", link.Link(page.port, page.token))
    with Browser() as browser:
        with served(page):
            enter(browser, page)
            press(browser, "1")
        browser.press("2")
        browser.until("cut")
        presses(browser, "11")
        assert "your last answer still waits for the server" in text(browser, "early")
        assert browser.run("unsent().length") == 1
        browser.picture(tmp_path / "waiting.png")
        # What a person types, and what a reader of a page must be able to do meanwhile: reload it, close it.
        kept = link.read(tmp_path / "page.json")
        again = page_of(tmp_path, ids, [*classes, "bird"], port=kept.port, token=kept.token)
        with served(again):
            browser.until("trail.length === 2 && " + READY)
            assert browser.run("unsent().length") == 0
            assert browser.run("facts.classes") == ["cat", "dog", "bird"]
            browser.until("performance.now() - refused > PAUSE")
            press(browser, "3")
    assert labels(tmp_path) == ["cat", "dog", "bird"]


def test_an_answer_for_another_link_is_kept_until_the_right_one_is_opened(tmp_path):
    page = page_of(tmp_path, ["i0", "i1"], ["cat", "dog"])
    with Browser() as browser:
        with served(page):
            enter(browser, page)
        browser.press("2")
        browser.until("cut")
        other = page_of(tmp_path, ["i0", "i1"], ["cat", "dog"], port=page.port, token="another-token-that-is-longer")
        with served(other):
            browser.until("document.getElementById('told').textContent.includes('token')")
            assert labels(tmp_path) == []
            browser.run("window.old = 1")
            browser.open(other.url)
            browser.until("window.old === undefined && " + READY)
            assert labels(tmp_path) == ["dog"]
            assert text(browser, "caption") == "i1"


def test_an_answer_that_the_disk_could_not_take_is_sent_again(tmp_path, monkeypatch):
    page, append, full = page_of(tmp_path, ["i0", "i1"], ["cat", "dog"]), AnswerLog._append, [True]

    def maybe(log: AnswerLog, text: str) -> None:
        if full:
            raise OSError(28, "No space left on device")
        append(log, text)

    monkeypatch.setattr(AnswerLog, "_append", maybe)
    with served(page), Browser() as browser:
        enter(browser, page)
        browser.press("2")
        browser.until("document.getElementById('told').textContent.includes('kept here and sent again')")
        full.clear()
        browser.until(READY + " && shown.id === 'i1'")
    assert labels(tmp_path) == ["dog"]


DRAWN = "document.getElementById('image').getBoundingClientRect()"
VIEW = "document.getElementById('view').getBoundingClientRect()"


def middle(browser: Browser) -> tuple[float, float]:
    return tuple(browser.run(f"(view => [view.x + view.width / 2, view.y + view.height / 2])({VIEW})"))


def test_a_wide_picture_is_enlarged_from_its_original_by_a_key_and_whole_again_with_escape(tmp_path):
    page = page_of(tmp_path, ["i0", "i1"], ["cat", "dog"], picture=panorama)
    with served(page), Browser() as browser:
        enter(browser, page)
        width = browser.run("document.getElementById('image').naturalWidth")
        assert width == 1600
        press(browser, "z")
        # As high as the view now, of which it was a strip.
        assert browser.run("fitted().height * zoom.scale") >= browser.run(VIEW + ".height") - 1
        browser.until("document.getElementById('image').naturalWidth === 4800")
        assert browser.run("getComputedStyle(document.getElementById('scale')).display") != "none"
        browser.picture(tmp_path / "zoomed.png")
        press(browser, "Escape")
        assert browser.run(DRAWN + ".width") == browser.run(VIEW + ".width")
        press(browser, "z", "1")
        assert text(browser, "caption") == "i1"
        assert browser.run("zoom.scale") == 1
        assert browser.run("document.getElementById('image').naturalWidth") == 1600
    assert labels(tmp_path) == ["cat"]


def test_the_wheel_enlarges_what_the_mouse_points_at_and_a_drag_moves_it_no_further_than_its_edge(tmp_path):
    page = page_of(tmp_path, ["i0"], ["cat", "dog"], picture=panorama)
    with served(page), Browser() as browser:
        enter(browser, page)
        x, y = middle(browser)
        under = f"(at => (at - {DRAWN}.x) / {DRAWN}.width)({x + 100})"
        before = browser.run(under)
        mouse(browser, "mouseWheel", x + 100, y, deltaX=0, deltaY=-900)
        browser.until("zoom.scale > 5")
        assert browser.run(under) == pytest.approx(before, abs=0.002)
        at = browser.run("zoom.x")
        for kind, moved in (("mousePressed", 0), ("mouseMoved", 50), ("mouseReleased", 50)):
            mouse(browser, kind, x + moved, y, button="left", buttons=1, clickCount=1)
        assert browser.run("zoom.x") == pytest.approx(at + 50, abs=1)
        for kind, moved in (("mousePressed", -300), ("mouseMoved", 300), ("mouseReleased", 300)):
            for _ in range(1 if kind != "mouseMoved" else 40):
                mouse(browser, kind, x + moved, y, button="left", buttons=1, clickCount=1)
        assert browser.run("zoom.x") <= 0
        mouse(browser, "mouseMoved", x - 200, y)
        assert browser.run("zoom.x") <= 0  # nothing is dragged once the button is up
        mouse(browser, "mouseWheel", x, y, deltaX=0, deltaY=5000)
        browser.until("zoom.scale === 1")
        for count in (1, 2):
            for kind in ("mousePressed", "mouseReleased"):
                mouse(browser, kind, x, y, button="left", clickCount=count)
        browser.until("zoom.scale > 1")
    assert labels(tmp_path) == []


def test_two_fingers_enlarge_a_picture_on_a_phone_and_a_tap_shows_all_of_it(tmp_path):
    page = page_of(tmp_path, ["i0"], ["cat", "dog"], picture=panorama)
    with served(page), Browser(390, 800) as browser:
        enter(browser, page)
        browser.send("Emulation.setTouchEmulationEnabled", enabled=True, maxTouchPoints=2)
        x, y = middle(browser)
        for kind, apart in (("touchStart", 30), ("touchMove", 60), ("touchMove", 90)):
            points = [{"x": x - apart, "y": y, "id": 1}, {"x": x + apart, "y": y, "id": 2}]
            browser.send("Input.dispatchTouchEvent", type=kind, touchPoints=points)
        browser.send("Input.dispatchTouchEvent", type="touchEnd", touchPoints=[])
        browser.until("Math.abs(zoom.scale - 3) < 0.1")
        assert browser.run("fingers.size") == 0
        browser.until("document.getElementById('image').naturalWidth === 4800")
        browser.picture(tmp_path / "phone.png")
        browser.run("document.getElementById('scale').click()")
        assert browser.run("zoom.scale") == 1
        assert browser.run("document.documentElement.scrollWidth") <= 390


def test_an_original_that_cannot_be_shown_leaves_the_reduced_picture_and_says_so(tmp_path):
    def reduced(image: str, size: str = "screen") -> bytes:
        if size == "whole":
            raise OSError("gone")
        return panorama(image)

    page = page_of(tmp_path, ["i0", "i1"], ["cat", "dog"], picture=reduced)
    with served(page), Browser() as browser:
        enter(browser, page)
        press(browser, "z")
        browser.until("document.getElementById('told').textContent.includes('reduced picture')")
        assert browser.run("document.getElementById('image').naturalWidth") == 1600
        press(browser, "2")
    assert labels(tmp_path) == ["dog"]


def test_what_a_model_wavers_between_is_drawn_on_the_buttons(tmp_path):
    guess = guesses_of({"i0": [("dog", 0.47), ("cat", 0.45), ("bird", 0.004)]})
    page = page_of(tmp_path, ["i0", "i1"], ["bird", "cat", "cow", "dog"], suggestions=guess)
    with served(page), Browser() as browser:
        enter(browser, page)
        buttons = "[...document.querySelectorAll('#classes button')]"
        texts = f"{buttons}.map(one => one.querySelector('small')?.textContent ?? '')"
        assert browser.run(texts) == ["< 1 %", "45 %", "", "model 47 %"]
        assert browser.run(f"{buttons}[1].style.getPropertyValue('--sure')") == "45%"
        assert browser.run("document.querySelectorAll('.suggested').length") == 1
        press(browser, "h")
        assert browser.run(texts) == ["", "", "", ""]
        press(browser, "h", "Enter")
        assert browser.run(texts) == ["", "", "", ""]  # nothing is known of this one
    assert labels(tmp_path) == ["dog"]


MANY = [f"class {number:02}" for number in range(40)]


def digits(browser: Browser) -> dict[str, str]:
    """Return the classes that have keys, by key, as they are shown on the buttons."""
    shown = (
        "[...document.querySelectorAll('#classes button')].filter(one => one.querySelector('kbd'))"
        ".map(one => [one.querySelector('kbd').textContent, one.querySelector('span').textContent])"
    )
    return dict(browser.run(shown))


def use(browser: Browser, name: str) -> None:
    browser.press("/")
    browser.type(name)
    press(browser, "Enter")


def test_of_many_classes_the_likeliest_and_the_last_used_have_keys(tmp_path):
    likely = [(MANY[number], 0.3 - 0.05 * place) for place, number in enumerate((30, 7, 31, 32, 33))]
    ids = [f"i{number}" for number in range(7)]
    page = page_of(tmp_path, ids, MANY, suggestions=guesses_of(dict.fromkeys(ids, likely)))
    with served(page), Browser() as browser:
        enter(browser, page)
        guessed = {str(place + 1): label for place, (label, _) in enumerate(likely)}
        both = {"2 8": MANY[7]}  # a class that is likely, and has a key of its own
        shown = {key: label for key, label in guessed.items() if key != "2"}
        assert digits(browser) == shown | both | {"6": MANY[5], "7": MANY[6], "9": MANY[8]}
        for number in (20, 21, 22, 23):
            use(browser, MANY[number])
        shown = digits(browser)
        assert shown == guessed | {"6": MANY[20], "7": MANY[21], "8": MANY[22], "9": MANY[23]}
        use(browser, MANY[24])  # takes the key of the one that was not used for longest; the others keep theirs
        assert digits(browser) == shown | {"6": MANY[24]}
        press(browser, "2", "8")
    assert labels(tmp_path)[-2:] == [MANY[7], MANY[22]]


def test_without_guesses_the_last_used_classes_have_keys_and_then_the_first(tmp_path):
    page = page_of(tmp_path, ["i0", "i1", "i2"], MANY)
    with served(page), Browser() as browser:
        enter(browser, page)
        first = {str(place + 1): MANY[place] for place in range(9)}
        assert digits(browser) == first
        use(browser, MANY[30])
        assert digits(browser) == first | {"1": MANY[30]}
        browser.run("window.old = 1")
        browser.open(page.url)
        browser.until("window.old === undefined && " + READY)
        assert digits(browser) == first | {"1": MANY[30]}
        press(browser, "1", "2")
    assert labels(tmp_path) == [MANY[30], MANY[30], MANY[1]]


ANIMALS = ["ant", "bear", "cat", "crab", "dog", "easy face", "emu", "face", "fox", "sea horse", "wolf"]


def presses_and_looks(browser: Browser, typed: str) -> list[str]:
    """Type letter by letter; return the classes that are left, and a star behind the one that Enter takes."""
    for key in typed:
        browser.press(key)
    browser.until(f"document.getElementById('search').value === {json.dumps(typed)}")
    names = (
        "[...document.querySelectorAll('#classes button:not(.new)')]"
        ".map(one => one.querySelector('span').textContent + (one.classList.contains('first') ? '*' : ''))"
    )
    return browser.run(names)


def test_letters_search_at_once_where_classes_are_many_and_a_slip_finds_its_class(tmp_path):
    page = page_of(tmp_path, ["i0", "i1", "i2", "i3", "i4"], ANIMALS)
    with served(page), Browser() as browser:
        enter(browser, page)
        assert presses_and_looks(browser, "sea") == ["sea horse*"]  # s skips nothing here
        press(browser, "Enter")
        for typed in ("fcae", "fce", "facw"):  # swapped, missing, another
            assert presses_and_looks(browser, typed) == ["face*", "easy face"]
            browser.press("Escape")
        assert presses_and_looks(browser, "hrose") == ["sea horse*"]
        press(browser, "Enter")
        assert presses_and_looks(browser, "cqt") == ["cat*"]
        browser.press("Escape")
        assert presses_and_looks(browser, "xyz") == []
        browser.press("Escape")
        browser.press("/")
        assert presses_and_looks(browser, "wol") == ["wolf*"]
        press(browser, "Enter")
        browser.send("Input.dispatchKeyEvent", type="keyDown", key="S", text="S", modifiers=8)
        browser.until("trail.length === 4 && " + READY)
        assert "⇧S" in text(browser, "tools")
    assert labels(tmp_path) == ["sea horse", "sea horse", "wolf", None]


def test_of_classes_that_are_equally_near_none_is_taken_by_enter(tmp_path):
    page = page_of(tmp_path, ["i0"], [f"class {number}" for number in range(10)])
    with served(page), Browser() as browser:
        enter(browser, page)
        assert presses_and_looks(browser, "clsas") == [f"class {number}" for number in range(10)]
        press(browser, "Enter")
    assert labels(tmp_path) == []


def test_letters_stay_commands_where_classes_are_few(tmp_path):
    page = page_of(tmp_path, ["i0", "i1"], ["cat", "dog"], add_class=lambda name: None)
    with served(page), Browser() as browser:
        enter(browser, page)
        press(browser, "b", "s")
        assert browser.run("document.getElementById('search').value") == ""
    assert labels(tmp_path) == [None]


def test_who_adds_a_class_that_is_near_another_is_asked_which_was_meant(tmp_path):
    added = []
    page = page_of(tmp_path, [f"i{number}" for number in range(5)], ["cat", "face", "type 1"], add_class=added.append)
    with served(page), Browser() as browser:
        enter(browser, page)

        def add(name: str) -> None:
            browser.press("/")
            browser.type(name)
            browser.run("document.querySelector('.new').click()")

        opened = "document.getElementById('doubt').open"
        add("fcae")
        browser.until(opened)
        assert "Did you mean “face”?" in text(browser, "doubt")
        browser.picture(tmp_path / "doubt.png")
        press(browser, "Escape")
        assert (labels(tmp_path), added) == ([], [])
        press(browser, "Escape")
        add("fcae")
        browser.until(opened)
        browser.press("Enter")
        browser.until("trail.length === 1 && " + READY)
        add("Cats")
        browser.until(opened)
        browser.run("document.querySelector('#doubt .plain').click()")
        browser.until("trail.length === 2 && " + READY)
        for turn, name in enumerate(("type 2", "whale")):  # another number, another word
            add(name)
            browser.until(f"trail.length === {3 + turn} && " + READY)
    assert labels(tmp_path) == ["face", "Cats", "type 2", "whale"]
    assert added == ["Cats", "type 2", "whale"]


def test_an_overview_shows_what_was_labelled_by_class_and_leads_to_its_correction(tmp_path):
    asked = []

    def sized(image: str, size: str = "screen") -> bytes:
        asked.append((image, size))
        return picture(image)

    page = page_of(tmp_path, [f"i{number}" for number in range(6)], ["cat", "dog"], picture=sized)
    with served(page), Browser() as browser:
        enter(browser, page)
        press(browser, "o")
        assert "Nothing yet" in text(browser, "groups")
        browser.press("o")
        press(browser, "1", "2", "1", "s", "o")
        titles = "[...one.querySelectorAll('button')].map(tile => tile.title)"
        title = "one.querySelector('h3').textContent"
        groups = f"[...document.querySelectorAll('#groups section')].map(one => [{title}, {titles}])"
        assert browser.run(groups) == [["cat  2", ["i0", "i2"]], ["dog  1", ["i1"]], ["Skipped  1", ["i3"]]]
        browser.until("document.querySelectorAll('#groups img').length === 4")
        assert [image for image, size in asked if size == "thumbnail"] == ["i0", "i2", "i1", "i3"]
        for key, focused in (("ArrowRight", "i0"), ("ArrowRight", "i2"), ("ArrowLeft", "i0"), ("ArrowDown", "i1")):
            browser.press(key)
            assert browser.run("document.activeElement.title") == focused
        browser.press("Enter")
        browser.until("shown && shown.id === 'i1' && " + READY)
        assert "Your answer: dog" in text(browser, "told")
        press(browser, "1")  # corrected; then on with what is open
        assert text(browser, "caption") == "i4"
        press(browser, "o")
        assert browser.run(groups)[0] == ["cat  3", ["i0", "i2", "i1"]]
        assert browser.run("document.activeElement.title") == "i1"
        browser.press("Enter")
        browser.until("shown && shown.id === 'i1' && " + READY)
        press(browser, "ArrowRight")
        assert text(browser, "caption") == "i4"
        press(browser, "o", "Escape")
        assert not browser.run("document.getElementById('overview').open")
        press(browser, "2")
    assert labels(tmp_path) == ["cat", "dog", "cat", None, "cat", "dog"]


def test_a_phone_shows_the_overview_within_its_width(tmp_path):
    page = page_of(tmp_path, [f"i{number}" for number in range(9)], ["cat", "dog"])
    page.picture = lambda image, size="screen": picture(image)
    with served(page), Browser(390, 800) as browser:
        enter(browser, page)
        press(browser, *"11212112")
        browser.run("act(actions.overview)")
        browser.until("document.querySelectorAll('#groups img').length === 8")
        assert browser.run("document.getElementById('overview').getBoundingClientRect().width") <= 390
        assert browser.run("document.getElementById('groups').scrollWidth") <= 390
        browser.picture(tmp_path / "overview.png")
        browser.run("document.querySelector('#groups button').click()")
        browser.until("shown && shown.id === 'i0' && " + READY)


def test_a_skip_moves_no_goal_and_the_last_page_says_the_round_and_copies_the_command(tmp_path):
    roles = ["query", "query", "control", "reserve", "reserve"]
    query = pd.DataFrame({"id": [f"i{number}" for number in range(5)], "role": roles})
    queue = AnnotationQueue(AnswerLog(tmp_path), query, Policy(skipped="replace"), ["cat", "dog"])
    facts = {"run": "mine", "title": "mine", "round": 1, "rounds": 3, "command": COMMAND}
    page = Page(queue, picture, facts=facts)
    with served(page), Browser() as browser:
        enter(browser, page)
        assert text(browser, "title") == browser.run("document.title") == "mine, round 1 of 3"
        press(browser, "1", "s")
        assert text(browser, "count") == "1 / 3, 1 skipped"
        press(browser, "1", "1")
        assert text(browser, "count") == "3 / 3, 1 skipped"
        assert "3 of 3, 1 skipped, round 1 of 3." in text(browser, "endtext")
        assert browser.run("document.getElementById('command').textContent") == COMMAND
        browser.run("navigator.clipboard.writeText = text => { window.copied = text; return Promise.resolve(); }")
        press(browser, "c")
        assert browser.run("window.copied") == COMMAND
        assert "Copied" in text(browser, "told")


def test_a_command_is_copied_over_plain_http_too_and_wraps_on_a_phone(tmp_path):
    page = page_of(tmp_path, ["i0"], ["cat", "dog"])
    page.facts["command"] = COMMAND + "".join(f",block.setting_{number}=value" for number in range(9))
    with served(page), Browser(390, 800) as browser:
        enter(browser, page)
        press(browser, "1")
        browser.run("navigator.clipboard.writeText = () => Promise.reject(new Error('not here'))")
        browser.run("document.execCommand = () => { window.copied = getSelection().toString(); return true; }")
        browser.run("document.getElementById('copy').click()")
        browser.until("window.copied !== undefined")
        assert browser.run("window.copied") == page.facts["command"]
        box = "document.getElementById('command')"
        assert browser.run(f"{box}.scrollWidth <= {box}.clientWidth")
        assert browser.run("document.documentElement.scrollWidth") <= 390


def queue_in(folder: Path, ids: list[str], **more) -> AnnotationQueue:
    return AnnotationQueue(AnswerLog(folder), pd.DataFrame({"id": ids}), Policy(), ["cat", "dog"], **more)


def test_one_page_prepares_asks_trains_and_asks_again_until_the_result(tmp_path):
    facts = {"goes_on": True, "run": "mine", "title": "mine", "rounds": 2}
    page = Page(facts=facts)
    page.work("Decoding pictures", 420, 1200)
    with served(page), Browser() as browser:
        browser.open(page.url)
        browser.until("document.querySelector('dialog[open]') !== null")
        browser.type("Ada")
        browser.press("Enter")
        browser.until("document.getElementById('end').innerText.includes('Decoding pictures')")
        assert "420 of 1,200" in text(browser, "end")
        page.ask(queue_in(tmp_path, ["i0", "i1"]), picture, lambda image: None, facts | {"round": 1})
        browser.until(READY + " && shown !== null")
        press(browser, "1")
        browser.press("2")
        browser.until("shown === null && !busy")
        assert "The model learns from them now" in text(browser, "end")
        press(browser, "u")  # the last one is taken back
        browser.until("shown !== null")
        browser.press("1")
        browser.until("shown === null && !busy")
        page.work("Training the model", 3, 10)
        browser.until("document.getElementById('end').innerText.includes('3 of 10')")
        page.ask(queue_in(tmp_path, ["i2"]), picture, lambda image: None, facts | {"round": 2})
        browser.until(READY + " && shown !== null && shown.id === 'i2'")
        assert text(browser, "title") == "mine, round 2 of 2"
        browser.press("2")
        browser.until("shown === null && !busy")
        page.finish(
            ["75 % accuracy."], {"report.html": lambda: b"<title>The report</title>"}, "kedro run --pipelines=predict"
        )
        browser.until("!document.getElementById('report').hidden")
        assert "75 % accuracy. Thank you. To let the model name the other pictures, type:" in text(browser, "end")
        assert text(browser, "command") == "kedro run --pipelines=predict"
        browser.open(browser.run("document.getElementById('report').href"))
        browser.until("document.title === 'The report'")
    assert labels(tmp_path) == ["cat", "dog", None, "cat", "dog"]


def test_what_went_wrong_with_the_training_is_told_on_the_page(tmp_path):
    page = Page(facts={"goes_on": True})
    page.fail("no picture in photos")
    with served(page), Browser() as browser:
        browser.open(page.url)
        browser.until("document.querySelector('dialog[open]') !== null")
        browser.type("Ada")
        browser.press("Enter")
        browser.until("document.getElementById('end').innerText.includes('no picture in photos')")
        assert page.told.wait(120)


def test_a_tab_that_was_left_open_goes_on_with_the_newer_round(tmp_path):
    page = Page(queue_in(tmp_path, ["i0", "i1"]), picture, lambda image: None, {"goes_on": True, "round": 1})
    with served(page), Browser() as browser:
        enter(browser, page)
        earlier = pd.DataFrame({"id": ["i0"], "label": [None]})
        again = queue_in(tmp_path, ["i2"], earlier=earlier)
        page.ask(again, picture, lambda image: None, {"goes_on": True, "round": 2})
        press(browser, "1")  # still of the first round, and taken
        browser.until(READY + " && shown.id === 'i2'")
        assert labels(tmp_path) == ["cat"]


def test_a_class_is_explained_by_the_mouse_and_by_a_key(tmp_path):
    page = page_of(tmp_path, ["i0", "i1", "i2"], ["cat", "dog"])
    page.facts["descriptions"] = {"dog": "No wolves."}
    with served(page), Browser() as browser:
        enter(browser, page)
        press(browser, "2")
        box = browser.run(
            "(({x, y}) => [x, y])(document.querySelectorAll('#classes button')[1].getBoundingClientRect())"
        )
        for step in (10, 14):
            browser.send("Input.dispatchMouseEvent", type="mouseMoved", x=box[0] + step, y=box[1] + step)
        browser.until("!document.getElementById('class').hidden")
        assert "No wolves." in text(browser, "class")
        assert browser.run("document.querySelectorAll('#class img').length") == 1
        browser.send("Input.dispatchMouseEvent", type="mouseMoved", x=5, y=5)
        browser.until("document.getElementById('class').hidden")
        press(browser, "d")
        assert "No wolves." in text(browser, "meanings")
        assert "cat" not in text(browser, "meaninglist")  # of which nothing is known
        press(browser, "d")
        assert not browser.run("document.getElementById('meanings').open")
    assert labels(tmp_path) == ["dog"]
