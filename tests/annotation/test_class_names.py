"""Names at the doors of answers: one spelling each, what looks alike is told, and none means anything but itself."""

import json
import unicodedata
from pathlib import Path

import pandas as pd
import pytest

from pt4al.annotation.aggregation import Policy, aggregate
from pt4al.annotation.agreement import agreement
from pt4al.annotation.class_names import Names
from pt4al.annotation.formats import coco, mask_folder
from pt4al.annotation.formats.spreadsheet import read_answers, write_query
from pt4al.annotation.label_studio.results import Labels, answers
from pt4al.annotation.log import Answer, AnswerLog
from pt4al.annotation.oracle import HumanOracle, none_asked
from pt4al.annotation.queue import AnnotationQueue
from pt4al.annotation.web.server import Page
from pt4al.errors import InputError
from pt4al.labels.label_set import empty

COMPOSED, APART = "café", unicodedata.normalize("NFD", "café")
SPELLINGS = [COMPOSED, APART, f" {COMPOSED}", f"{APART}\u00a0", f"\ufeff{COMPOSED}", f"{COMPOSED}\u200b"]
ALIKE = ["Café", "CAFÉ", "ｃafé"]
# Names that some program somewhere takes for something else.
STRANGE = [
    "mask:on",
    "mask:",
    "NA",
    "nan",
    "NaN",
    "None",
    "null",
    "<NA>",
    "true",
    "False",
    "0",
    "-1",
    "1e5",
    "id",
    "label",
]
STRANGE += [
    "skip",
    "skipped",
    "(none)",
    "sep=;",
    "=1+1",
    "@x",
    "#",
    "__proto__",
    "constructor",
    "control",
    "correction",
]
STRANGE += ["a,b", 'a"b', "a;b", "a/b", "$x$", "%s", "{x}", "a b", "<b>"]


def chosen(task: int, label: object) -> dict:
    said = {"id": task, "completed_by": 1, "was_cancelled": False, "updated_at": "2026-01-01T00:00:00Z"}
    result = [{"type": "choices", "value": {"choices": [label]}}]
    return {"id": task, "meta": {"image_id": f"i{task}"}, "annotations": [said | {"result": result}]}


def by_spreadsheet(folder: Path, name: str, classes: list[str]) -> str | None:
    path = folder / "x.csv"
    pd.DataFrame({"id": ["i0"], "label": [name]}).to_csv(path, index=False)
    found, problems = read_answers(path, pd.Series(["i0"]), classes)
    return found[0].label if found else problems["problem"].iloc[0]


def by_label_studio(folder: Path, name: str, classes: list[str]) -> str | None:
    found, problems = answers([chosen(0, name)], {}, {"i0"}, Labels(classes, AnswerLog(folder)))
    return found[0].label if found else problems["problem"].iloc[0]


def by_coco(folder: Path, name: str, classes: list[str]) -> str | None:
    region = {"id": 1, "image_id": 1, "category_id": 1, "segmentation": [[0, 0, 2, 0, 2, 2, 0, 2]]}
    content = {
        "images": [{"id": 1, "file_name": "i0", "height": 2, "width": 2}],
        "annotations": [region],
        "categories": [{"id": 1, "name": name}],
    }
    (folder / "x.json").write_text(json.dumps(content))
    found, problems = coco.read(folder / "x.json", {"i0": "i0"}, classes, (2, 2))
    return classes[0] if found else problems["problem"].iloc[0]


def by_page(folder: Path, name: str, classes: list[str]) -> str | None:
    queue = AnnotationQueue(
        AnswerLog(folder), pd.DataFrame({"id": ["i0"]}), Policy(), classes, add_class=lambda name: None
    )
    try:
        return queue.add_class(name)
    except InputError as error:
        return str(error)


DOORS = [by_spreadsheet, by_label_studio, by_coco, by_page]


@pytest.mark.parametrize("door", DOORS, ids=lambda door: door.__name__)
@pytest.mark.parametrize("known", [COMPOSED, APART], ids=["composed", "apart"])
def test_a_class_is_found_in_whichever_spelling_and_what_looks_alike_is_told(tmp_path, door, known):
    for name in SPELLINGS:
        assert door(tmp_path, name, [known, "dog"]) == known
    for name in ALIKE:
        assert repr(known) in door(tmp_path, name, [known, "dog"])


