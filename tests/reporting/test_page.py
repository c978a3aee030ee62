"""What the page says, and that it needs nothing but itself."""

import base64
import re
from html.parser import HTMLParser

import pytest
from jinja2 import UndefinedError

from pt4al.reporting.page import render

PNG = b"\x89PNG not really"
FACTS = {
    "title": "Fashion-MNIST <i>run</i> mine",
    "run": {"seed": 3, "measure": "margin"},
    "summary": [{"labels": 200, "accuracy": 0.678}, {"labels": 1000, "accuracy": 0.8512, "loss": 0.5}],
    "baselines": ["random"],
    "audit": [{"cycle": 1, "sentence": "No evidence that <ranking> helps."}],
    "figures": dict.fromkeys(("learning_curve", "query_10", "query_9", "hardest", "audit"), PNG),
    "seconds": 833.0,
    "notes": ["The pool is small & gray."],
}


class Parser(HTMLParser):
    def __init__(self):
        super().__init__()
        self.addresses, self.images, self.open = [], [], []

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        self.addresses += [attributes[name] for name in ("src", "href", "srcset", "action") if name in attributes]
        if tag == "img":
            self.images.append(attributes)
        elif tag not in ("meta", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def parsed(page: str) -> Parser:
    parser = Parser()
    parser.feed(page)
    return parser


def test_page_needs_no_network():
    page = render(FACTS)
    assert "http://" not in page and "https://" not in page and "@import" not in page and "url(" not in page
    assert all(address.startswith("data:image/png;base64,") for address in parsed(page).addresses)


def test_every_image_is_embedded_whole_and_described():
    images = parsed(render(FACTS)).images
    assert len(images) == len(FACTS["figures"])
    assert all(base64.b64decode(image["src"].partition(",")[2]) == PNG for image in images)
    assert all(image["alt"] for image in images)


def test_every_element_is_closed():
    assert parsed(render(FACTS)).open == []


def test_answer_comes_first():
    page = re.sub(r"<style>.*</style>|<[^>]+>", "", render(FACTS), flags=re.DOTALL)
    assert "85.1 % accuracy with 1,000 labels" in page
    parts = [
        "85.1 %",
        "Accuracy by number",
        "What was asked",
        "The ranking",
        "Does the ranking",
        "Time",
        "Configuration",
    ]
    places = [page.index(part) for part in parts]
    assert places == sorted(places)


def test_text_is_escaped():
    page = render(FACTS)
    assert "<i>run</i>" not in page and "&lt;i&gt;run&lt;/i&gt;" in page
    assert "No evidence that &lt;ranking&gt; helps." in page
    assert "small &amp; gray" in page


def test_query_of_cycle_10_comes_after_cycle_9():
    page = render(FACTS)
    assert 0 < page.index("<h3>Cycle 9<") < page.index("<h3>Cycle 10<")


def test_without_baselines_the_page_tells_how_to_make_one():
    command = "kedro run --pipelines=active_learning --params=run.name=random"
    assert command in render(FACTS | {"baselines": []})
    assert command not in render(FACTS)


def test_a_run_without_results_has_a_page():
    page = render(FACTS | {"summary": [], "figures": {}, "audit": [], "notes": []})
    assert "No cycle has been evaluated yet" in page
    assert "Nothing to audit yet" in page
    assert parsed(page).images == []


@pytest.mark.parametrize("name", sorted(FACTS))
def test_a_missing_fact_is_named(name):
    with pytest.raises(UndefinedError, match=name):
        render({key: value for key, value in FACTS.items() if key != name})
