"""The queue: whatever people do, in whatever order, progress is right and no answer is lost or counted twice."""

import json
import tempfile
import uuid
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pt4al.annotation.aggregation import LABELLED, REVIEW, SKIPPED, Policy, aggregate
from pt4al.annotation.log import Answer, AnswerLog, effective
from pt4al.annotation.progress import measure_progress
from pt4al.annotation.queue import AGAIN, CHANGED, LATE, LEASE, LEASE_EACH, NEW, AnnotationQueue
from pt4al.errors import InputError

CLASSES = ["cat", "dog"]


def query(images: int = 4, reserve: int = 0) -> pd.DataFrame:
    roles = ["query"] * images + ["reserve"] * reserve
    return pd.DataFrame({"id": [f"i{number}" for number in range(images + reserve)], "role": roles})


def queue_of(folder: Path, images: int = 4, policy: Policy | None = None, **more) -> AnnotationQueue:
    reserve = more.pop("reserve", 0)
    return AnnotationQueue(AnswerLog(folder), query(images, reserve), policy or Policy(), CLASSES, **more)


def key() -> str:
    return uuid.uuid4().hex


def say(queue: AnnotationQueue, image: str, label: str | None, annotator: str = "Ada", **more) -> str:
    return queue.answer(image, label, annotator, key(), **more)


def next_image(queue: AnnotationQueue, annotator: str) -> str | None:
    """Return the image that somebody is handed, None if nothing is left for them."""
    return next(iter(queue.upcoming(annotator)), None)


def states(queue: AnnotationQueue) -> dict[str, str]:
    images = queue.progress().images
    return dict(zip(images["id"], images["state"], strict=True))


def test_images_come_in_the_order_of_the_query_until_all_are_answered(tmp_path):
    queue = queue_of(tmp_path)
    seen = []
    while (image := next_image(queue, "Ada")) is not None:
        seen.append(image)
        assert say(queue, image, "cat") == NEW
    assert seen == ["i0", "i1", "i2", "i3"]
    assert queue.progress().finished


def test_an_image_stays_until_it_is_answered(tmp_path):
    queue = queue_of(tmp_path)
    assert next_image(queue, "Ada") == next_image(queue, "Ada") == "i0"


def test_two_people_are_handed_different_images_as_long_as_there_are_some(tmp_path):
    queue = queue_of(tmp_path, images=3)
    assert [next_image(queue, name) for name in ("Ada", "Bob", "Cy")] == ["i0", "i1", "i2"]
    assert next_image(queue, "Dee") == "i0"  # better twice than never


def test_an_image_that_somebody_walked_away_from_is_handed_out_again(tmp_path, monkeypatch):
    now = [0.0]
    monkeypatch.setattr("pt4al.annotation.queue.monotonic", lambda: now[0])
    queue = queue_of(tmp_path)
    assert next_image(queue, "Ada") == "i0"
    now[0] = LEASE + 1
    assert next_image(queue, "Bob") == "i0"


def test_as_many_people_see_an_image_as_are_needed(tmp_path):
    queue = queue_of(tmp_path, policy=Policy(annotators=2))
    assert [next_image(queue, name) for name in ("Ada", "Bob", "Cy")] == ["i0", "i0", "i1"]
    say(queue, "i0", "cat", "Ada")
    assert next_image(queue, "Dee") == "i1"  # one has answered, Bob has the other turn
    assert next_image(queue, "Ada") == "i2"


def test_the_same_answer_sent_twice_counts_once(tmp_path):
    queue = queue_of(tmp_path)
    assert [queue.answer("i0", "cat", "Ada", "k") for _ in range(3)] == [NEW, AGAIN, AGAIN]
    assert len(AnswerLog(tmp_path).read()) == 1
    with pytest.raises(InputError, match="'k' is that of the answer to 'i0'"):
        queue.answer("i1", "cat", "Ada", "k")


