"""What the page says, and that it needs nothing but itself."""

import base64
import html
import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from pt4al.pages.facts import Failures, Metric, RunPage, Step
from pt4al.pages.run import render_run_page

PNG = b"\x89PNG not really"
ROW = {"low": 0.8, "high": 0.9, "random": None, "difference": None}
ALONE = {
    "lead": "85.1 %",
    "rest": "accuracy with 1,000 labels",
    "outcome": None,
    "interval": "95 % interval 80.0 to 90.0 %, of 200 test images alone",
    "note": "No baseline yet: can't say whether choosing helped.",
    "rows": [{"labels": 200, "value": 0.678} | ROW, {"labels": 1000, "value": 0.8512} | ROW],
    "random": None,
    "early": False,
    "more": 0,
}
AGAINST = ALONE | {
    "lead": "21 points below",
    "rest": "random with 1,000 labels",
    "outcome": "below",
    "interval": "95 % interval -29.1 to -12.2 points; one run each",
    "random": "mine-random",
    "rows": [row | {"random": 0.9, "difference": row["value"] - 0.9} for row in ALONE["rows"]],
}
ACCURACY = [Metric("accuracy", "accuracy"), Metric("loss", "loss", share=False)]
FACTS = {
    "title": "Fashion-MNIST <i>run</i> mine",
    "marks": ["margin", "photos & more (300 images)", "seed 3", "1 May 2026"],
    "verdict": ALONE,
    "metrics": ACCURACY,
    "summary": [{"labels": 200, "accuracy": 0.678}, {"labels": 1000, "accuracy": 0.8512, "loss": 0.5}],
    "audit": [{"cycle": 1, "sentence": "No evidence that <ranking> helps."}],
    "figures": dict.fromkeys(("learning_curve", "query_10", "query_9", "hardest", "audit"), PNG),
    "seconds": 833.0,
    "notes": ["The pool is small & gray."],
    "changed": "query:\n  measure: margin",
    "settings": "query:\n  measure: margin\npool:\n  classes: null",
}
FAILURES = Failures(
    measured=40,
    classes=[
        {"label": "cat & co", "value": 0.25, "low": 0.1, "high": 0.5, "count": 8},
        {"label": "dog", "value": 1.0, "low": 0.9, "high": 1.0, "count": 32},
    ],
    pairs=[{"label": "cat & co", "predicted": "dog", "count": 6, "share": 0.75}],
    wrong=[{"id": "a<b.png", "label": "cat & co", "predicted": "dog", "probability": 0.987, "picture": "wrong_00"}],
    advice="More labels of cat.",
    pictures={"wrong_00": PNG + b" wrong"},
)


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
    outside = [address for address in parsed(page).addresses if not address.startswith("#")]
    assert all(address.startswith("data:image/png;base64,") for address in outside)


def test_every_image_is_embedded_whole_and_described():
    images = parsed(render(FACTS)).images
    assert len(images) == len(FACTS["figures"])
    assert all(base64.b64decode(image["src"].partition(",")[2]) == PNG for image in images)
    assert all(image["alt"] for image in images)


def test_every_element_is_closed():
    more = {"failures": FAILURES, "verdict": AGAINST, "ranked": False, "steps": [Step("Why.", ["kedro run"])]}
    for facts in (FACTS, FACTS | more, SEGMENTATION | {"intake": "All files were used."}):
        assert parsed(render(facts)).open == []


def test_answer_comes_first():
    page = re.sub(r"<style>.*?</style>|<nav.*?</nav>|<[^>]+>", "", render(FACTS), flags=re.DOTALL)
    assert "85.1 % accuracy with 1,000 labels" in page
    parts = [
        "85.1 %",
        "Accuracy by number",
        "What was asked",
        "The ranking",
        "Does the ranking",
        "What differs from the defaults",
        "Configuration:",
        "Time:",
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
    "metrics": [Metric("miou", "mean IoU"), Metric("pixel_accuracy", "pixel accuracy")],
    "summary": [
        {"labels": 50, "miou": 0.25, "pixel_accuracy": 0.75, "iou_car": 0.1},
        {"labels": 1000, "miou": 0.523, "pixel_accuracy": 0.8125, "iou_car": 0.2},
    ],
    "verdict": ALONE
    | {
        "lead": "52.3 %",
        "rest": "mean IoU with 1,000 labels",
        "rows": [
            {"labels": 50, "value": 0.25, "low": None, "high": None, "random": None, "difference": None},
            {"labels": 1000, "value": 0.523, "low": None, "high": None, "random": None, "difference": None},
        ],
    },
    "figures": dict.fromkeys(("learning_curve", "iou_by_class", "class_balance", "panels_0"), PNG),
}


def test_segmentation_is_judged_by_mean_iou_and_counts_images():
    page = re.sub(r"<style>.*?</style>|<[^>]+>", "", render(SEGMENTATION), flags=re.DOTALL)
    assert "52.3 % mean IoU with 1,000 labels" in page
    assert "From 25.0 % with 50 labelled images" in page
    assert "Mean IoU by number of labelled images" in page
    assert "labelled pixels by class" in page
    assert "ccuracy by" not in page


