"""The log of answers: on disk when it says so, each answer once, whoever is killed and whoever writes beside."""

import contextlib
import json
import multiprocessing
from itertools import count
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pt4al.annotation.log import Answer, AnswerLog, effective
from pt4al.errors import InputError


def said(image: str, label: str | None = "cat", **facts) -> Answer:
    return Answer(id=image, label=label, annotator="ada", source="file", **facts)


def test_what_was_added_is_there_for_another_reader_with_its_types(tmp_path: Path) -> None:
    log = AnswerLog(tmp_path)
    assert log.read().empty
    assert log.add([said("00012", "NA", seconds=1.5), said("b", None, review=True)]) == 2
    table = AnswerLog(tmp_path).read()
    assert list(table["id"]) == ["00012", "b"]
    assert table["label"].tolist()[0] == "NA"
    assert table["label"].isna().tolist() == [False, True]
    assert table["seconds"].tolist()[0] == 1.5
    assert table["review"].tolist() == [False, True]


@given(st.lists(st.sampled_from("abcdef")), st.integers(1, 5))
def test_a_key_counts_once_however_answers_are_cut_into_calls(
    tmp_path_factory: pytest.TempPathFactory, keys: list, chunk: int
) -> None:
    folder = tmp_path_factory.mktemp("log")
    for first in range(0, len(keys), chunk):
        AnswerLog(folder).add(said(key, key=key) for key in keys[first : first + chunk])
    assert list(AnswerLog(folder).read()["key"]) == list(dict.fromkeys(keys))


@given(st.integers(0, 400))
def test_part_of_a_line_that_a_kill_left_costs_nothing_but_itself(
    tmp_path_factory: pytest.TempPathFactory, cut: int
) -> None:
    folder = tmp_path_factory.mktemp("log")
    log = AnswerLog(folder)
    log.add([said("a", key="1"), said("b", key="2")])
    whole = log.path.read_bytes()
    kept = whole[: max(len(whole.splitlines(keepends=True)[0]), len(whole) - cut)]
    log.path.write_bytes(kept)
    again = AnswerLog(folder)
    before = list(again.read()["key"])
    assert before in (["1"], ["1", "2"])
    again.add([said("b", key="2"), said("c", key="3")])
    assert list(AnswerLog(folder).read()["key"]) == ["1", "2", "3"]


def test_a_reader_sees_what_others_add_meanwhile(tmp_path: Path) -> None:
    reader, writer = AnswerLog(tmp_path), AnswerLog(tmp_path)
    for number in range(3):
        writer.add([said(str(number))])
        assert len(reader.read()) == number + 1


def _write(folder: Path, name: str) -> None:
    log = AnswerLog(folder)
    for number in range(40):
        log.add([said(f"{name}{number}", key=f"{name}{number}"), said("both", key=f"both{number}")])


def test_processes_that_write_at_once_lose_and_double_nothing(tmp_path: Path) -> None:
    context = multiprocessing.get_context("fork")
    writers = [context.Process(target=_write, args=(tmp_path, name)) for name in "abc"]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    keys = AnswerLog(tmp_path).read()["key"]
    assert sorted(keys) == sorted([f"{name}{number}" for name in ["a", "b", "c", "both"] for number in range(40)])
    assert all(json.loads(line) for line in AnswerLog(tmp_path).path.read_text().splitlines())


def _write_and_tell(folder: Path, round_: int, told) -> None:
    log = AnswerLog(folder)
    for number in count():
        key = f"{round_}-{number}"
        log.add([said(key, key=key, seconds=0.5)])
        told.send(key)


def test_what_a_killed_process_was_told_is_there_and_there_once(tmp_path: Path) -> None:
    context, known = multiprocessing.get_context("fork"), []
    for round_ in range(5):
        receiver, sender = context.Pipe(duplex=False)
        writer = context.Process(target=_write_and_tell, args=(tmp_path, round_, sender))
        writer.start()
        sender.close()
        known += [receiver.recv() for _ in range(5 + 2 * round_)]  # then it is in the middle of something
        writer.kill()
        writer.join()
        with contextlib.suppress(EOFError):
            while True:
                known.append(receiver.recv())
    keys = list(AnswerLog(tmp_path).read()["key"])
    assert set(known) <= set(keys)
    assert len(keys) == len(set(keys)) <= len(known) + 5  # one a process may be there that nobody was told of
    assert AnswerLog(tmp_path).add(said(key, key=key) for key in [*known, "new"]) == 1


@given(st.lists(st.tuples(st.binary(max_size=20), st.booleans()), max_size=4))
def test_garbage_in_the_log_hides_no_answer(tmp_path_factory: pytest.TempPathFactory, garbage: list) -> None:
    folder = tmp_path_factory.mktemp("log")
    log = AnswerLog(folder)
    log.path.parent.mkdir(exist_ok=True)
    for number, (rubbish, ends) in enumerate(garbage):
        with log.path.open("ab") as file:
            file.write(rubbish + b"\n" * ends)
        log.add([said(str(number), key=str(number))])
    expected = [str(number) for number in range(len(garbage))]
    assert list(log.read()["key"]) == list(AnswerLog(folder).read()["key"]) == expected


