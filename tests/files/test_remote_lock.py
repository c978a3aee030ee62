"""One machine at a time works at a run."""

import json
import os
import subprocess
import sys

import pytest

from pt4al.errors import InputError
from pt4al.files.remote_lock import RemoteLock
from pt4al.files.storage import Storage


def owned_by(storage: Storage, **owner: object) -> None:
    storage.write(".locks/mine.json", json.dumps({"token": "theirs", **owner}).encode())


def dead_process() -> int:
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


def test_a_second_machine_is_refused_in_one_sentence(machines):
    here, there = machines
    owned_by(here, host="elsewhere", pid=7)
    with pytest.raises(InputError, match=r"'mine' in .* is being run by process 7 of elsewhere: wait, or use another"):
        RemoteLock(there, "mine").acquire()


def test_a_second_process_is_refused_while_the_first_lives(machines):
    here, there = machines
    owned_by(here, host=os.uname().nodename, pid=os.getppid())
    with pytest.raises(InputError, match=f"process {os.getppid()}"):
        RemoteLock(there, "mine").acquire()


def test_a_lock_that_is_released_is_free(machines):
    here, there = machines
    lock = RemoteLock(here, "mine")
    lock.acquire()
    lock.release()
    lock.release()
    assert here.listing(".locks") == {}
    other = RemoteLock(there, "mine")
    other.acquire()
    other.release()


def test_the_lock_of_a_dead_process_of_this_machine_is_taken_over_at_once(machines):
    here, there = machines
    owned_by(here, host=os.uname().nodename, pid=dead_process())
    lock = RemoteLock(there, "mine")
    lock.acquire()
    assert json.loads(here.read(".locks/mine.json"))["pid"] == os.getpid()
    assert list(here.listing(".locks")) == [".locks/mine.json"]
    lock.release()


def test_the_lock_of_a_machine_that_was_silent_for_long_is_taken_over(machines):
    here, there = machines
    owned_by(here, host="elsewhere", pid=7)
    lock = RemoteLock(there, "mine", silent=-1)
    lock.acquire()
    lock.check()
    lock.release()


def test_of_two_that_find_a_lock_dead_one_takes_it_over(machines):
    here, there = machines
    owned_by(here, host="elsewhere", pid=7)
    here.write(".locks/mine.json.theirs", b"claimed")
    with pytest.raises(InputError, match=r"mine\.json\.theirs says that it is being taken over"):
        RemoteLock(there, "mine", silent=-1).acquire()


def test_who_was_silent_for_too_long_learns_that_another_goes_on(machines, monkeypatch):
    here, there = machines
    monkeypatch.setattr("pt4al.files.remote_lock.BEAT", 0.01)
    lock = RemoteLock(here, "mine")
    lock.acquire()
    owned_by(there, host="elsewhere", pid=7)
    lock._thread.join(10)
    with pytest.raises(InputError, match="was taken over by process 7 of elsewhere"):
        lock.check()
    lock.release()
    assert json.loads(here.read(".locks/mine.json"))["host"] == "elsewhere"
