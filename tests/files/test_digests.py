"""What is read is what was written: digests beside files, and small files that commands leave for later ones."""

import json
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pt4al.files import digests, records
from pt4al.files.digests import Damaged
from pt4al.files.whole import replacing


def sealed(path: Path, content: bytes) -> Path:
    with replacing(path) as temporary:
        temporary.write_bytes(content)
        digests.note(path, temporary)
    return path


@given(content=st.binary(min_size=1, max_size=200), data=st.data())
def test_any_one_bit_is_noticed(tmp_path_factory: pytest.TempPathFactory, content: bytes, data: st.DataObject) -> None:
    path = sealed(tmp_path_factory.mktemp("one") / "x.bin", content)
    assert digests.check(path)
    bit = data.draw(st.integers(0, 8 * len(content) - 1))
    changed = bytearray(content)
    changed[bit // 8] ^= 1 << bit % 8
    path.write_bytes(changed)
    with pytest.raises(Damaged, match="not the one noted"):
        digests.check(path)


def test_a_digest_is_what_sha256sum_reads(tmp_path: Path) -> None:
    sealed(tmp_path / "x.bin", b"a")
    done = subprocess.run(["sha256sum", "-c", "x.bin.sha256"], cwd=tmp_path, capture_output=True, check=False)
    assert done.returncode == 0


def test_a_file_from_before_has_no_digest_and_is_taken_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "old.json").write_text("{}")
    assert not digests.check(tmp_path / "old.json")
    assert digests.whole(tmp_path / "old.json", Path.read_text) == "{}"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three files, one of them pixels."""
    folder = tmp_path / "pool"
    folder.mkdir()
    for name in ("a.png", "b.png", "c.npy"):
        (folder / name).write_bytes(name.encode())
    digests.note(folder, folder)
    return folder


def test_in_a_folder_the_damaged_file_is_named(folder: Path) -> None:
    (folder / "b.png").write_bytes(b"x")
    with pytest.raises(Damaged, match=r"SHA-256 of b\.png"):
        digests.check(folder)


def test_a_file_that_has_gone_from_a_folder_is_noticed(folder: Path) -> None:
    (folder / "a.png").unlink()
    with pytest.raises(Damaged, match=r"a\.png"):
        digests.check(folder)


def test_what_file_managers_leave_in_a_folder_and_pixels_are_not_its_digests_business(folder: Path) -> None:
    (folder / ".DS_Store").write_bytes(b"x")
    (folder / "c.npy").write_bytes(b"x")  # a pool's manifest has a digest of it
    assert digests.check(folder)


@pytest.mark.parametrize("rubbish", [b"\xff\xfe", b"no digest", b"0" * 64])
def test_a_damaged_digest_is_told_too(tmp_path: Path, rubbish: bytes) -> None:
    path = sealed(tmp_path / "x.bin", b"a")
    (tmp_path / "x.bin.sha256").write_bytes(rubbish)
    with pytest.raises(Damaged):
        digests.check(path)


def test_a_fault_of_the_reader_is_not_blamed_on_a_file_that_is_as_it_was_written(tmp_path: Path) -> None:
    path = sealed(tmp_path / "x.json", b"{}")
    with pytest.raises(ZeroDivisionError):
        digests.whole(path, lambda path: 1 / 0)
    (tmp_path / "x.json.sha256").unlink()
    with pytest.raises(Damaged, match=r"x\.json is damaged \(it can't be read: division by zero\): remove"):
        digests.whole(path, lambda path: 1 / 0)


def test_an_empty_file_is_called_empty(tmp_path: Path) -> None:
    (tmp_path / "x.json").touch()
    with pytest.raises(Damaged, match="it is empty"):
        records.read(tmp_path / "x.json", dict)


def test_a_record_comes_back_and_another_kind_is_refused(tmp_path: Path) -> None:
    records.write(tmp_path / "a" / "x.json", {"b": "café"})
    assert records.read(tmp_path / "a" / "x.json", dict) == {"b": "café"}
    with pytest.raises(Damaged, match=r"holds a dict, not a list\): call the doctor"):
        records.read(tmp_path / "a" / "x.json", list, "call the doctor")


@pytest.mark.parametrize("content", ["", "{", "[]", "null", "\0\0\0"])
def test_what_can_be_found_out_again_ends_nothing(
    tmp_path: Path, content: str, caplog: pytest.LogCaptureFixture
) -> None:
    assert records.recall(tmp_path / "x.json") == {}
    (tmp_path / "x.json").write_text(content)
    assert records.recall(tmp_path / "x.json") == {}
    assert "is damaged" in caplog.text


@given(cut=st.integers(1, 40))
def test_a_torn_line_costs_a_log_nothing_but_itself(tmp_path_factory: pytest.TempPathFactory, cut: int) -> None:
    log = tmp_path_factory.mktemp("log") / "x.jsonl"
    for number in range(3):
        records.append(log, {"a": number, "b": "ü"})
    whole = log.read_bytes()
    log.write_bytes(whole[: max(len(whole) // 3 * 2 + 1, len(whole) - cut)])
    kept = [row["a"] for row in records.rows(log, ["a"])]
    assert kept in ([0, 1], [0, 1, 2])
    records.append(log, {"a": 3})
    assert [row["a"] for row in records.rows(log, ["a"])] == [*kept, 3]
    assert json.loads(log.read_bytes().splitlines()[-1]) == {"a": 3}


@pytest.mark.parametrize("line", [b"\0\0\0", b"\xff", b"[1]", b"3", b'{"b": 1}', b"[" * 100_000])
def test_a_line_that_is_no_row_is_left_out_with_a_warning(
    tmp_path: Path, line: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    log = tmp_path / "x.jsonl"
    log.write_bytes(b'{"a": 1}\n' + line + b'\n{"a": 2}\n')
    assert [row["a"] for row in records.rows(log, ["a"])] == [1, 2]
    assert "the first is line 2" in caplog.text
