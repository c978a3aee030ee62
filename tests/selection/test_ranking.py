"""The ranking is by number, hardest first, and its batches partition the pool."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from pt4al.errors import InputError
from pt4al.files.stored_table import StoredTable
from pt4al.pipelines.ranking import nodes
from pt4al.project.configuration.parameters import Cycles, Engine, Ranking, Run
from pt4al.project.datasets.tables import StoredTableDataset
from pt4al.selection.candidates import check_budget
from pt4al.selection.external import writing
from pt4al.selection.ranking import BATCHES, ORDERS, _stable_argsort, draw, rank, split

RELEASED = Path(__file__).parents[2].parent / "shared" / "data" / "pt4al_released" / "cifar10_rotation_loss.parquet"
SPECIAL = st.sampled_from([0.0, -0.0, np.inf, -np.inf, 1.0, 1e-45, -1e-45])  # the last two are subnormal
FLOAT32 = st.floats(width=32, allow_nan=False) | SPECIAL
LOSSES = arrays(np.float32, st.integers(1, 60), elements=FLOAT32)


def ids(losses) -> list[str]:
    return [f"image {row}" for row in range(len(losses))]


def test_ranking_is_numeric_not_lexicographic():
    assert list(rank(["a", "b", "c"], [4.4, 9.8e-05, 0.97])["id"]) == ["a", "c", "b"]


@pytest.fixture(scope="module")
def published() -> pd.DataFrame:
    """The losses and the batches that PT4AL's authors published."""
    if not RELEASED.exists():
        pytest.skip(f"{RELEASED}, the losses published by PT4AL's authors, is not on this machine")
    return pd.read_parquet(RELEASED)


def batches(published: pd.DataFrame, order: str) -> np.ndarray:
    """Batch of each published image, in the published order of images, under an order of ours."""
    ranking = split(rank(published["path"], published["loss_text"].astype(float), order), 10)
    return ranking.set_index("id")["batch"].loc[published["path"]].to_numpy()


def test_released_order_reproduces_every_published_batch(published):
    agree = batches(published, "released") == published["batch"]
    assert (agree.sum(), len(agree)) == (50_000, 50_000)


def test_numeric_order_agrees_with_the_published_batches_for_18_percent_only(published):
    agree = batches(published, "hardest_first") == published["batch"]
    assert agree.mean() == pytest.approx(0.18, abs=0.005)


def test_published_hardest_batch_holds_4079_of_the_easiest_images(published):
    first = batches(published, "hardest_first")[published["batch"] == 0]
    assert ((first == 9).sum(), (first == 0).sum()) == (4_079, 921)


def test_released_order_is_that_of_text():
    ranking = rank(["a", "b", "c", "d"], [0.97, 4.4, 9.8e-05, 10.0], "released")
    assert list(ranking["id"]) == ["c", "b", "d", "a"]  # 9.8e-05, 4.4, 10.0, 0.97


def test_hardest_first_turned_round_is_easiest_first():
    losses = [0.5, 3.0, 0.1, 2.0]
    hardest, easiest = rank(ids(losses), losses), rank(ids(losses), losses, "easiest_first")
    assert list(hardest["pretext_loss"]) == [3.0, 2.0, 0.5, 0.1]
    assert list(easiest["id"]) == list(hardest["id"])[::-1]


@pytest.mark.parametrize("order", ["hardest_first", "easiest_first", "released"])
def test_equal_losses_keep_pool_order(order):
    losses = np.random.default_rng(0).integers(0, 5, 1000).astype(float)
    ranking = rank([f"{row:04d}" for row in range(1000)], losses, order)
    for _, equal in ranking.groupby("pretext_loss"):
        assert list(equal["id"]) == sorted(equal["id"])


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@given(losses=LOSSES)
def test_ranking_is_a_permutation_that_keeps_each_images_loss(order, dtype, losses):
    losses = losses.astype(dtype)
    ranking = rank(ids(losses), losses, order, np.random.default_rng(0))
    assert sorted(ranking["id"]) == sorted(ids(losses))
    assert list(ranking["rank"]) == list(range(len(losses)))
    rows = [int(name.split()[1]) for name in ranking["id"]]
    np.testing.assert_array_equal(ranking["pretext_loss"], losses[rows])


