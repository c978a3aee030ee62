"""A query is planned by row numbers, and names its images by their ids."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from pt4al.files import stored_table
from pt4al.files.stored_table import StoredTable
from pt4al.images.pool import ImagePool
from pt4al.pipelines.cycle.plan import QueryPlan
from pt4al.pipelines.cycle.state import CycleState
from pt4al.pipelines.settings import some_settings
from pt4al.selection.ranking import rank, split
from support.projects import ROOT

IMAGES = 12


@pytest.fixture
def pool() -> ImagePool:
    index = pd.DataFrame({"id": pd.Series([f"image {row}" for row in range(IMAGES)], dtype="str")})
    return ImagePool(np.zeros((IMAGES, 1, 2, 2), np.uint8), index, [0.0], [1.0], "made up")


@pytest.fixture
def plan(pool: ImagePool, tmp_path: Path) -> Callable[..., QueryPlan]:
    """Plan the query of a cycle, by a ranking on disk."""
    losses = np.random.default_rng(0).random(IMAGES).astype(np.float32)
    split(rank(pool.ids, losses), 2).to_parquet(tmp_path / "ranking.parquet")
    ranking = StoredTable(tmp_path / "ranking.parquet")

    def make(labelled: list[str], share: float = 0, slices: pd.DataFrame | None = None, cycle: int = 0) -> QueryPlan:
        settings = yaml.safe_load((ROOT / "conf/base/parameters.yml").read_text())
        settings["cycles"] = {"number": 2, "budget": 4}
        settings["query"] |= {"scope": "pool"}
        settings["control"] = {"share": share, "train": True}
        label_set = pd.DataFrame({"id": pd.Series(labelled, dtype="str")})
        state = CycleState(pool, None, ranking, label_set, ["a"], slices=slices)
        return QueryPlan.make(state, some_settings(settings), cycle)

    return make


def test_candidates_are_rows_of_the_pool_in_few_bytes_an_image(plan):
    offered = plan(["image 3", "a picture that is gone"]).candidates
    assert list(offered["id"]) == [row for row in range(IMAGES) if row != 3]
    assert offered.dtypes.astype(str).to_dict() == {
        "id": "int32",
        "batch": "int32",
        "pretext_loss": "float32",
        "rank": "int32",
    }
    later = plan([], cycle=1).candidates
    assert list(later.columns) == ["id", "batch", "pretext_loss"]
    assert len(later) == IMAGES


def test_a_query_never_holds_more_ids_of_the_ranking_than_a_portion(pool, plan, monkeypatch):
    monkeypatch.setattr(stored_table, "PORTION", 5)
    looked_up = []
    rows = pool.rows
    monkeypatch.setattr(pool, "rows", lambda ids: looked_up.append(len(ids)) or rows(ids))
    monkeypatch.setattr(StoredTable, "read", lambda *_: pytest.fail("the ranking was read whole"))
    made = plan(["image 3"], cycle=1)
    assert looked_up == [5, 5, 2]
    assert "str" not in made.candidates.dtypes.astype(str).to_list()


def test_query_has_ids_and_the_types_of_the_ranking(pool, plan):
    made = plan([])
    query = made.start("random", np.random.default_rng(0))
    assert query["id"].isin(pool.ids).all()
    assert query.dtypes.astype(str).to_dict() == {"id": "str", "score": "float64", "batch": "int64"}
    ranked = made.candidates.set_index("id")["batch"]
    assert list(query["batch"]) == list(ranked[pool.rows(query["id"])])


def test_control_images_come_in_the_order_in_which_they_were_drawn_with_their_batches(plan):
    slices = pd.DataFrame({"id": pd.Series(["image 9", "image 2", "image 5"], dtype="str")})
    made = plan([], share=0.5, slices=slices)
    assert list(made.control["id"]) == ["image 9", "image 2"]
    query = made.start("random", np.random.default_rng(0))
    assert list(query.columns) == ["id", "score", "batch", "role"]
    assert list(query["id"][query["role"] == "control"]) == ["image 9", "image 2"]
    assert not set(made.candidates["id"]) & {9, 2, 5}
    assert str(query["batch"].dtype) == "int64"
