"""Ids are found on disk as they would be in memory, of which the index holds next to nothing."""

import pickle
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pt4al.errors import InputError
from pt4al.files.digests import Damaged
from pt4al.images import folder, index, index_writing, mapped
from pt4al.images import pixels as pixel_shards
from pt4al.images.folder import Maps
from pt4al.images.index import INDEX, LOOKUP, Files, Table, index_of, read
from pt4al.images.index_writing import write_index
from pt4al.images.pool import open_pool
from pt4al.pretext.shortcut import NoisyPool


def table(ids: list[str], source: str | None = "album") -> pa.Table:
    texts = {"id": ids, "source": [source] * len(ids), "split": ["train"] * len(ids)}
    return pa.table({name: pa.array(column, pa.string()) for name, column in texts.items()})


def opened(place: Path) -> Files | Table:
    return index_of(read(place / INDEX), read(place / LOOKUP))


def anonymous_bytes() -> int:
    """This process's memory that is no file's."""
    lines = Path("/proc/self/smaps_rollup").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("Anonymous:"))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=30)
@given(st.lists(st.text(st.characters(codec="utf-8"), max_size=20), unique=True, max_size=40), st.data())
def test_rows_are_those_that_a_table_in_memory_finds(tmp_path, monkeypatch, ids, data):
    monkeypatch.setattr(index_writing, "PART", 3)
    monkeypatch.setattr(index, "SOME", 7)
    cut = data.draw(st.integers(0, len(ids)))
    write_index(tmp_path, [table(ids[:cut]), table(ids[cut:])])
    found = opened(tmp_path)
    wanted = pd.Series(data.draw(st.permutations([*ids, "a stranger of 22 letters"])), dtype="str")
    np.testing.assert_array_equal(found.find(wanted), pd.Index(ids).get_indexer(wanted))
    assert list(found.frame["id"]) == ids
    assert list(found.frame.dtypes.astype(str)) == ["str"] * 3


def test_ids_of_one_hash_are_told_apart(tmp_path, monkeypatch):
    for module in (index, index_writing):
        monkeypatch.setattr(module, "hash_of", lambda ids: np.full(len(ids), 7, np.uint64))
    write_index(tmp_path, [table(["a", "b", "c", "d"])])
    assert list(opened(tmp_path).find(pd.Series(["d", "stranger", "a", "c", "c"]))) == [3, -1, 0, 2, 2]


def test_hashes_are_the_same_on_every_machine_and_in_every_version():
    hashes = index.hash_of(pa.array(["", "pictures/000000001.png", "Käfer"], pa.large_string()))
    assert list(hashes) == [1760245841805064774, 15153998478979546982, 5344905003280920628]


def test_ids_are_found_where_the_library_hashes_otherwise_than_when_the_index_was_written(tmp_path, monkeypatch):
    write_index(tmp_path, [table(["a", "b"])])
    monkeypatch.setattr(index, "hash_of", lambda ids: np.full(len(ids), 7, np.uint64))
    assert list(opened(tmp_path).find(pd.Series(["b", "c"]))) == [1, -1]


def test_rows_have_the_order_that_is_asked_for_and_know_their_place_among_the_shards(tmp_path, monkeypatch):
    monkeypatch.setattr(index, "SOME", 2)
    order = pd.Series(["c", "a", "d", "b"])
    write_index(tmp_path, [table(["a", "b"], "one"), table(["c", "d"], "two")], order)
    found = opened(tmp_path)
    assert list(found.frame["id"]) == list(order)
    assert list(found.frame["source"]) == ["two", "one", "two", "one"]
    assert list(found.places) == [2, 0, 3, 1]
    assert list(found.find(order)) == [0, 1, 2, 3]


def test_order_of_the_shards_needs_no_places(tmp_path):
    write_index(tmp_path, [table(["a", "b"])], pd.Series(["a", "b"]))
    assert opened(tmp_path).places is None


def test_missing_texts_stay_missing(tmp_path):
    write_index(tmp_path, [table(["a"], None), table(["b"]), table(["c"], None)])
    assert list(opened(tmp_path).frame["source"].isna()) == [True, False, True]


