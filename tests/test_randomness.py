"""Every stream follows from seed, purpose and cycle, and nothing else."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from pt4al.randomness import stream, torch_generator

KEYS = st.tuples(st.integers(0, 2**40), st.sampled_from(["query", "main", "pretext", "ranking"]), st.integers(0, 20))


@given(first=KEYS, second=KEYS)
def test_streams_are_equal_for_equal_keys_and_for_no_others(first, second):
    same = np.array_equal(stream(*first).integers(2**63, size=4), stream(*second).integers(2**63, size=4))
    assert same == (first == second)


def test_stream_does_not_depend_on_what_was_drawn_before():
    expected = stream(0, "query", 3).random()
    stream(0, "query", 2).random(1000)
    assert stream(0, "query", 3).random() == expected


def test_numbers_of_a_stream_are_the_same_on_every_machine():
    assert list(stream(0, "query", 1).integers(1000, size=5)) == [343, 960, 266, 704, 481]


def test_torch_generator_follows_the_numpy_generator():
    draw = lambda seed: torch.rand(5, generator=torch_generator(stream(seed, "main")))  # noqa: E731
    assert torch.equal(draw(1), draw(1))
    assert not torch.equal(draw(1), draw(2))


def test_two_torch_generators_of_one_stream_differ():
    rng = stream(0, "main")
    first, second = (torch.rand(5, generator=torch_generator(rng)) for _ in range(2))
    assert not torch.equal(first, second)


@pytest.mark.parametrize("make", [lambda: stream(3, "main", 1).random(9), lambda: torch_generator(stream(3, "main"))])
def test_global_generators_are_left_alone(make):
    before, numpys = torch.get_rng_state(), np.random.get_state()  # noqa: NPY002
    make()
    assert torch.equal(torch.get_rng_state(), before)
    np.testing.assert_array_equal(np.random.get_state()[1], numpys[1])  # noqa: NPY002
