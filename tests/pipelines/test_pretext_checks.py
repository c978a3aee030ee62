"""Before any label, a run says what its pretext losses are worth, and how far they agree with others of the pool."""

import json
from pathlib import Path

import pandas as pd

from pt4al.pipelines.pretext.checks import compare_rankings
from support.projects import newest


def test_a_run_leaves_its_checks_and_what_they_are_of_and_shows_them(finished: Path) -> None:
    checks = pd.read_parquet(newest(finished, "04_feature", "*", "pretext_checks.parquet"))
    assert list(checks["check"]) == ["shortcut", "learning"]  # in five steps it has learnt nothing
    page = newest(finished, "08_reporting", "tiny", "report.html").read_text()
    assert all(sentence.split(":")[0] in page for sentence in checks["sentence"])
    settings = json.loads(newest(finished, "04_feature", "*", "pretext_settings.json").read_text())
    assert (settings["task"], settings["seed"], settings["schedule.epochs"]) == ("rotation", 0, 1)


def loaders(found: dict[str, object]) -> dict:
    """Functions that load, by folder."""
    return {folder: lambda value=value: value for folder, value in found.items()}


def losses(*values: float) -> pd.DataFrame:
    return pd.DataFrame({"id": [f"i{row}" for row in range(len(values))], "pretext_loss": values})


def made(seed: int, pool: str = "this pool") -> dict:
    return {"task": "rotation", "seed": seed, "pool": pool}


def test_rankings_of_this_pool_are_compared_and_damaged_ones_left_out() -> None:
    tables = {
        "one": losses(1, 2, 3, 4),
        "two": losses(1, 2, 3, 4),
        "of another pool": losses(1, 2),
        "without a record": losses(1, 2, 3, 4),
        "damaged": None,
        "of a damaged record": losses(1, 2, 3, 4),
    }
    records = {
        "one": made(0),
        "two": made(1),
        "of another pool": made(2, "another"),
        "damaged": made(3),
        "of a damaged record": None,
    }
    found = compare_rankings(made(0), loaders(tables), loaders(records))
    assert found[["one", "other", "images"]].to_numpy().tolist() == [["seed 0", "seed 1", 4]]
    assert found["correlation"].iloc[0] > 0.99


def test_a_ranking_that_has_no_other_to_agree_with_is_no_error() -> None:
    found = compare_rankings(made(0), loaders({"one": losses(1, 2)}), loaders({"one": made(0)}))
    assert found.empty