def test_a_second_answer_is_told_and_kept(tmp_path):
    queue = queue_of(tmp_path)
    assert say(queue, "i0", "cat", "Ada") == NEW
    assert say(queue, "i0", "dog", "Bob") == LATE
    assert say(queue, "i0", "cat", "Bob") == CHANGED
    assert len(AnswerLog(tmp_path).read()) == 3


def test_a_skip_brings_in_the_next_best(tmp_path):
    queue = queue_of(tmp_path, images=1, reserve=1)
    say(queue, "i0", None)
    assert states(queue)["i0"] == SKIPPED
    assert next_image(queue, "Ada") == "i1"


def test_an_undone_answer_comes_again_and_its_undoing_is_done_once(tmp_path):
    queue = queue_of(tmp_path)
    say(queue, "i0", "cat")
    say(queue, "i1", "dog")
    assert queue.undo("Ada", "u") == queue.undo("Ada", "u") == "i1"
    assert queue.answered("Ada") == ["i0"]
    assert next_image(queue, "Bob") == "i2"  # Ada has it in hand again
    assert next_image(queue, "Ada") == "i1"
    assert queue.undo("Ada", key()) == "i0"
    assert queue.undo("Ada", key()) is None
    assert queue.undo("Bob", key()) is None


def test_earlier_labels_can_be_changed_and_only_that_can_be_undone(tmp_path):
    log = AnswerLog(tmp_path)
    log.add([Answer(id="old", label="cat", annotator="Ada", source="page")])
    queue = queue_of(tmp_path, earlier=pd.DataFrame({"id": ["old", "given"], "label": ["cat", "dog"]}))
    assert queue.answered("Ada") == ["old", "given"]
    assert queue.facts("given", "Ada")["label"] == "dog"
    assert queue.undo("Ada", key()) is None  # an answer that an earlier cycle has taken in
    assert say(queue, "old", "dog") == CHANGED
    assert queue.facts("old", "Ada") == {
        "id": "old",
        "likely": [],
        "answered": True,
        "earlier": True,
        "label": "dog",
    }
    assert queue.undo("Ada", key()) == "old"
    assert queue.facts("old", "Ada")["label"] == "cat"
    assert queue.progress().count(LABELLED) == 0


def test_what_a_model_takes_an_image_for_is_its_likely_classes_or_else_its_single_guess(tmp_path):
    likely = [["cat", 0.5], ["dog", 0.4], ["bird", 0.05], ["cow", 0.02], ["emu", 0.02], ["fox", 0.01]]
    guesses = pd.DataFrame(
        {
            "id": ["i0", "i1"],
            "label": ["cat", "dog"],
            "probability": [0.5, 0.75],
            "likely": [json.dumps(likely), None],
        }
    )
    queue = queue_of(tmp_path, suggestions=guesses)
    assert queue.facts("i0", "Ada")["likely"] == likely[:5]
    assert queue.facts("i1", "Ada")["likely"] == [["dog", 0.75]]
    assert queue.facts("i2", "Ada")["likely"] == []
    before = queue_of(tmp_path, suggestions=guesses.drop(columns="likely"))
    assert before.facts("i0", "Ada")["likely"] == [["cat", 0.5]]


def test_an_overview_is_what_a_person_says_now_of_this_query_and_of_earlier_ones(tmp_path):
    log = AnswerLog(tmp_path)
    log.add([Answer(id="old", label="cat", annotator="Ada", source="page")])
    queue = queue_of(tmp_path, earlier=pd.DataFrame({"id": ["old", "given"], "label": ["cat", "dog"]}))
    say(queue, "i0", "dog")
    say(queue, "i1", None)
    say(queue, "i0", "cat")
    say(queue, "i2", "dog", "Bob")
    said = {row["id"]: row["label"] for row in queue.overview("Ada")}
    assert said == {"old": "cat", "i0": "cat", "i1": None}
    assert queue.overview("Cy") == []