INTERVAL = "80.0 to 90.0 %"


@pytest.mark.parametrize(
    ("facts", "heads", "last"),
    [
        (FACTS, ["labels", "accuracy", "95 % interval", "loss"], ["1,000", "85.1 %", INTERVAL, "0.500"]),
        (
            FACTS | {"verdict": AGAINST},
            ["labels", "accuracy", "95 % interval", "random", "difference", "loss"],
            ["1,000", "85.1 %", INTERVAL, "90.0 %", "-4.9", "0.500"],
        ),
        (SEGMENTATION, ["labelled images", "mean IoU", "pixel accuracy"], ["1,000", "52.3 %", "81.2 %"]),
    ],
)
def test_table_has_the_main_number_and_those_beside_it_that_are_known(facts, heads, last):
    table = re.search(r'<table class="numbers">.*?</table>', render(facts), re.DOTALL).group()
    assert re.findall("<th.*?>(.*?)</th>", table) == heads
    assert re.findall("<td>(.*?)</td>", table)[-len(last) :] == last


def test_intake_is_told_before_any_number_is_explained():
    told = "12 files could not be used: see <intake.html>."
    page = render(FACTS | {"intake": told})
    assert 0 < page.index("see &lt;intake.html&gt;") < page.index("<h2>")
    assert render(FACTS | {"intake": None}) == render(FACTS)


def test_the_next_steps_are_told_with_their_commands():
    step = Step("A baseline & a page:", ["kedro run --params=run.name=mine-random", "kedro run --pipelines=report"])
    page = render(FACTS | {"steps": [step]})
    assert "A baseline &amp; a page:" in page
    assert "kedro run --params=run.name=mine-random\nkedro run --pipelines=report" in page
    assert "What to type next" not in render(FACTS)


def test_the_headline_says_whether_choosing_helped_and_how_sure_that_is():
    page = render(FACTS | {"verdict": AGAINST})
    assert '<p class="answer lost"><b>21 points below</b> random with 1,000 labels</p>' in page
    assert "95 % interval -29.1 to -12.2 points; one run each" in page
    assert "can't say whether choosing helped" in html.unescape(render(FACTS))


def test_three_saved_pages_can_be_told_apart_by_the_line_under_their_title():
    page = render(FACTS)
    assert page.index("</h1>") < page.index("margin · photos &amp; more (300 images) · seed 3 · 1 May 2026")
    assert page.index("1 May 2026") < page.index('class="answer"')


@pytest.mark.parametrize("more", [{}, {"failures": FAILURES, "steps": [Step("Why.", ["kedro run"])], "ranked": False}])
def test_every_link_of_the_contents_leads_to_a_section(more):
    page = render(FACTS | more)
    links = re.findall('href="#(.*?)"', page)
    assert len(links) >= 4
    assert all(f'id="{name}"' in page for name in links)


def test_the_page_shows_where_the_model_fails():
    page = render(FACTS | {"failures": FAILURES})
    assert "cat &amp; co → dog</td><td>6</td><td>75.0 %" in page
    assert "<b>cat &amp; co</b> taken for <b>dog</b>, 99&nbsp;%" in page
    assert "a&lt;b.png" in page
    assert "More labels of cat." in page
    assert base64.b64encode(PNG + b" wrong").decode() in page
    assert "Where it fails" not in render(FACTS)


def test_a_ranking_that_chose_nothing_is_one_line_and_the_rest_is_folded():
    page = render(FACTS | {"ranked": False})
    line = re.search("<summary>(.*?)</summary>", page, re.DOTALL).group(1)
    assert "The pretext ranking chose no image of this run. No evidence that &lt;ranking&gt; helps." in line
    assert "Does the ranking carry information?" not in page
    assert page.index("<details>") < page.index("Hardest for the pretext task") < page.index("</details>")
    assert "chose no image" not in render(FACTS)


def test_settings_time_and_leak_checks_are_folded_and_a_leak_is_open():
    page = render(FACTS | {"leaks": LEAKS[:1]})
    assert page.count("<details>") == 3
    assert "<details open>" not in page
    assert render(FACTS | {"leaks": LEAKS}).count("<details open>") == 1


def test_settings_that_differ_come_before_the_others_and_can_be_pasted():
    page = render(FACTS)
    assert page.index("<pre>query:\n  measure: margin</pre>") < page.index("classes: null")
    assert "None" not in page
    assert "All settings are the defaults" in render(FACTS | {"changed": ""})


def test_a_run_without_results_has_a_page():
    page = render(FACTS | {"summary": [], "figures": {}, "audit": [], "notes": [], "verdict": None})
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


EARLY = ALONE | {
    "lead": "Too early to say:",
    "rest": "3 control images",
    "interval": "95 % interval 6 to 79 %",
    "note": "A useful number needs about 9 more rounds.",
    "rows": [{"labels": 30, "value": 0.333, "low": 0.061, "high": 0.792, "random": None, "difference": None}],
    "early": True,
}
WORTH = {
    "curve": [],
    "advice": [{"rule": "flat", "stop": None, "sentence": "Whether the curve is flat can't be said."}],
    "cost": ["About 0.1 hours of labelling."],
}