@given(losses=LOSSES)
def test_losses_fall_along_the_ranking(losses):
    assert rank(ids(losses), losses)["pretext_loss"].is_monotonic_decreasing
    assert rank(ids(losses), losses, "easiest_first")["pretext_loss"].is_monotonic_increasing


@given(losses=LOSSES)
def test_argsort_is_numpys_stable_one(losses):
    expected = np.argsort(losses, kind="stable")
    np.testing.assert_array_equal(_stable_argsort(losses), expected)
    np.testing.assert_array_equal(_stable_argsort(losses.astype(np.float64)), expected)


def test_argsort_is_numpys_stable_one_for_many_duplicates():
    losses = np.random.default_rng(0).integers(-50, 50, 100_000).astype(np.float32)
    np.testing.assert_array_equal(_stable_argsort(losses), np.argsort(losses, kind="stable"))


def test_random_order_is_the_generators():
    losses = np.arange(50.0)
    draw = lambda seed: list(rank(ids(losses), losses, "random", np.random.default_rng(seed))["id"])  # noqa: E731
    assert draw(1) == draw(1)
    assert draw(1) != draw(2)


def test_loss_that_is_not_a_number_is_named_with_its_id():
    with pytest.raises(InputError, match="the pretext loss of id 'b' is not a number"):
        rank(["a", "b"], [1.0, np.nan])


@given(images=st.integers(1, 300), number=st.integers(1, 300))
def test_batches_partition_the_ranking_into_runs_whose_sizes_differ_by_at_most_one(images, number):
    ranking = rank(ids(range(images)), np.arange(images, dtype=float))
    if number > images:
        with pytest.raises(InputError, match=f"`cycles.number` {number} exceeds the pool, which holds {images} image"):
            split(ranking, number)
        return
    found = split(ranking, number)
    assert found["batch"].is_monotonic_increasing
    sizes = found["batch"].value_counts()
    assert sorted(sizes.index) == list(range(number))
    assert sizes.max() - sizes.min() <= 1
    pd.testing.assert_frame_equal(found.drop(columns="batch"), ranking)


@pytest.mark.parametrize("kind", BATCHES)
@given(images=st.integers(1, 300), number=st.integers(1, 30), drop=st.floats(0, 0.49), seed=st.integers(0, 9))
def test_batches_of_any_kind_partition_what_is_not_dropped_at_the_ends(kind, images, number, drop, seed):
    ranking = rank(ids(range(images)), np.arange(images, dtype=float))
    end = int(images * drop)
    if number > images - 2 * end:
        with pytest.raises(InputError, match=f"`cycles.number` {number} exceeds the pool, which holds {images} image"):
            split(ranking, number, kind, drop, np.random.default_rng(seed))
        return
    found = split(ranking, number, kind, drop, np.random.default_rng(seed))
    outside = found["batch"] == -1
    assert list(found["rank"][outside]) == [*range(end), *range(images - end, images)]
    sizes = found["batch"][~outside].value_counts()
    assert sorted(sizes.index) == list(range(number))
    assert sizes.max() - sizes.min() <= 1
    # What every cycle may ask for is what the settings are checked by, before anything is trained.
    check_budget(images, [int(sizes.min())] * number, "batch", drop)
    with pytest.raises(InputError):
        check_budget(images, [int(sizes.min()) + 1] * number, "batch", drop)


@given(images=st.integers(1, 300), number=st.integers(1, 30), seed=st.integers(0, 99))
def test_shuffled_batches_are_the_consecutive_ones_under_other_numbers(images, number, seed):
    number = min(number, images)
    ranking = rank(ids(range(images)), np.arange(images, dtype=float))
    consecutive = split(ranking, number)["batch"]
    shuffled = split(ranking, number, "shuffled", rng=np.random.default_rng(seed))["batch"]
    both = pd.DataFrame({"one": consecutive, "other": shuffled}).drop_duplicates()
    assert both["one"].is_unique
    assert both["other"].is_unique


