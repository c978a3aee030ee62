"""A ranking that is made in files is the one that is made in memory, to the byte."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from pt4al.cluster.seam import ALONE
from pt4al.errors import InputError
from pt4al.files.stored_table import StoredTable
from pt4al.selection.external import sorting, writing
from pt4al.selection.external.sorting import SIGNS, sort_file
from pt4al.selection.external.writing import Rules, write_ranking
from pt4al.selection.ranking import BATCHES, ORDERS, rank, split

SPECIAL = st.sampled_from([0.0, -0.0, np.inf, -np.inf, 1.0, 1e-45, -1e-45])  # the last two are subnormal
FLOAT32 = st.floats(width=32, allow_nan=False) | SPECIAL
LOSSES = arrays(np.float32, st.integers(1, 80), elements=FLOAT32)
files_of_each_example = settings(
    max_examples=settings.default.max_examples // 4, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@pytest.fixture(autouse=True)
def small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sorting, "PIECE", 8)
    monkeypatch.setattr(sorting, "STEP", 2)
    monkeypatch.setattr(writing, "WRITTEN", 7)


def ids(images: int) -> pd.Series:
    return pd.Series([f"image {row}" for row in range(images)], dtype="str")


def stored(folder: Path, losses: np.ndarray) -> StoredTable:
    """Losses as the pretext stage leaves them, in row groups of nine."""
    table = pd.DataFrame({"id": ids(len(losses)), "digest": "0", "pretext_loss": losses})
    table.to_parquet(folder / "pretext_loss.parquet", row_group_size=9)
    return StoredTable(folder / "pretext_loss.parquet")


def write(folder: Path, losses: np.ndarray, rows: np.ndarray | None = None, **rules: object) -> pd.DataFrame:
    rules = {"order": "hardest_first", "batches": 1, "kind": "consecutive", "drop": 0.0, "rng": None} | rules
    write_ranking(folder / "ranking.parquet", folder / "work", stored(folder, losses), rows, Rules(**rules), ALONE)
    assert not (folder / "work").exists()
    return pd.read_parquet(folder / "ranking.parquet")


def rows_in_memory(losses: np.ndarray, order: str) -> np.ndarray:
    return ORDERS[order](losses, None).astype(np.uint32)


@pytest.mark.parametrize("order", SIGNS)
@given(losses=LOSSES)
@files_of_each_example
def test_rows_sorted_in_a_file_are_those_sorted_in_memory(tmp_path, order, losses):
    np.save(tmp_path / "losses.npy", losses)
    rows = sort_file(tmp_path / "losses.npy", tmp_path / "rows.npy", ALONE, order)
    assert isinstance(rows, np.memmap)
    assert rows.tobytes() == rows_in_memory(losses, order).tobytes()
    assert {path.name for path in tmp_path.iterdir()} == {"losses.npy", "rows.npy"}


@pytest.mark.parametrize("levels", [1, 3, 1000])
def test_parts_stay_small_however_many_losses_are_equal(tmp_path, monkeypatch, levels):
    sizes = []
    merge = sorting._merge
    monkeypatch.setattr(sorting, "_merge", lambda *asked: sizes.append(len(merge(*asked))) or merge(*asked))
    losses = np.random.default_rng(0).integers(levels, size=200).astype(np.float32)
    np.save(tmp_path / "losses.npy", losses)
    rows = sort_file(tmp_path / "losses.npy", tmp_path / "rows.npy", ALONE, "hardest_first")
    np.testing.assert_array_equal(rows, rows_in_memory(losses, "hardest_first"))
    runs = -(-200 // sorting.PIECE)
    assert max(sizes) <= sorting.PIECE + runs * sorting.STEP


@given(
    losses=LOSSES,
    order=st.sampled_from(list(ORDERS)),
    kind=st.sampled_from(list(BATCHES)),
    drop=st.sampled_from([0.0, 0.1, 0.3]),
    share=st.sampled_from([1.0, 0.4]),
    seed=st.integers(0, 9),
)
@files_of_each_example
def test_a_ranking_in_files_is_the_one_in_memory(tmp_path, losses, order, kind, drop, share, seed):
    rows = None if share == 1 else np.arange(0, len(losses), 3)
    held = np.arange(len(losses)) if rows is None else rows
    number = 1 + (len(held) > 10) * 2
    rng = np.random.default_rng(seed)
    ranked = rank(ids(len(losses)).iloc[held], losses[held], order, rng)
    expected = split(ranked, number, kind, drop, rng)
    table = write(
        tmp_path, losses, rows, order=order, batches=number, kind=kind, drop=drop, rng=np.random.default_rng(seed)
    )
    pd.testing.assert_frame_equal(table, expected)
    assert table["pretext_loss"].to_numpy().tobytes() == expected["pretext_loss"].to_numpy().tobytes()


def test_more_batches_than_images_are_refused_as_in_memory(tmp_path):
    with pytest.raises(InputError, match=r"`cycles.number` 5 exceeds the pool, which holds 3 images"):
        write(tmp_path, np.zeros(3, np.float32), batches=5)


def test_a_loss_that_is_not_a_number_is_named_with_its_id_and_nothing_is_left(tmp_path):
    losses = np.arange(30, dtype=np.float32)
    losses[21] = np.nan
    with pytest.raises(InputError, match="the pretext loss of id 'image 21' is not a number"):
        write(tmp_path, losses)
    assert [path.name for path in tmp_path.iterdir()] == ["pretext_loss.parquet"]


def test_what_a_killed_process_left_of_its_work_is_removed(tmp_path):
    (tmp_path / "work").mkdir()
    (tmp_path / "work" / "0.npy").write_bytes(b"half")
    assert len(write(tmp_path, np.arange(30, dtype=np.float32))) == 30


def test_losses_of_another_kind_and_orders_that_need_more_than_losses_are_refused(tmp_path):
    for wrong in (np.zeros(3), np.zeros((3, 1), np.float32)):
        np.save(tmp_path / "losses.npy", wrong)
        with pytest.raises(InputError, match=r"losses\.npy holds .*: it must be one column of float32"):
            sort_file(tmp_path / "losses.npy", tmp_path / "rows.npy", ALONE, "hardest_first")
    np.save(tmp_path / "losses.npy", np.zeros(0, np.float32))
    with pytest.raises(InputError, match="holds 0 losses"):
        sort_file(tmp_path / "losses.npy", tmp_path / "rows.npy", ALONE, "hardest_first")
    with pytest.raises(InputError, match="order 'random' does not go by the loss alone"):
        sort_file(tmp_path / "losses.npy", tmp_path / "rows.npy", ALONE, "random")