def test_disputes_are_listed_with_what_was_said_and_a_review_settles_them(tmp_path):
    queue = queue_of(tmp_path, policy=Policy(annotators=2, disagreement="consensus"))
    say(queue, "i0", "cat", "Ada")
    say(queue, "i0", None, "Bob")
    assert queue.disputed() == [
        {"id": "i0", "said": [{"annotator": "Ada", "label": "cat"}, {"annotator": "Bob", "label": None}]}
    ]
    say(queue, "i0", "dog", "Cy", review=True)
    assert queue.disputed() == []
    say(queue, "i0", "cat", "Cy", review=True)  # changed her mind
    assert aggregate(AnswerLog(tmp_path).read(), Policy(2, "consensus"))["label"].tolist() == ["cat"]


def test_a_review_of_what_nobody_disputes_is_an_ordinary_answer(tmp_path):
    queue = queue_of(tmp_path, policy=Policy(annotators=2, disagreement="consensus"))
    say(queue, "i0", "cat", "Ada", review=True)
    assert states(queue)["i0"] not in (LABELLED, REVIEW)


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"image": "i9"}, "'i9' is not in this query of 4"),
        ({"image": "../../etc/passwd"}, "is not in this query"),
        ({"label": "cta"}, "did you mean 'cat'"),
        ({"label": ""}, "is no class"),
        ({"annotator": " "}, "`annotator` is ' '"),
        ({"annotator": "a" * 101}, "1 to 100 characters"),
        ({"annotator": "\ud800"}, "`annotator` is"),
        ({"annotator": "Ada\n"}, "control character"),
        ({"key": ""}, "`key` is ''"),
        ({"key": "\udfff"}, "`key` is"),
    ],
)
def test_what_is_no_answer_is_refused_and_not_written(tmp_path, wrong, told):
    queue = queue_of(tmp_path)
    with pytest.raises(InputError, match=told):
        queue.answer(**({"image": "i0", "label": "cat", "annotator": "Ada", "key": "k"} | wrong))
    assert AnswerLog(tmp_path).read().empty


def test_names_of_any_script_are_taken(tmp_path):
    queue = queue_of(tmp_path)
    names = ["Þóra", "می‌خواهم", "👩‍🔬", "O'Neil <b>"]
    for number, name in enumerate(names):
        say(queue, f"i{number}", "cat", name)
    assert AnswerLog(tmp_path).read()["annotator"].tolist() == names


def test_a_class_is_added_once_and_where_that_is_allowed(tmp_path):
    with pytest.raises(InputError, match="fixed"):
        queue_of(tmp_path).add_class("bird")
    told = []
    queue = queue_of(tmp_path, add_class=told.append)
    assert queue.add_class(" bird ") == "bird"
    assert told == ["bird"]
    assert say(queue, "i0", "bird") == NEW
    for wrong in ("Bird", "CAT", "", "x" * 201, "\x07"):
        with pytest.raises(InputError):
            queue.add_class(wrong)
    assert told == ["bird"]


def test_a_class_that_is_sent_again_is_the_one_that_is_there(tmp_path):
    told = []
    queue = queue_of(tmp_path, add_class=told.append)
    assert [queue.add_class(name) for name in ("bird", "bird", " bird", "cat")] == ["bird", "bird", "bird", "cat"]
    assert told == ["bird"]


def test_an_answer_to_an_image_that_the_run_went_on_without_is_taken_and_not_asked_for(tmp_path):
    earlier = pd.DataFrame({"id": ["i7", "i8"], "label": ["cat", None]})
    queue = queue_of(tmp_path, earlier=earlier)
    assert queue.answered("Ada") == ["i7"]
    assert not queue.facts("i8", "Ada")["answered"]
    assert say(queue, "i8", "dog") == NEW
    assert queue.facts("i8", "Ada")["label"] == "dog"
    assert "i8" not in states(queue)