def test_shuffled_batches_are_the_generators():
    ranking = rank(ids(range(40)), np.arange(40.0))
    draw = lambda seed: list(split(ranking, 20, "shuffled", rng=np.random.default_rng(seed))["batch"])  # noqa: E731
    assert draw(1) == draw(1)
    assert draw(1) != draw(2)


def test_interleaved_batches_take_turns():
    ranking = rank(ids(range(10)), np.arange(10.0))
    assert list(split(ranking, 3, "interleaved", 0.1)["batch"]) == [-1, 0, 1, 2, 0, 1, 2, 0, 1, -1]


def test_images_that_no_batch_holds_are_counted_where_there_are_too_few():
    with pytest.raises(InputError, match=r"5 exceeds the pool, which holds 10 images less 6 by `ranking.drop` 0.3"):
        split(rank(ids(range(10)), np.arange(10.0)), 5, drop=0.3)


@given(images=st.integers(1, 200), share=st.floats(0.01, 1), seed=st.integers(0, 1000))
def test_a_share_is_so_many_different_rows_in_pool_order(images, share, seed):
    rows = draw(images, share, np.random.default_rng(seed))
    assert len(rows) == (images if share == 1 else max(1, round(share * images)))
    assert (np.diff(rows) > 0).all()
    assert 0 <= rows[0] <= rows[-1] < images


@pytest.fixture
def ranked(tmp_path: Path) -> Callable[..., pd.DataFrame]:
    """What the stage leaves of losses."""

    def make(seed: int, losses: np.ndarray, **settings: object) -> pd.DataFrame:
        pd.DataFrame({"id": ids(losses), "pretext_loss": losses}).to_parquet(tmp_path / "losses.parquet")
        ranking = Ranking(**{"order": "hardest_first", "batches": "consecutive", "drop": 0, "share": 0.8} | settings)
        run = Run(name="r", seed=seed, repeat=0, fresh=False, change=False)
        engine = Engine(device="cpu", precision="fp32", threads=1)
        table = StoredTable(tmp_path / "losses.parquet")
        result = nodes.rank_pool(table, ranking, Cycles(number=4, budget=5), engine, run)
        dataset = StoredTableDataset(
            filepath=str(tmp_path / "ranking.parquet"), dataset={"type": "pandas.ParquetDataset"}
        )
        dataset.save(result)
        stored = dataset.load().read(["id", "pretext_loss", "rank", "batch"])
        assert stored["id"].is_unique
        return stored

    return make


@pytest.mark.parametrize("share", [1, 0.8])
def test_large_pools_are_ranked_in_files_and_small_ones_in_memory_the_same(ranked, share, monkeypatch, tmp_path):
    losses = np.random.default_rng(0).random(100).astype(np.float32).round(1)
    settings = {"share": share, "batches": "shuffled", "drop": 0.1}
    monkeypatch.setattr(writing, "write_ranking", lambda *_, **__: pytest.fail("ranked in files"))
    in_memory = ranked(0, losses, **settings)
    monkeypatch.undo()
    monkeypatch.setattr(writing, "IN_MEMORY", 50)
    monkeypatch.setattr(nodes, "rank", lambda *_: pytest.fail("ranked in memory"))
    pd.testing.assert_frame_equal(ranked(0, losses, **settings), in_memory)
    assert {path.name for path in tmp_path.iterdir()} == {"losses.parquet", "ranking.parquet"}


def test_the_seed_alone_says_which_share_of_the_pool_is_ranked(ranked):
    share_of = lambda *arguments, **settings: set(ranked(*arguments, **settings)["id"])  # noqa: E731
    losses = np.random.default_rng(0).random(100)
    first, second = share_of(0, losses), share_of(1, losses)
    assert len(first) == len(second) == 80
    assert first != second
    for settings in ({"order": "easiest_first"}, {"order": "random"}, {"batches": "shuffled"}, {"drop": 0.1}):
        assert share_of(0, losses, **settings) == first
    assert share_of(0, losses[::-1] ** 2) == first  # another pretext task's losses
    assert share_of(0, losses, share=1) == set(ids(losses))