def test_of_two_classes_that_are_spelt_alike_the_very_one_is_meant():
    names = Names([COMPOSED, APART])
    assert names.find(APART) == APART
    assert names.find(f" {APART}") is None


def test_files_that_another_system_has_named_find_their_images(tmp_path):
    assert mask_folder.ImageNames([f"{COMPOSED}/1.png"]).find(f"masks/{APART}/1.png") == f"{COMPOSED}/1.png"
    path = tmp_path / "x.csv"
    pd.DataFrame({"id": [f"{APART}.png"], "label": ["cat"]}).to_csv(path, index=False)
    found, _ = read_answers(path, pd.Series([f"{COMPOSED}.png"]), ["cat"])
    assert found[0].id == f"{COMPOSED}.png"


def test_who_types_a_name_twice_is_one_person(tmp_path):
    queue = AnnotationQueue(AnswerLog(tmp_path), pd.DataFrame({"id": ["i0"]}), Policy(2), ["cat"])
    page = Page(queue, lambda image: b"")
    page._server.server_close()
    for number, name in enumerate((f"Jos{unicodedata.normalize('NFD', 'é')}", "José ")):
        page.answer({"image": "i0", "label": "cat", "annotator": name, "key": str(number)})
    assert set(AnswerLog(tmp_path).read()["annotator"]) == {"José"}
    assert not queue.progress().finished


@pytest.mark.parametrize("door", DOORS[:3], ids=lambda door: door.__name__)
def test_no_class_means_anything_but_itself_where_it_comes_in(tmp_path, door):
    for name in STRANGE:
        assert door(tmp_path, name, [name, "dog"]) == name


def test_no_class_means_anything_but_itself_from_the_log_to_the_label_set(tmp_path):
    log, ids = AnswerLog(tmp_path), [f"i{number}" for number in range(len(STRANGE))]
    for annotator in ("ada", "bob"):
        log.add(
            Answer(id=image, label=name, annotator=annotator, source="file")
            for image, name in zip(ids, STRANGE, strict=True)
        )
    settled = aggregate(AnswerLog(tmp_path).read(), Policy(2, "consensus"))
    assert settled["label"].tolist() == STRANGE
    query = pd.DataFrame({"id": ids, "role": "query"})
    labels, _ = HumanOracle(log, Policy()).label(query, empty(), none_asked(), 0)
    assert labels["label"].tolist() == STRANGE
    assert f"labelled {len(STRANGE)} images in common" in agreement(log.read())


def test_guesses_of_strange_classes_go_out_as_they_are(tmp_path):
    ids = pd.Series([f"i{number}" for number in range(len(STRANGE))])
    guesses = pd.DataFrame({"id": ids, "label": STRANGE, "probability": 0.5})
    write_query(tmp_path / "query.csv", ids.to_frame("id"), guesses)
    table = pd.read_csv(tmp_path / "query.csv", dtype=str, keep_default_na=False)
    assert table["suggestion"].tolist() == STRANGE
    table.assign(label=table["suggestion"]).to_csv(tmp_path / "query.csv", index=False)
    found, problems = read_answers(tmp_path / "query.csv", ids, STRANGE)
    assert [answer.label for answer in found] == STRANGE
    assert problems.empty


def test_what_skips_is_no_class_and_a_class_of_that_name_is_no_skip(tmp_path):
    assert "'(skip)' is a class here" in by_spreadsheet(tmp_path, "(skip)", ["(skip)", "dog"])
    for name in ("(skip)", "mask:" + "0" * 64):
        assert "would be taken for" in by_page(tmp_path, name, ["cat"])
    for name in ("", " ", "\u200b", "\ufeff"):
        assert "must be text of 1 to" in by_page(tmp_path, name, ["cat"])


def test_masks_are_still_masks(tmp_path):
    log = AnswerLog(tmp_path)
    label = log.keep_mask(b"png")
    log.add([Answer(id="i0", label=label, annotator="ada", source="file")])
    labels, _ = HumanOracle(log, Policy()).label(pd.DataFrame({"id": ["i0"]}), empty(), none_asked(), 0)
    assert labels["label"].tolist() == [b"png"]