def test_answers_that_others_write_are_seen(tmp_path):
    queue = queue_of(tmp_path)
    AnswerLog(tmp_path).add([Answer(id="i0", label="cat", annotator="Bob", source="label_studio")])
    assert next_image(queue, "Ada") == "i1"
    assert queue.undo("Bob", key()) is None  # not given here


def test_eight_people_at_once_answer_every_image_once(tmp_path):
    queue = queue_of(tmp_path, images=24)

    def work(number: int) -> list[str]:
        told = []
        while (image := next_image(queue, f"person {number}")) is not None:
            told.append(say(queue, image, "cat", f"person {number}"))
        return told

    with ThreadPoolExecutor(8) as threads:
        told = [one for found in threads.map(work, range(8)) for one in found]
    history = AnswerLog(tmp_path).read()
    assert told.count(NEW) == 24
    assert len(told) == len(history) == history["key"].nunique()
    assert queue.progress().finished


acts = st.tuples(
    st.sampled_from(["Ada", "Bob"]), st.sampled_from(["next", "any", "undo", "again"]), st.integers(0, 4), st.booleans()
)


def guessing(folder: Path, labels: str, likely: list | None = None, **more) -> AnnotationQueue:
    """Return a queue of images that a model takes for classes c(at) and d(og), each a little less surely."""
    names = {"c": "cat", "d": "dog"}
    sure = [0.9 - 0.01 * place for place in range(len(labels))]
    ids = [f"i{place}" for place in range(len(labels))]
    guesses = pd.DataFrame({"id": ids, "label": [names[sign] for sign in labels], "probability": sure})
    if likely is not None:
        guesses["likely"] = [json.dumps(pairs) for pairs in likely]
    return queue_of(folder, len(labels), suggestions=guesses, **more)


def test_full_groups_come_before_the_rest_of_a_class_and_the_surest_first(tmp_path):
    queue = guessing(tmp_path, "dcdcdcd")
    first, second = queue.groups("Ada", 3)
    assert (first.label, first.images) == ("dog", ["i0", "i2", "i4"])
    assert (second.label, second.images) == ("cat", ["i1", "i3", "i5"])
    queue.confirm(first.images, "dog", "Ada", key())
    assert [group.label for group in queue.groups("Ada", 3)] == ["cat"]  # one dog alone is no group


def test_a_confirmation_is_a_line_for_each_image_and_shares_out_the_seconds(tmp_path):
    queue = guessing(tmp_path, "cccc")
    assert queue.confirm(["i0", "i1"], "cat", "Ada", "k", seconds=9.0, exceptions=["i3"]) == {NEW: 2}
    assert queue.confirm(["i0", "i1"], "cat", "Ada", "k", seconds=9.0) == {AGAIN: 2}
    history = AnswerLog(tmp_path).read()
    assert history["seconds"].tolist() == [4.5, 4.5]
    assert set(history["source"]) == {"grid"}
    assert queue.progress().answered == 2


@pytest.mark.parametrize(
    ("images", "exceptions"), [(["i0", "no"], []), (["i0", "i0"], []), (["i0"], ["i0"]), (["i0"], ["no"])]
)
def test_a_confirmation_with_a_mistake_answers_none_of_its_images(tmp_path, images, exceptions):
    queue = guessing(tmp_path, "cc")
    with pytest.raises(InputError):
        queue.confirm(images, "cat", "Ada", key(), exceptions=exceptions)
    queue.confirm(["i1"], "cat", "Ada", "k")
    with pytest.raises(InputError, match="use a new one"):
        queue.confirm(["i0"], "cat", "Ada", "k")
    assert queue.progress().answered == 1