def test_the_same_pictures_give_the_same_bytes_and_leave_nothing_else(tmp_path, monkeypatch):
    monkeypatch.setattr(index_writing, "PART", 3)
    ids = [f"picture {row}" for row in range(20)]
    contents = []
    for cut in (4, 11):
        (tmp_path / ".index").mkdir(exist_ok=True)  # left by a process that was killed
        write_index(tmp_path, [table(ids[:cut]), table(ids[cut:])])
        contents.append({path.name: path.read_bytes() for path in tmp_path.iterdir()})
    assert contents[0] == contents[1]
    assert contents[0].keys() == {INDEX, LOOKUP}


def test_opening_and_looking_up_hold_less_than_24_bytes_an_image(tmp_path):
    if not Path("/proc/self/smaps_rollup").exists():
        pytest.skip("memory is read from /proc, which Linux alone has")
    images = 500_000
    write_index(tmp_path, [table([f"pictures/{row:09d}.png" for row in range(images)])])
    opened(tmp_path).find(pd.Series(["stranger"]))  # what libraries need once
    before = anonymous_bytes()
    found = opened(tmp_path)
    ids = found.frame["id"].iloc[::1000]
    assert list(found.find(ids)) == list(range(0, images, 1000))
    assert anonymous_bytes() - before < 24 * images


def test_pool_that_an_older_version_wrote_is_opened(make_pool, pixels, tmp_path):
    pool = make_pool(list(pixels))
    for name in (INDEX, LOOKUP):
        (tmp_path / "pool" / name).unlink()
    older = open_pool(tmp_path / "pool")
    pd.testing.assert_frame_equal(older.index, pool.index)
    assert list(older.rows(pool.ids[::-1])) == list(pool.rows(pool.ids[::-1])) == list(range(9, -1, -1))


@pytest.mark.parametrize("name", [INDEX, LOOKUP])
@pytest.mark.parametrize("left", [0, 100])
def test_index_that_is_cut_short_is_told_with_its_way_out(make_pool, pixels, tmp_path, name, left):
    make_pool(list(pixels))
    file = tmp_path / "pool" / name
    file.write_bytes(file.read_bytes()[:left])
    with pytest.raises(Damaged, match=rf"{name} is damaged .*: remove .*pool and type the command again"):
        open_pool(tmp_path / "pool")


def test_index_of_other_pictures_is_refused(make_pool, pixels, tmp_path):
    make_pool(list(pixels))
    write_index(tmp_path / "pool", [table(["a", "b"])])
    with pytest.raises(Damaged, match=r"index\.arrow is damaged \(it has 2 rows, pool\.json says 10\)"):
        open_pool(tmp_path / "pool")


def test_pool_is_sent_to_another_process_as_its_path_and_opened_there_once(make_pool, pixels):
    mapped.reopened.cache_clear()
    pool = make_pool(list(pixels))
    sent = pickle.dumps(pool)
    assert len(sent) < 400
    there = pickle.loads(sent)
    assert pickle.loads(sent) is there
    np.testing.assert_array_equal(there.read(np.arange(10)), pool.read(np.arange(10)))
    noisy = pickle.loads(pickle.dumps(NoisyPool(pool)))
    np.testing.assert_array_equal(noisy.gather(np.arange(10)), NoisyPool(pool).gather(np.arange(10)))


def test_pool_that_is_another_one_by_the_time_it_is_opened_there_is_refused(make_pool, pixels):
    sent = pickle.dumps(make_pool(list(pixels)))
    make_pool(list(pixels[:4]))
    with pytest.raises(InputError, match=r"other images lie there now \(sha256 \w+, was \w+\): type the command"):
        pickle.loads(sent)


def test_no_more_shards_are_open_than_the_system_allows(make_pool, pixels, monkeypatch):
    monkeypatch.setattr(folder, "OPEN", 2)
    monkeypatch.setattr(pixel_shards, "SHARD", pixels[0].nbytes)
    monkeypatch.setattr("pt4al.images.building.TOGETHER", 1)
    pool = make_pool(list(pixels))
    assert isinstance(pool.shards, Maps)
    assert len(pool.shards) == 10
    for rows in (np.arange(10), np.array([3, 9, 3, 0])):
        np.testing.assert_array_equal(pool.read(rows), pixels[rows].transpose(0, 3, 1, 2))
    pool.verify()
    assert len(pool.shards.opened) == 2
