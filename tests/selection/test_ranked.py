"""What a ranking says by the rows of a pool is what it says by ids."""

import numpy as np
import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from pt4al.selection.ranked import UNRANKED, RankedRows
from pt4al.selection.ranking import rank, split

CYCLES = 4


@st.composite
def situations(draw: st.DrawFn) -> tuple:
    """Ids of a pool, the ranking of some of them, and that ranking cut into parts."""
    images = draw(st.integers(CYCLES, 40))
    ids = pd.Series([f"image {row}" for row in range(images)], dtype="str")
    share = draw(st.integers(CYCLES, images))
    losses = np.random.default_rng(draw(st.integers(0, 99))).random(share).astype(np.float32)
    held = ids.iloc[np.sort(draw(st.permutations(range(images)))[:share])]
    ranking = split(rank(held, losses), CYCLES, drop=draw(st.sampled_from([0, 0.1])) * (share > 2 * CYCLES))
    cuts = sorted(draw(st.lists(st.integers(0, share), max_size=3)))
    parts = [ranking.iloc[first:last] for first, last in zip([0, *cuts], [*cuts, share], strict=True)]
    return ids, ranking, parts


def gathered(ids: pd.Series, parts: list[pd.DataFrame]) -> RankedRows:
    return RankedRows.gather(parts, pd.Index(ids).get_indexer, len(ids))


@given(
    situation=situations(), scope=st.sampled_from(["batch", "pool"]), cycle=st.integers(0, CYCLES - 1), data=st.data()
)
def test_candidates_are_the_unlabelled_of_the_scope_in_the_order_of_the_pool(situation, scope, cycle, data):
    ids, ranking, parts = situation
    labelled = np.array(data.draw(st.lists(st.integers(-1, len(ids) - 1))), np.int64)
    ranked = gathered(ids, parts)
    candidates = ranked.unlabelled(labelled, scope, cycle)
    # In a plain way, by ids.
    named = set(ids.iloc[labelled[labelled >= 0]])
    expected = ranking[~ranking["id"].isin(named) & ((scope == "pool") | (ranking["batch"] == cycle))]
    expected = expected.assign(id=pd.Index(ids).get_indexer(expected["id"])).sort_values("id")
    for name in ("id", "pretext_loss", "rank", "batch"):
        assert list(candidates[name]) == list(expected[name])
    # Nothing was changed by looking.
    pd.testing.assert_frame_equal(ranked.unlabelled(labelled, scope, cycle), candidates)


@given(situation=situations())
def test_images_without_a_rank_have_no_batch(situation):
    ids, ranking, parts = situation
    batches = gathered(ids, parts).batches(np.array([-1, *range(len(ids))]))
    expected = ids.map(ranking.set_index("id")["batch"]).fillna(UNRANKED)
    assert list(batches) == [UNRANKED, *expected]


def test_an_image_takes_twelve_bytes_of_what_a_query_needs():
    ids = pd.Series([f"image {row}" for row in range(1000)], dtype="str")
    ranking = split(rank(ids, np.zeros(1000, np.float32)), CYCLES)
    ranked = gathered(ids, [ranking[["id", "pretext_loss", "batch"]]])
    assert sum(values.nbytes for values in ranked.columns.values()) == 8 * 1000
    assert ranked.unlabelled(np.empty(0, np.int64), "pool", 1).memory_usage(index=False).sum() == 12 * 1000