@given(st.text(max_size=20).filter(bool), st.text(max_size=20))
def test_any_text_comes_back_as_it_was(tmp_path_factory: pytest.TempPathFactory, image: str, label: str) -> None:
    folder = tmp_path_factory.mktemp("log")
    AnswerLog(folder).add([said(image, label)])
    (row,) = AnswerLog(folder).read().itertuples()
    assert (row.id, row.label, row.annotator) == (image, label, "ada")


def test_a_mask_is_kept_once_and_found_by_its_label(tmp_path: Path) -> None:
    log = AnswerLog(tmp_path)
    label = log.keep_mask(b"png")
    assert log.keep_mask(b"png") == label
    assert log.mask(label) == b"png"
    with pytest.raises(InputError, match="no such mask"):
        log.mask("mask:none")


def test_what_was_undone_does_not_stand_and_stays_in_the_log(tmp_path: Path) -> None:
    log = AnswerLog(tmp_path)
    log.add([said("a", key="1"), said("a", None, key="2", undoes="1"), said("a", "dog", key="3")])
    assert len(log.read()) == 3
    assert list(effective(log.read())["key"]) == ["3"]


def test_half_a_character_is_refused_before_it_spoils_the_log() -> None:
    with pytest.raises(InputError, match="half a character"):
        said("a", "\ud800")


def test_whichever_bit_of_a_line_is_flipped_the_others_count_and_it_is_told(tmp_path: Path, caplog) -> None:
    AnswerLog(tmp_path).add(said(name, key=name) for name in "abc")
    whole = (tmp_path / "answers.jsonl").read_bytes()
    first, second, _ = whole.splitlines(keepends=True)
    silent = []
    for place in range(len(first), len(first) + len(second) - 1, 4):
        for bit in range(8):
            folder = tmp_path / f"{place}.{bit}"
            folder.mkdir()
            flipped = bytearray(whole)
            flipped[place] ^= 1 << bit
            (folder / "answers.jsonl").write_bytes(flipped)
            caplog.clear()
            table = AnswerLog(folder).read()
            assert [*table["key"][:1], *table["key"][-1:]] == ["a", "c"]
            if len(table) == 3:  # what was said is as it was
                assert table.iloc[1][["id", "label", "key"]].tolist() == ["b", "cat", "b"]
                silent.append((place, bit))
            else:
                assert f"{folder / 'answers.jsonl'}: line 2 can't be read and is left out" in caplog.text
    assert len(silent) < 20  # of 400: in the name of the checksum, and in white space


def test_a_newline_that_was_torn_off_costs_nothing_and_part_of_a_line_is_told_to_nobody(tmp_path: Path, caplog) -> None:
    log = AnswerLog(tmp_path)
    log.add([said("a", key="1"), said("b", key="2")])
    whole = log.path.read_bytes()
    for cut, expected in ((1, ["1", "2", "3"]), (9, ["1", "3"])):
        log.path.write_bytes(whole[:-cut])
        AnswerLog(tmp_path).add([said("c", key="3")])
        assert list(AnswerLog(tmp_path).read()["key"]) == expected
    assert caplog.text == ""


def test_a_log_of_before_checksums_is_read(tmp_path: Path) -> None:
    log = AnswerLog(tmp_path)
    log.add([said("a", key="1")])
    row = json.loads(log.path.read_text())
    row.pop("check")
    log.path.write_text(json.dumps(row) + "\n")
    assert AnswerLog(tmp_path).read()["label"].tolist() == ["cat"]


@pytest.mark.parametrize(
    "wrong", [{"id": 5}, {"key": []}, {"label": {}}, {"seconds": "1"}, {"review": "no"}, {"at": None}]
)
def test_a_line_of_other_types_is_no_answer(tmp_path: Path, wrong: dict, caplog) -> None:
    log = AnswerLog(tmp_path)
    log.add([said("a", key="1")])
    row = json.loads(log.path.read_text())
    row.pop("check")
    with log.path.open("a") as file:
        file.write(json.dumps(row | {"key": "2"} | wrong) + "\n" + "[" * 99_999 + "\n")
    log.add([said("c", key="3")])
    assert list(AnswerLog(tmp_path).read()["key"]) == ["1", "3"]
    assert "line 2 can't be read and is left out" in caplog.text


def test_a_damaged_mask_is_one_sentence(tmp_path: Path) -> None:
    log = AnswerLog(tmp_path)
    label = log.keep_mask(b"png")
    next(tmp_path.glob("masks/*.png")).write_bytes(b"pnh")
    with pytest.raises(InputError, match="is damaged"):
        log.mask(label)


def test_a_reader_notices_that_an_older_file_was_put_back(tmp_path: Path) -> None:
    log = AnswerLog(tmp_path)
    log.add([said("a", key="1")])
    before = log.path.read_bytes()
    log.add([said("b", key="2")])
    log.path.write_bytes(before)
    assert list(log.read()["key"]) == ["1"]
    log.add([said("c", key="3")])
    assert list(log.read()["key"]) == ["1", "3"]
