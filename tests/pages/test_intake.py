"""What the intake report says, and that it needs nothing but itself."""

import base64
import re
from html.parser import HTMLParser

import numpy as np
import pytest

from pt4al.pages.facts import IntakePage
from pt4al.pages.intake import render_intake_page, warn_of_contradictions
from pt4al.plots.duplicates import pairs
from support.sheets import Sheet

PNG = b"\x89PNG not really"


def pair(number: int, split: str = "test", kind: str = "exact", difference: float = 0.0) -> dict:
    names = {"id": f"copy {number}", "other": f"first {number}", "split": split, "other_split": "pool"}
    return names | {"kind": kind, "difference": difference, "label": None, "other_label": None, "linked": False}


FACTS = {
    "title": "Intake of <b>boats</b>",
    "counts": [
        {"split": "pool", "total": 1234, "classes": {"boat": 1000, "tree": 234}},
        {"split": "test", "total": 66, "classes": {"boat": 66}},
    ],
    "frame": {"height": 64, "width": 96, "channels": 3, "fit": "crop"},
    "problems": [
        {"file": "boats/<half>.jpg", "reason": "cut short"},
        {"file": "a.jpg", "reason": "not a picture (starts with 'PK')"},
        {"file": "b.jpg", "reason": "not a picture (starts with '<!DOCTYPE')"},
    ],
    "read": "read class folders at photos/boats & trees: 2 classes",
    "warnings": ["Only the test split has pictures of 'ship'"],
    "size": "200 of 200 pictures looked at have 96 x 64 pixels.",
    "narrow": [],
    "duplicates": [pair(0), pair(1, "pool"), pair(2, "pool", "near", 2.345)],
    "figures": {"sample": PNG, "duplicates": PNG},
}


def render(facts: dict) -> str:
    return render_intake_page(IntakePage(**facts))


class Parser(HTMLParser):
    def __init__(self):
        super().__init__()
        self.images, self.open = [], []

    def handle_starttag(self, tag, attributes):
        if tag == "img":
            self.images.append(dict(attributes))
        elif tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def text(facts: dict) -> str:
    """Return what a person reads, with single spaces."""
    page = re.sub(r"<style>.*</style>|<[^>]+>", " ", render(facts), flags=re.DOTALL)
    return " ".join(page.split())


@pytest.mark.parametrize("empty", [{}, {"figures": {}}, {"problems": [], "duplicates": []}])
def test_page_is_whole_and_needs_no_network(empty):
    page = render(FACTS | empty)
    assert not re.search(r"https?://|@import|url\(", page)
    parser = Parser()
    parser.feed(page)
    assert parser.open == []
    assert all(image["src"].startswith("data:image/png;base64,") and image["alt"] for image in parser.images)
    assert all(base64.b64decode(image["src"].partition(",")[2]) == PNG for image in parser.images)


def test_names_of_files_are_escaped():
    page = render(FACTS)
    assert "boats/&lt;half&gt;.jpg" in page and "<half>" not in page
    assert "boats &amp; trees" in page


def test_page_says_what_was_found():
    page = text(FACTS)
    assert "1,300 images taken in, 3 left out" in page
    assert "96 x 64 pixels, in colour" in page and "their centre was cut out" in page
    assert "boat 1,000 66 tree 234 0" in page


def test_reasons_are_counted_without_their_details():
    page = text(FACTS)
    assert "not a picture 2 cut short 1" in page
    assert "a.jpg not a picture (starts with &#39;PK&#39;)" in page


def test_same_picture_in_two_splits_is_a_warning():
    assert "1 of them stands in two splits" in text(FACTS)
    assert "accuracy on the test split will look better than it is" in text(FACTS)
    assert "in two splits" not in text(FACTS | {"duplicates": [pair(1, "pool")]})


def test_kinds_of_repetitions_are_told_apart():
    page = text(FACTS)
    assert "2 pictures repeat another exactly; 1 looks nearly like another" in page
    assert "copy 2 pool first 2 pool near (2.3)" in page


