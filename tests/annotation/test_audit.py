"""What is known is what was asked for: any way around the oracle shows."""

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pt4al.annotation.audit import compare
from pt4al.labels.label_set import empty, extend

BUDGET = 2
TEST_IDS = pd.Series(["t1", "t2"])
IDS = st.lists(st.text("abcdefgh", min_size=2, max_size=4), min_size=1, max_size=12, unique=True)


def answered(ids: list[str], label: str = "cat") -> pd.DataFrame:
    return pd.DataFrame({"id": ids, "label": label})


def honest(*cycles: list[str]) -> dict:
    """What an honest run leaves."""
    answers = [answered(ids) for ids in cycles]
    label_set = empty()
    for cycle, answer in enumerate(answers):
        label_set = extend(label_set, answer, cycle, "margin")
    queries = [answer[["id"]].assign(score=0.5) for answer in answers]
    tables = {"start": empty(), "queries": queries, "answers": answers, "label_set": label_set}
    return tables | {"budgets": [BUDGET] * len(cycles), "test_ids": TEST_IDS}


def broken(run: dict) -> list[tuple[str, str]]:
    return [(row.check, row.found) for row in compare(**run).itertuples() if not row.ok]


@given(ids=IDS)
def test_an_honest_run_is_found_honest_in_every_check(ids):
    run = honest(*(ids[first : first + BUDGET] for first in range(0, len(ids), BUDGET)))
    assert broken(run) == []
    assert compare(**run)["found"].iloc[0] == f"{len(ids)} ids compared"


def test_masks_are_labels_like_others():
    run = honest(["a"], ["b"])
    for table in (*run["answers"], run["label_set"]):
        table["label"] = pd.Series([b"png"] * len(table), dtype="object")
    assert broken(run) == []


def stranger(run: dict) -> None:
    run["label_set"] = extend(run["label_set"], answered(["x"]), 1, "margin")


def forgotten(run: dict) -> None:
    run["label_set"] = run["label_set"].iloc[:-1]


def earlier(run: dict) -> None:
    run["label_set"].loc[2, "cycle"] = 0


def other_label(run: dict) -> None:
    run["label_set"].loc[1, "label"] = "dog"


def answer_to_no_question(run: dict) -> None:
    run["answers"][1] = pd.concat([run["answers"][1], answered(["x"])])
    stranger(run)


def answered_twice(run: dict) -> None:
    run["answers"][0] = pd.concat([run["answers"][0], run["answers"][0].head(1)])


def asked_again(run: dict) -> None:
    run["queries"][1].loc[0, "id"] = "a"
    run["answers"][1].loc[0, "id"] = "a"


def too_many(run: dict) -> None:
    run["budgets"] = [1, 1]


def test_image(run: dict) -> None:
    run["test_ids"] = pd.Series(["t1", "b"])


test_image.__test__ = False
LEARNT, ANSWERED, TWICE, BUDGETED, TESTED = compare(**honest(["a"]))["check"]
PLANTED = {
    stranger: {LEARNT: "1 are not so, the first is 'x' of cycle 1"},
    forgotten: {LEARNT: "1 are not so, the first is 'd' of cycle 1"},
    earlier: {LEARNT: "2 are not so, the first is 'c' of cycle 0"},
    other_label: {LEARNT: "2 are not so, the first is 'b' of cycle 0"},
    answer_to_no_question: {ANSWERED: "1 are not so, the first is 'x' of cycle 1"},
    answered_twice: {
        LEARNT: "1 are not so, the first is 'a' of cycle 0",
        ANSWERED: "1 are not so, the first is 'a' of cycle 0",
    },
    asked_again: {
        LEARNT: "2 are not so, the first is 'c' of cycle 1",
        TWICE: "1 are not so, the first is 'a' of cycle 1",
    },
    too_many: {BUDGETED.replace("2", "1"): "2 are not so, the first is 'b' of cycle 0"},
    test_image: {TESTED: "2 are not so, the first is 'b' of cycle 0"},
}


@pytest.mark.parametrize("plant, found", PLANTED.items(), ids=lambda value: getattr(value, "__name__", ""))
def test_a_planted_leak_is_caught_and_named(plant, found):
    run = honest(["a", "b"], ["c", "d"])
    plant(run)
    assert dict(broken(run)) == found


def doubting() -> dict:
    """What an honest run of people leaves: cycle 1 asks again for `a`, which is then called otherwise."""
    queries = [
        pd.DataFrame({"id": ["a", "c"], "role": ["query", "control"]}),
        pd.DataFrame({"id": ["b", "a"], "role": ["query", "relabel"]}),
    ]
    answers = [
        answered(["a", "c"]).assign(role=["query", "control"]),
        pd.concat([answered(["b"]).assign(role="query"), answered(["a"], "dog").assign(role="correction")]),
    ]
    label_set = extend(extend(empty(), answered(["a", "c"]), 0, "margin"), answered(["b"]), 1, "margin")
    label_set.loc[label_set["id"] == "a", "label"] = "dog"
    tables = {"start": empty(), "queries": queries, "answers": answers, "label_set": label_set}
    return tables | {"budgets": [2, 2], "test_ids": TEST_IDS}


def test_a_doubtful_label_may_be_asked_for_once_more():
    assert broken(doubting()) == []
    assert "doubtful labels once more" in compare(**doubting())["check"].str.cat()


@pytest.mark.parametrize("image", ["c", "x", "b"], ids=["a control image", "one without a label", "one just asked for"])
def test_nothing_but_a_label_that_does_not_measure_may_be_asked_for_again(image):
    run = doubting()
    run["queries"][1].loc[1, "id"] = image
    run["answers"][1] = run["answers"][1].head(1)
    run["label_set"].loc[0, "label"] = "cat"
    (found,) = broken(run)
    assert found[1] == f"1 are not so, the first is {image!r} of cycle 1"


def test_a_doubtful_label_is_asked_for_again_one_time_and_within_the_budget():
    run = doubting()
    run["queries"].append(run["queries"][1].tail(1))
    run["answers"].append(run["answers"][1].head(0))
    assert [found for _, found in broken(run | {"budgets": [2, 2, 2]})] == ["1 are not so, the first is 'a' of cycle 2"]
    assert [found for _, found in broken(doubting() | {"budgets": [2, 1]})] == [
        "1 are not so, the first is 'a' of cycle 1"
    ]


def test_each_cycle_has_its_own_budget():
    run = honest(["a"], ["b", "c"])
    assert broken(run | {"budgets": [1, 2]}) == []
    found = broken(run | {"budgets": [2, 1]})
    assert found == [(BUDGETED.replace("2", "2/1"), "1 are not so, the first is 'c' of cycle 1")]


def test_labels_brought_along_were_not_asked_for_and_must_not_be():
    run = honest(["a"], ["b"])
    brought = extend(empty(), answered(["z"]), 0, "brought")
    run |= {"start": brought, "label_set": pd.concat([brought, run["label_set"]])}
    assert broken(run) == []
    run["queries"][1].loc[0, "id"] = run["answers"][1].loc[0, "id"] = "z"
    assert TWICE in dict(broken(run))
