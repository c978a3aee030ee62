"""Learning curves of arms whose truth is known, for the tests of the comparison."""

import numpy as np
import pandas as pd

from pt4al.statistics.verdict import Rule

RULE = Rule(claim="ours", against=["random", "margin"], metric="area", alpha=0.05, least_gain=0.5)


def cells(
    gains: dict[str, float], seeds: int = 5, cycles: int = 4, noise: float = 0.002, repeated: str = "", seed: int = 0
) -> pd.DataFrame:
    """Return rising curves of accuracy over 100, 200 ... labels; an arm's are higher by its gain, 0 to 1.

    All arms share how hard a seed is; `noise` is the deviation of a single accuracy.
    """
    rng = np.random.default_rng(seed)
    hardness = rng.normal(0, 0.01, seeds)
    rows = [
        {
            "arm": arm,
            "seed": number,
            "repeat": repeat,
            "run": f"c-{arm}-s{number}" + ("-r1" if repeat else ""),
            "cycle": cycle,
            "labels": 100 * (cycle + 1),
            "accuracy": 0.5 + 0.05 * cycle + gain + hardness[number] + rng.normal(0, noise),
        }
        for arm, gain in gains.items()
        for repeat in ((0, 1) if arm == repeated else (0,))
        for number in range(seeds)
        for cycle in range(cycles)
    ]
    return pd.DataFrame(rows)