def test_an_exception_comes_in_the_group_of_its_next_guess_and_then_in_none(tmp_path):
    wavers = [["cat", 0.6], ["dog", 0.3]]
    queue = guessing(tmp_path, "ccdd", [wavers, [["cat", 0.9]], [["dog", 0.9]], [["dog", 0.5]]])
    queue.confirm(["i1"], "cat", "Ada", key(), exceptions=["i0"])
    (group,) = queue.groups("Ada", 5)
    assert group.images == ["i2", "i0", "i3"]  # a probability of 0.75, given that it is no cat
    assert group.sure[1] == pytest.approx(0.75)
    queue.confirm(["i2", "i3"], "dog", "Ada", key(), exceptions=["i0"])
    assert queue.groups("Ada", 5) == []
    assert next_image(queue, "Ada") == "i0"


def test_a_group_is_given_to_as_many_people_as_its_images_need(tmp_path, monkeypatch):
    now = [0.0]
    monkeypatch.setattr("pt4al.annotation.queue.monotonic", lambda: now[0])
    queue = guessing(tmp_path, "cccc", policy=Policy(2, "majority"))
    given = {name: queue.groups(name, 2)[0].images for name in ("Ada", "Bob", "Cy", "Dee")}
    assert given == {"Ada": ["i0", "i1"], "Bob": ["i0", "i1"], "Cy": ["i2", "i3"], "Dee": ["i2", "i3"]}
    assert queue.groups("Eve", 2) == []
    queue.confirm(["i0"], "cat", "Ada", key(), exceptions=["i1"])
    assert [group.images for group in queue.groups("Eve", 2)] == []  # i0 is answered once, and with Bob
    now[0] = LEASE + LEASE_EACH + 1
    assert queue.groups("Eve", 4)[0].images == ["i0", "i1", "i2", "i3"]


def test_who_leaves_a_grid_gives_its_images_back(tmp_path):
    queue = guessing(tmp_path, "cccc")
    assert queue.groups("Ada", 4)[0].images == ["i0", "i1", "i2", "i3"]
    assert next_image(queue, "Ada") == "i0"  # one at a time
    assert queue.groups("Bob", 4)[0].images == ["i1", "i2", "i3"]


def test_controls_are_in_a_grid_like_others_and_reserves_only_when_somebody_skips(tmp_path):
    rows = {"id": ["a", "b", "c", "d"], "role": ["query", "control", "query", "reserve"]}
    guesses = pd.DataFrame({"id": rows["id"], "label": "cat", "probability": 0.9})
    queue = AnnotationQueue(AnswerLog(tmp_path), pd.DataFrame(rows), Policy(), CLASSES, guesses)
    assert queue.groups("Ada", 5)[0].images == ["a", "b", "c"]
    queue.confirm(["a"], None, "Ada", key())
    assert queue.groups("Ada", 5)[0].images == ["b", "c", "d"]


def test_undo_takes_back_a_whole_confirmation_and_nothing_else(tmp_path):
    queue = guessing(tmp_path, "ccccd")
    say(queue, "i4", "dog")
    queue.confirm(["i0", "i1"], "cat", "Ada", key())
    queue.confirm(["i2", "i3"], "cat", "Bob", key())
    say(queue, "i1", "dog")  # corrected one at a time
    assert queue.undo("Ada", "u1") == "i1"
    assert queue.retracted("u1") == (["i1"], "dog")
    assert states(queue)["i1"] == LABELLED
    assert queue.undo("Ada", "u2") == queue.undo("Ada", "u2") == "i0"
    assert queue.retracted("u2") == (["i0", "i1"], "cat")
    labelled = [image for image, state in states(queue).items() if state == LABELLED]
    assert labelled == ["i2", "i3", "i4"]
    assert queue.undo("Ada", key()) == "i4"


