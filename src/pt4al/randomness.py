"""Derive every random stream of a run from its one seed."""

import zlib

import numpy as np
import torch


def stream(seed: int, purpose: str, cycle: int = 0) -> np.random.Generator:
    """Return the generator of one purpose in one cycle, independent of all others.

    A resumed run gets the same numbers as one that was never interrupted, because
    no stream depends on what was drawn before.
    """
    return np.random.default_rng(
        np.random.SeedSequence([seed, zlib.crc32(purpose.encode()), cycle])
    )


def torch_generator(rng: np.random.Generator, device: str = "cpu") -> torch.Generator:
    """Return a torch generator on `device`, seeded with the next number of `rng`."""
    return torch.Generator(device).manual_seed(int(rng.integers(2**63)))
