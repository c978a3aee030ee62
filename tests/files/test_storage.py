"""A bucket holds what a folder does, and what is wrong with it is one sentence."""

import pickle
from pathlib import Path

import pytest

from pt4al.errors import InputError
from pt4al.files.patience import Unreachable, patiently
from pt4al.files.storage import Storage, fetched, keeper


def write(storage: Storage, name: str, content: bytes) -> Path:
    path = storage.root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def test_a_file_that_was_put_is_fetched_on_another_machine(machines):
    here, there = machines
    here.put(write(here, "05_model_input/mine/x.bin", b"\x00bytes"))
    there.attach()
    path = fetched(there.root / "05_model_input/mine/x.bin")
    assert path.read_bytes() == b"\x00bytes"
    assert list(here.listing("05_model_input")) == ["05_model_input/mine/x.bin"]
    assert here.listing("05_model_input/other") == {}


def test_an_object_is_replaced_whole_and_says_that_it_has_changed(machines):
    storage, _ = machines
    path = write(storage, "a/x.txt", b"first")
    storage.put(path)
    before = storage.info("a/x.txt")
    path.write_bytes(b"second time")
    storage.put(path)
    assert storage.info("a/x.txt") != before
    assert storage.read("a/x.txt") == b"second time"
    assert list(storage.listing("a")) == ["a/x.txt"]


def test_of_two_that_create_one_object_one_succeeds(machines):
    here, there = machines
    assert here.create(".locks/mine", b"here")
    assert not there.create(".locks/mine", b"there")
    assert there.read(".locks/mine") == b"here"


def test_an_object_that_is_not_there_is_none(machines):
    storage, _ = machines
    assert storage.info("a") is None
    assert storage.read("a") is None
    storage.remove("a")
    storage.fetch(storage.root / "a")
    assert not (storage.root / "a").exists()


def test_objects_are_renamed_and_removed(machines):
    storage, _ = machines
    storage.write("a/x", b"x")
    storage.rename("a/x", "b/x")
    assert storage.listing("a") == {}
    assert storage.read("b/x") == b"x"
    storage.remove("b/x")
    assert storage.info("b/x") is None


def test_a_folder_says_which_bucket_keeps_it_and_no_secret(tmp_path):
    storage = Storage(tmp_path, "memory://mine", patience=7, cache=2)
    assert keeper(tmp_path / "06_models" / "x") is None
    storage.attach()
    assert keeper(tmp_path / "06_models" / "x") == storage
    assert pickle.loads(pickle.dumps(storage)) == storage


def test_a_folder_is_the_cache_of_one_bucket_only(tmp_path):
    Storage(tmp_path, "memory://mine").attach()
    with pytest.raises(InputError, match="is the cache of memory://mine"):
        Storage(tmp_path, "memory://yours").attach()


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("nothing://x", "Protocol not known"),
        ("gs://x", "a package is missing"),
        ("file:///nowhere/at/all", "no such folder"),
    ],
)
def test_an_address_that_can_not_be_is_one_sentence(tmp_path, address, words):
    if address.startswith("gs"):
        try:
            import gcsfs  # noqa: F401
        except ImportError:
            pass
        else:
            pytest.skip("gcsfs is installed")
    with pytest.raises(InputError, match=f"`storage.address` {address}.*{words}"):
        Storage(tmp_path, address).check()


def test_a_bucket_that_is_not_there_is_one_sentence(tmp_path, s3):
    Storage(tmp_path, f"s3://{s3.bucket}/empty").check()
    with pytest.raises(InputError, match="there is no bucket 'nothing-here'"):
        Storage(tmp_path, "s3://nothing-here/x").check()


@pytest.mark.parametrize(
    ("lacking", "words"),
    [
        ((), "the key that was given may not do this .*does not exist"),
        (("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"), "no key was found"),
    ],
    ids=["a key without rights", "no key"],
)
def test_what_a_server_refuses_is_one_sentence_at_once(tmp_path, guarded_server, monkeypatch, lacking, words):
    for name in lacking:
        monkeypatch.delenv(name)
    with pytest.raises(InputError, match=f"s3://{guarded_server.bucket}/x: {words}"):
        Storage(tmp_path, f"s3://{guarded_server.bucket}/x", patience=60).check()


def test_what_fails_for_a_while_is_asked_again():
    failures = [OSError("away"), ConnectionError("away"), TimeoutError("away")]

    def answer() -> str:
        if failures:
            raise failures.pop()
        return "answer"

    assert patiently(answer, "s3://x", 60, "all is kept") == "answer"


def test_a_server_that_stays_away_is_one_sentence_that_says_what_is_kept():
    def answer() -> None:
        raise ConnectionError("refused")

    with pytest.raises(Unreachable, match=r"s3://x has not answered for 0 seconds .*: all is kept"):
        patiently(answer, "s3://x", 0.3, "all is kept")


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (PermissionError("Access Denied"), "may not do this"),
        (OSError(22, "InvalidBucketName"), "refuses a request: .*InvalidBucketName"),
    ],
)
def test_what_a_server_refuses_is_not_asked_again(error, words):
    tries = []

    def answer() -> None:
        tries.append(1)
        raise error

    with pytest.raises(InputError, match=words):
        patiently(answer, "s3://x", 60, "")
    assert len(tries) == 1


def test_a_full_disk_and_a_mistake_of_ours_keep_their_own_words():
    def full() -> None:
        raise OSError(28, "No space left on device")

    def wrong() -> None:
        raise KeyError("mistake")

    with pytest.raises(OSError, match="No space left"):
        patiently(full, "s3://x", 60, "")
    with pytest.raises(KeyError):
        patiently(wrong, "s3://x", 60, "")
