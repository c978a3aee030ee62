"""What is ranked, split and chosen from files is what is from one array in memory, to the byte."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from pt4al.cluster.seam import Cluster
from pt4al.errors import InputError
from pt4al.selection.external import pieces
from pt4al.selection.external import ranking as external
from pt4al.selection.external.ranking import rank_files, split_file
from pt4al.selection.external.top import top_of_files
from pt4al.selection.ranking import BATCHES, rank, split
from pt4al.selection.strategies.top import best

SPECIAL = st.sampled_from([0.0, -0.0, np.inf, -np.inf, 1.0, 1e-45, -1e-45])  # the last two are subnormal
FLOAT32 = st.floats(width=32, allow_nan=False) | SPECIAL
LOSSES = arrays(np.float32, st.integers(1, 80), elements=FLOAT32)
files_of_each_example = settings(
    max_examples=settings.default.max_examples // 4, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@pytest.fixture(autouse=True)
def small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pieces, "PIECE", 8)
    monkeypatch.setattr(external, "STEP", 2)


def written(folder: Path, losses: np.ndarray, cuts: list[int] | None = None) -> list[Path]:
    """Losses as files that are cut at these rows, some of them perhaps empty."""
    files = []
    for number, shard in enumerate(np.split(losses, sorted(cuts or []))):
        files.append(folder / f"losses_{number}.npy")
        np.save(files[-1], shard)
    return files


def rows_in_memory(losses: np.ndarray, order: str) -> np.ndarray:
    return rank([str(row) for row in range(len(losses))], losses, order)["id"].to_numpy(np.uint32)


@pytest.mark.parametrize("order", ["hardest_first", "easiest_first"])
@given(losses=LOSSES, cuts=st.lists(st.integers(0, 80), max_size=2))
@files_of_each_example
def test_rows_ranked_from_files_are_those_ranked_in_memory(tmp_path, order, losses, cuts):
    found = rank_files(written(tmp_path, losses, cuts), tmp_path / "rows.npy", Cluster(), order)
    assert isinstance(found, np.memmap)
    assert found.tobytes() == rows_in_memory(losses, order).tobytes()


@pytest.mark.parametrize("levels", [1, 3, 1000])
def test_parts_stay_small_however_many_losses_are_equal(tmp_path, monkeypatch, levels):
    sizes = []
    merge = external._merge
    monkeypatch.setattr(external, "_merge", lambda *asked: sizes.append(len(merge(*asked))) or merge(*asked))
    losses = np.random.default_rng(0).integers(levels, size=200).astype(np.float32)
    found = rank_files(written(tmp_path, losses), tmp_path / "rows.npy", Cluster())
    np.testing.assert_array_equal(found, rows_in_memory(losses, "hardest_first"))
    runs = -(-200 // pieces.PIECE)
    assert max(sizes) <= pieces.PIECE + runs * external.STEP


@pytest.mark.parametrize("kind", BATCHES)
@given(images=st.integers(1, 100), number=st.integers(1, 9), drop=st.floats(0, 0.49), seed=st.integers(0, 9))
@files_of_each_example
def test_batches_of_places_are_those_of_a_ranking_in_memory(tmp_path, kind, images, number, drop, seed):
    if number > images - 2 * int(images * drop):
        with pytest.raises(InputError, match=f"`cycles.number` {number} exceeds the pool"):
            split_file(tmp_path / "batch.npy", images, number, kind, drop)
        return
    found = split_file(tmp_path / "batch.npy", images, number, kind, drop, np.random.default_rng(seed))
    ranking = rank([str(row) for row in range(images)], np.zeros(images, np.float32))
    expected = split(ranking, number, kind, drop, np.random.default_rng(seed))["batch"]
    assert found.tobytes() == expected.to_numpy(np.int32).tobytes()


@given(losses=LOSSES, cuts=st.lists(st.integers(0, 80), max_size=2), number=st.integers(1, 90))
@files_of_each_example
def test_the_top_of_files_is_the_top_of_one_array(tmp_path, losses, cuts, number):
    found = top_of_files(written(tmp_path, losses, cuts), number, Cluster())
    assert found.tobytes() == best(losses, number).tobytes()


def test_a_loss_that_is_not_a_number_is_named_with_its_row_and_nothing_is_left(tmp_path):
    losses = np.arange(30, dtype=np.float32)
    losses[21] = np.nan
    files = written(tmp_path, losses, [10])
    named = r"row 21 is not a number: it is number 11 of .*losses_1\.npy"
    with pytest.raises(InputError, match=named):
        rank_files(files, tmp_path / "out" / "rows.npy", Cluster())
    with pytest.raises(InputError, match=named):
        top_of_files(files, 3, Cluster())
    assert not list((tmp_path / "out").iterdir())


def test_what_a_killed_process_left_of_its_sorting_is_removed(tmp_path):
    (tmp_path / "out" / ".rows.npy.sorting").mkdir(parents=True)
    (tmp_path / "out" / ".rows.npy.sorting" / "0.npy").write_bytes(b"half")
    rank_files(written(tmp_path, np.arange(30, dtype=np.float32)), tmp_path / "out" / "rows.npy", Cluster())
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["rows.npy"]


def test_files_of_another_kind_are_told(tmp_path):
    for wrong in (np.zeros(3), np.zeros((3, 1), np.float32)):
        np.save(tmp_path / "losses.npy", wrong)
        with pytest.raises(InputError, match=r"losses\.npy holds .*: it must be one column of float32"):
            rank_files([tmp_path / "losses.npy"], tmp_path / "rows.npy", Cluster())


def test_no_losses_and_orders_that_need_more_than_losses_are_told(tmp_path):
    files = written(tmp_path, np.zeros(0, np.float32))
    with pytest.raises(InputError, match="hold 0 rows"):
        rank_files(files, tmp_path / "rows.npy", Cluster())
    with pytest.raises(InputError, match="order 'random' does not go by the loss alone"):
        rank_files(files, tmp_path / "rows.npy", Cluster(), "random")
