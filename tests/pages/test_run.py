"""What the page says, and that it needs nothing but itself."""

import base64
import re
from html.parser import HTMLParser

import pytest

from pt4al.pages.facts import METRICS, RunPage
from pt4al.pages.run import render_run_page

PNG = b"\x89PNG not really"
FACTS = {
    "title": "Fashion-MNIST <i>run</i> mine",
    "run": {"seed": 3, "measure": "margin"},
    "summary": [{"labels": 200, "accuracy": 0.678}, {"labels": 1000, "accuracy": 0.8512, "loss": 0.5}],
    "metric": METRICS["accuracy"],
    "baselines": ["random"],
    "audit": [{"cycle": 1, "sentence": "No evidence that <ranking> helps."}],
    "figures": dict.fromkeys(("learning_curve", "query_10", "query_9", "hardest", "audit"), PNG),
    "seconds": 833.0,
    "notes": ["The pool is small & gray."],
    "next_commands": {"baseline": "kedro run --params=run.name=mine-random", "report": "kedro run --pipelines=report"},
}


def render(facts: dict) -> str:
    return render_run_page(RunPage(**facts))


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
    for facts in (FACTS, SEGMENTATION | {"intake": "All files were used."}):
        assert parsed(render(facts)).open == []


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


def test_panels_of_a_cycle_come_after_its_query_and_before_the_next_cycle():
    page = render(FACTS | {"figures": {name: name.encode() for name in ("panels_0", "query_1", "panels_1", "query_0")}})
    shown = [base64.b64decode(image["src"].partition(",")[2]).decode() for image in parsed(page).images]
    assert shown == ["query_0", "panels_0", "query_1", "panels_1"]
    # Nothing had been predicted before the first labels.
    assert page.count("previous cycle&#39;s model") + page.count("previous cycle's model") == 1


SEGMENTATION = FACTS | {
    "metric": METRICS["miou"],
    "summary": [
        {"labels": 50, "miou": 0.25, "pixel_accuracy": 0.75, "iou_car": 0.1},
        {"labels": 1000, "miou": 0.523, "pixel_accuracy": 0.8125, "iou_car": 0.2},
    ],
    "figures": dict.fromkeys(("learning_curve", "iou_by_class", "class_balance", "panels_0"), PNG),
}


def test_segmentation_is_judged_by_mean_iou_and_counts_images():
    page = re.sub(r"<style>.*</style>|<[^>]+>", "", render(SEGMENTATION), flags=re.DOTALL)
    assert "52.3 % mean IoU with 1,000 labelled images" in page
    assert "From 25.0 % with 50 labelled images" in page
    assert "Mean IoU by number of labelled images" in page
    assert "labelled pixels by class" in page
    assert "ccuracy by" not in page


@pytest.mark.parametrize(
    ("facts", "heads", "last"),
    [
        (FACTS, ["labels", "accuracy", "loss"], ["1,000", "85.1 %", "0.500"]),
        (SEGMENTATION, ["labelled images", "mean IoU", "pixel accuracy"], ["1,000", "52.3 %", "81.2 %"]),
    ],
)
def test_table_has_the_main_number_and_those_beside_it_that_are_known(facts, heads, last):
    table = re.search(r'<table class="numbers">.*?</table>', render(facts), re.DOTALL).group()
    assert re.findall("<th>(.*?)</th>", table) == heads
    assert re.findall("<td>(.*?)</td>", table)[-len(last) :] == last


def test_intake_is_told_before_any_number_is_explained():
    told = "12 files could not be used: see <intake.html>."
    page = render(FACTS | {"intake": told})
    assert 0 < page.index("see &lt;intake.html&gt;") < page.index("<h2>")
    assert render(FACTS | {"intake": None}) == render(FACTS)


def test_without_baselines_the_page_tells_how_to_make_one():
    command = "kedro run --params=run.name=mine-random"
    assert f"{command}\nkedro run --pipelines=report" in render(FACTS | {"baselines": []})
    assert command not in render(FACTS)


def test_a_run_without_results_has_a_page():
    page = render(FACTS | {"summary": [], "figures": {}, "audit": [], "notes": []})
    assert "No cycle has been evaluated yet" in page
    assert "Nothing to audit yet" in page
    assert parsed(page).images == []


@pytest.mark.parametrize("name", sorted(FACTS))
def test_a_missing_fact_is_named(name):
    with pytest.raises(TypeError, match=name):
        render({key: value for key, value in FACTS.items() if key != name})


LEAKS = [
    {"check": "The oracle answered the queries & nothing else.", "ok": True, "found": "60 ids compared"},
    {"check": "No id was asked for twice.", "ok": False, "found": "1 are not so, the first is <x>"},
]


def test_no_leak_is_stated_with_what_was_checked():
    page = render(FACTS | {"leaks": LEAKS[:1]})
    assert "No query and no training read a test label or a label that was not asked for" in page
    assert "queries &amp; nothing else." in page
    assert 'role="alert"' not in page
    assert parsed(page).open == []


def test_a_leak_is_told_before_any_number_is_explained():
    page = render(FACTS | {"leaks": LEAKS})
    assert 0 < page.index("believe no number of this page") < page.index("the first is &lt;x&gt;") < page.index("<h2>")
    assert "No query and no training read" not in page
    assert parsed(page).open == []


def test_a_few_control_images_are_told_by_their_interval_first():
    summary = [{"labels": 50, "accuracy": 1.0, "low": 0.566, "high": 1.0, "images": 5}]
    page = render({**FACTS, "summary": summary, "controlled": True, "baselines": []})
    assert "<b>56.6 % to 100.0 %</b> accuracy with 50 labels" in page
    assert "5 control images" in page
    assert "Make a baseline" not in page


def test_labels_that_look_wrong_are_shown_beside_what_they_are_like():
    row = {"id": "a<b>.png", "label": "cat", "suggested": "dog", "quality": 0.1, "picture": PNG, "near": [PNG, PNG]}
    page = render(FACTS | {"suspects": {"judged": 200, "found": 1, "agreed": 0.97, "rows": [row]}})
    assert "Labels to look at" in page
    assert "1 of 200 labels looks wrong" in page
    assert "the same as 97.0 % of all labels" in page
    assert "<code>a&lt;b&gt;.png</code> is called <strong>cat</strong>" in page
    assert len(parsed(page).images) == len(parsed(render(FACTS)).images) + 3
    assert parsed(page).open == []


def test_where_no_label_was_looked_at_the_page_says_nothing_of_it():
    assert "Labels to look at" not in render(FACTS)
    assert "None of 200 labels looks wrong" in render(
        FACTS | {"suspects": {"judged": 200, "found": 0, "agreed": 1.0, "rows": []}}
    )