@settings(max_examples=settings.default.max_examples // 2)
@given(
    st.lists(acts, max_size=14), st.sampled_from([Policy(), Policy(2, "consensus"), Policy(2, "majority", "leave_out")])
)
def test_any_order_of_answers_and_undoings_of_two_people_adds_up(steps, policy):
    """The queue, which settles only what is new, agrees with settling everything, and with a plain list of answers."""
    with tempfile.TemporaryDirectory() as folder:
        log = AnswerLog(Path(folder))
        queue = AnnotationQueue(log, query(3, 2), policy, CLASSES)
        standing: list[tuple[str, str, str | None]] = []  # annotator, image, label
        sent: list[tuple] = []
        for annotator, act, number, skip in steps:
            label = None if skip else CLASSES[number % 2]
            if act == "undo":
                own = [row for row in standing if row[0] == annotator]
                assert queue.undo(annotator, key()) == (own[-1][1] if own else None)
                if own:
                    standing.remove(own[-1])
            elif act == "again" and sent:
                assert queue.answer(*sent[number % len(sent)]) == AGAIN
            else:
                image = next_image(queue, annotator) if act == "next" else f"i{number}"
                if image is None:
                    continue
                assert act == "any" or all(row[:2] != (annotator, image) for row in standing)
                sent.append((image, label, annotator, key()))
                queue.answer(*sent[-1])
                standing.append((annotator, image, label))
        whole = measure_progress(query(3, 2), aggregate(log.read(), policy), policy)
        pd.testing.assert_frame_equal(queue.progress().images, whole.images)
        kept = effective(log.read())
        found = [(row.annotator, row.id, None if pd.isna(row.label) else row.label) for row in kept.itertuples()]
        assert sorted(found, key=str) == sorted(standing, key=str)
        assert log.read()["key"].is_unique


def test_examples_of_a_class_are_three_at_most_and_those_of_earlier_queries_come_first(tmp_path):
    earlier = pd.DataFrame({"id": ["e0", "e1"], "label": ["cat", "dog"]})
    queue = queue_of(tmp_path, earlier=earlier)
    for image in ("i0", "i1", "i2"):
        say(queue, image, "cat")
    say(queue, "i3", None)
    assert queue.examples("cat") == ["e0", "i0", "i1"]
    assert queue.examples("dog") == ["e1"]
    say(queue, "e0", "dog")  # corrected
    assert queue.examples("cat") == ["i0", "i1", "i2"]
    assert queue.examples("dog") == ["e0", "e1"]


@pytest.fixture
def doubting(tmp_path) -> AnnotationQueue:
    """A queue that asks Ada for a new image, and once more for one that she called a cat."""
    log = AnswerLog(tmp_path)
    log.add([Answer(id="old", label="cat", annotator="Ada", source="page", key="first")])
    asked = pd.DataFrame({"id": ["new", "old"], "role": ["query", "relabel"], "answers_before": [0, 1]})
    suggestions = pd.DataFrame({"id": ["new", "old"], "label": "cat", "probability": 0.9})
    suggestions = suggestions.assign(suggested=[None, "dog"], near=[None, '["d1", "d2"]'])
    earlier = pd.DataFrame({"id": ["old"], "label": ["cat"]})
    return AnnotationQueue(log, asked, Policy(), CLASSES, suggestions, earlier)


def test_a_label_that_is_asked_for_again_is_handed_to_the_person_who_gave_it(doubting):
    assert doubting.upcoming("Ada") == ["new", "old"]
    facts = doubting.facts("old", "Ada")
    assert facts["again"] == {"label": "cat", "suggested": "dog", "near": ["d1", "d2"]}
    assert not facts["answered"]
    assert "again" not in doubting.facts("new", "Ada")
    assert say(doubting, "old", "dog") == NEW
    assert say(doubting, "new", "dog") == NEW
    assert doubting.progress().finished
    assert doubting.facts("old", "Ada")["label"] == "dog"
    assert doubting.undo("Ada", key()) == "new"


def test_an_answer_to_an_earlier_query_that_arrives_once_more_is_no_new_one(doubting):
    assert doubting.answer("old", "cat", "Ada", "first") == AGAIN
    assert doubting.progress().count(LABELLED) == 0
