"""First queries whose truth is known, for the tests of cold starts."""

import numpy as np
import pandas as pd


def measured(budgets: tuple[int, ...] = (10, 50), seeds: int = 20, **accuracies: object) -> pd.DataFrame:
    """A table of starts whose accuracies scatter around a mean by 2 points; around None, not at all."""
    rng, rows = np.random.default_rng(0), []
    for start, mean in accuracies.items():
        for budget in budgets:
            for seed in range(seeds):
                fixed = isinstance(mean, str)
                accuracy = float(mean) + (0 if fixed else rng.normal(0, 0.02))
                query = start if fixed else f"{start} {seed}"
                rows.append((start, budget, seed, accuracy, accuracy - 0.01, f"{query} {budget}"))
    return pd.DataFrame(rows, columns=["start", "budget", "seed", "accuracy", "balanced_accuracy", "query"])
