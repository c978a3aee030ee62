"""What is found out once, and what is done meanwhile."""

import threading

import pytest

from pt4al.pipelines.remembered import meanwhile, once, remembering


def test_a_command_of_its_own_looks_again_each_time() -> None:
    found = []
    for number in range(2):
        once("there", lambda number=number: found.append(number))
    assert found == [0, 1]


def test_where_things_are_remembered_each_is_found_out_once() -> None:
    with remembering(["known"]):
        assert once("there", lambda: 1) == 1
        assert once("there", lambda: 2) == 1
        assert once("elsewhere", lambda: 2) == 2
        once("known", lambda: pytest.fail("it was known"))
    assert once("there", lambda: 3) == 3


def test_what_fails_is_tried_again() -> None:
    with remembering():
        with pytest.raises(OSError, match="gone"):
            once("there", lambda: _raise(OSError("gone")))
        assert once("there", lambda: 1) == 1


def test_the_end_waits_for_what_is_done_meanwhile() -> None:
    done, go_on = [], threading.Event()
    with remembering():
        meanwhile(lambda: (go_on.wait(10), done.append(1)))
        assert not done
        go_on.set()
    assert done == [1]
    meanwhile(lambda: done.append(2))
    assert done == [1, 2]


def _raise(error: Exception) -> None:
    raise error