def test_a_few_control_images_say_that_it_is_too_early_in_one_chart_of_all_percents():
    summary = [{"labels": 30, "accuracy": 0.333, "low": 0.061, "high": 0.792, "images": 3}]
    facts = FACTS | {"summary": summary, "verdict": EARLY, "controlled": True, "people": True, "worth": WORTH}
    page = render(facts | {"figures": {"learning_curve": PNG, "worth": PNG}})
    assert "<b>Too early to say:</b> 3 control images" in page
    assert "A useful number needs about 9 more rounds." in page
    assert page.count('class="interval"') == 1
    assert 'style="left: 6.1%; width: 73.1%"' in page
    assert parsed(page).images == []
    assert "About 0.1 hours of labelling." in page
    assert "Stop?" not in page
    assert "Round 1, 30 labels, 3 control images" in page
    few = render(facts | {"figures": {}, "failures": FAILURES})
    assert "Too few to count by class" in few
    assert "Worst classes" not in few
    assert "taken for <b>dog</b>" in few


def test_labels_that_look_wrong_are_shown_beside_what_they_are_like():
    row = {"id": "a<b>.png", "label": "cat", "suggested": "dog", "quality": 0.1, "picture": PNG, "near": [PNG, PNG]}
    page = render(FACTS | {"suspects": {"judged": 200, "found": 1, "agreed": 0.97, "rows": [row]}})
    assert "Labels to look at" in page
    assert "1 of 200 labels looks wrong" in page
    assert "the same as 97.0 % of all labels" in page
    assert "<code>a&lt;b&gt;.png</code> is called <strong>cat</strong>" in page
    assert len(parsed(page).images) == len(parsed(render(FACTS)).images) + 3
    assert parsed(page).open == []


def test_annotators_and_the_images_that_they_disagree_on_are_shown_and_a_tie_is_called_one():
    people = {"images": 20, "low": 0.7, "high": 1.0}
    votes = [{"label": "cat", "people": "ada"}, {"label": "dog", "people": "bob, <cy>"}]
    facts = {
        "sentence": "3 people agree.",
        "annotators": [
            {"annotator": "ada", "agreed": 0.9, "kappa": 0.75, "word": "substantial", "often": ("cat", "dog", 2)}
            | people,
            {"annotator": "bob", "agreed": 1.0, "kappa": float("nan"), "word": None, "often": None} | people,
            {"annotator": "<cy>", "agreed": 1.0, "kappa": 1.0, "word": "almost perfect", "often": None} | people,
        ],
        "images": 20,
        "disputed": 2,
        "ties": 1,
        "overruled": 1,
        "rule": "latest",
        "rows": [
            {"id": "1.png", "votes": votes, "tie": False, "taken": "cat", "picture": PNG},
            {"id": "2.png", "votes": votes, "tie": True, "taken": None, "picture": PNG},
        ],
    }
    page = render(FACTS | {"agreement": facts})
    text = " ".join(re.sub(r"<[^>]+>", " ", page).split())
    assert "ada 20 90.0 % 70.0 to 100.0 % 0.75 (substantial) says cat, others dog: 2" in text
    assert "They differ on 2 of 20 images, and tie on 1 of these." in text
    assert "on 1 that is not what most say" in text
    assert "1.png : cat (ada), dog (bob, &lt;cy&gt;). Taken: cat." in text
    assert "A tie. Not decided." in text
    assert parsed(page).open == []
    assert "What most say counts" in render(FACTS | {"agreement": facts | {"rule": "majority"}})
    assert "Do people agree?" not in render(FACTS)


def test_where_no_label_was_looked_at_the_page_says_nothing_of_it():
    assert "Labels to look at" not in render(FACTS)
    assert "None of 200 labels looks wrong" in render(
        FACTS | {"suspects": {"judged": 200, "found": 0, "agreed": 1.0, "rows": []}}
    )


def test_names_of_settings_are_code_and_no_markup_of_theirs_is_let_in():
    note = "A larger `control.share`, or <b>`x<y`</b>."
    page = render(FACTS | {"verdict": ALONE | {"note": note}})
    assert "A larger <code>control.share</code>, or &lt;b&gt;<code>x&lt;y</code>&lt;/b&gt;." in page


def test_a_model_that_gets_no_control_image_wrong_promises_no_pictures():
    none_wrong = replace(FAILURES, wrong=[], pictures={})
    facts = FACTS | {"verdict": ALONE | {"early": True}, "controlled": True, "failures": none_wrong}
    facts["summary"] = [row | {"images": 2} for row in FACTS["summary"]]
    page = render(facts)
    assert "Too few to count by class; the model gets none of them wrong." in page
    assert "these are what the model gets wrong" not in page


def test_the_lines_of_intervals_are_explained_where_there_are_any():
    assert "Upright lines: 95 % intervals of this run." in render(FACTS)
    unknown = [row | {"low": None, "high": None} for row in ALONE["rows"]]
    assert "Upright lines" not in render(FACTS | {"verdict": ALONE | {"rows": unknown}})