def test_only_the_first_of_many_are_listed_and_the_page_says_so():
    problems = [{"file": f"file_{number}.jpg", "reason": "empty file"} for number in range(1500)]
    page = text(FACTS | {"problems": problems, "duplicates": [pair(number) for number in range(80)]})
    assert page.count("file_") == 200 and "The first 200 of 1,500" in page
    assert len(re.findall(r"copy \d", page)) == 50 and "The first 50 of 80" in page
    assert "empty file 1,500" in page and "80 of them stand in two splits" in page


def test_source_without_faults_has_a_short_page():
    counts = [{"split": "pool", "total": 1, "classes": {}}]
    page = text(FACTS | {"problems": [], "duplicates": [], "counts": counts})
    assert "1 image taken in Read class folders" in page
    assert "None: every file could be used" in page and "None was found" in page
    assert "people will be asked" in page


@pytest.mark.parametrize("name", sorted(FACTS))
def test_a_missing_fact_is_named(name):
    with pytest.raises(TypeError, match=name):
        render({key: value for key, value in FACTS.items() if key != name})


def test_pairs_stand_side_by_side_with_their_splits():
    images = np.arange(4, dtype=np.uint8).repeat(48).reshape(4, 3, 4, 4)
    sheet = Sheet(pairs(images, [pair(0), pair(1)]))
    assert sheet.captions == ["copy 0 (test)\nfirst 0 (pool)", "copy 1 (test)\nfirst 1 (pool)"]
    assert [image.max() for image in sheet.images] == [0, 1, 2, 3]


def named(number: int, label: str | None, other: str | None, kind: str = "exact") -> dict:
    return pair(number, "pool", kind) | {"label": label, "other_label": other}


def test_one_picture_under_two_classes_is_a_contradiction():
    pairs_found = [named(0, "boat", "tree"), named(1, "boat", "boat"), named(2, "boat", None)]
    page = text(FACTS | {"duplicates": pairs_found})
    assert "1 of them has another class than the picture that it repeats: one label of each is wrong" in page
    assert "copy 0 is called boat, and first 0 tree" in page
    assert warn_of_contradictions(pairs_found, "photos") == [
        "1 picture stands in photos under two classes: one label of each is wrong. "
        "The first is copy 0 (boat), the same as first 0 (tree)"
    ]


@pytest.mark.parametrize("pairs_found", [[], [named(0, "boat", "boat")], [named(0, "boat", "tree", "near")]])
def test_pictures_that_agree_or_only_look_alike_are_no_contradiction(pairs_found):
    assert warn_of_contradictions(pairs_found, "photos") == []
    assert "one label of each is wrong" not in text(FACTS | {"duplicates": pairs_found})


def test_pictures_are_counted_and_not_their_pairs():
    three = [pair(0, "pool", "near", 1.0) | {"other": f"first {number}"} for number in range(3)]
    assert "0 pictures repeat another exactly; 1 looks nearly like another" in text(FACTS | {"duplicates": three})


def test_page_says_what_was_read_why_images_have_their_size_and_which_use_little_of_the_range():
    page = text(FACTS | {"narrow": [{"id": "scan.tif", "darkest": 3, "brightest": 19}]})
    assert "Read class folders at photos/boats &amp; trees: 2 classes." in page
    assert "Only the test split has pictures of &#39;ship&#39;." in page
    assert "200 of 200 pictures looked at have 96 x 64 pixels." in page
    assert "1 image uses less than a quarter of it" in page and "scan.tif 3 19" in page
    assert "little of the range" not in text(FACTS)


def test_one_file_that_a_link_brings_in_twice_is_no_copy():
    page = text(FACTS | {"duplicates": [pair(0, "pool") | {"linked": True}]})
    assert "1 of them is the same file as the picture that it repeats: a link brings it in twice" in page
    assert "one file, by a link" in page
    assert "a link" not in text(FACTS)
