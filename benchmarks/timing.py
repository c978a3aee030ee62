"""Time several ways to do the same work, side by side."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pandas as pd
import torch


@dataclass(frozen=True)
class Variant:
    """One way to do the work: `run` does it once, for so many images."""

    run: Callable[[], Any]
    images: int


def seconds(run: Callable[[], Any]) -> float:
    """Return how long one call takes."""
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


def wait_for(device: str) -> None:
    """Let a GPU finish what it was given: it is timed when it is done, not when it was told."""
    if device == "cuda":
        torch.cuda.synchronize()


def interleaved(variants: dict[str, Variant], repeats: int) -> pd.DataFrame:
    """Return images a second: one column a variant, one row a round, after a warm-up of each.

    The variants take turns, A B A B ..., so that a neighbour's noise hits them all.
    """
    for variant in variants.values():
        variant.run()
    rounds = [
        {name: variant.images / seconds(variant.run) for name, variant in variants.items()} for _ in range(repeats)
    ]
    return pd.DataFrame(rounds)


def compared(rates: pd.DataFrame) -> dict[str, str]:
    """Return a table's cells: `ours` beside `limit` and the faster of `0 workers` and `2 workers`, the released way."""
    best = max(("0 workers", "2 workers"), key=lambda name: rates[name].median())
    return {
        "ours / limit": ratio(rates, "ours", "limit"),
        "ours / released way": ratio(rates, "ours", best),
        "ours, images/s": rate(rates, "ours"),
        "limit, images/s": rate(rates, "limit"),
        "released way, images/s": f"{rate(rates, best)} ({best})",
    }


def ratio(rates: pd.DataFrame, ours: str, other: str) -> str:
    """Return how many times faster `ours` is: the median of the rounds' ratios, with their range."""
    ratios = rates[ours] / rates[other]
    return f"{ratios.median():.2f} ({ratios.min():.2f} to {ratios.max():.2f})"


def rate(rates: pd.DataFrame, name: str) -> str:
    """Return the median rate of a variant."""
    return f"{rates[name].median():,.0f}"
