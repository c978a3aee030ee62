"""A pool in a bucket is read as one on the disk, and a machine has only those shards that it reads."""

import os
import pickle
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from pt4al.errors import InputError
from pt4al.files import digests
from pt4al.files.mirror import Mirror
from pt4al.files.shard_cache import make_room
from pt4al.files.storage import Storage
from pt4al.images import building
from pt4al.images import pixels as pixel_shards
from pt4al.images.building import build
from pt4al.images.collection import Collection
from pt4al.images.mapped import reopened
from pt4al.images.pool import ImagePool, open_pool
from support.pictures import recipe

FOLDER = "02_intermediate/pool/pool/2026-11-27T10.00.00.000Z/pool"
LATER = "02_intermediate/pool/pool/2026-11-27T11.00.00.000Z/pool"


@pytest.fixture
def machines(tmp_path: Path, pixels: np.ndarray, collect: Callable[..., Collection], monkeypatch) -> list[Storage]:
    """One that has built a pool of five shards and put it into a bucket, and one with an empty disk."""
    monkeypatch.setattr(building, "TOGETHER", 1)
    monkeypatch.setattr(pixel_shards, "SHARD", 2 * pixels[0].nbytes)
    (tmp_path / "share").mkdir()
    storages = [Storage(tmp_path / name, f"file://{tmp_path}/share") for name in ("a", "b")]
    folder = storages[0].root / FOLDER
    build(collect(list(pixels)), folder, recipe())
    digests.note(folder, folder)
    Mirror(storages[0], ["02_intermediate/pool"], "05").push()
    for storage in storages:
        storage.root.mkdir(exist_ok=True)
        storage.attach()
    return storages


def shards(storage: Storage) -> list[Path]:
    return sorted((storage.root / FOLDER).glob("*.npy"))


def rows_of(pool: ImagePool, names: list[str]) -> np.ndarray:
    return pool.gather(pool.rows(pd.Series(names))).numpy()


def test_a_machine_with_an_empty_disk_reads_what_another_has_built(machines, pixels):
    here, there = machines
    pool = open_pool(there.root / FOLDER)
    assert list(pool.ids) == list(open_pool(here.root / FOLDER).ids)
    assert shards(there) == []
    np.testing.assert_array_equal(rows_of(pool, ["picture 5"])[0], pixels[5].transpose(2, 0, 1))
    assert len(shards(there)) == 1
    pool.verify()
    assert len(shards(there)) == 1  # what is not here was checked when it was written, and is when it is brought
    np.testing.assert_array_equal(pool.read(np.arange(10)), pixels.transpose(0, 3, 1, 2))
    assert len(shards(there)) == len(shards(here)) == 5


def test_a_pool_that_is_sent_to_another_machine_is_read_from_the_bucket_there(machines, pixels):
    here, _ = machines
    sent = pickle.dumps(open_pool(here.root / FOLDER))
    here.root.rename(here.root.with_name("another machine"))
    reopened.cache_clear()
    pool = pickle.loads(sent)
    assert shards(here) == []
    np.testing.assert_array_equal(rows_of(pool, ["picture 9"])[0], pixels[9].transpose(2, 0, 1))
    assert len(shards(here)) == 1


def test_a_shard_that_was_damaged_in_the_bucket_is_not_taken(machines):
    here, there = machines
    shard = shards(here)[0]
    content = bytearray(shard.read_bytes())
    content[-1] ^= 1
    here.write(here.name(shard), bytes(content))
    with pytest.raises(InputError, match=rf"{shard.name} is damaged .*its copy in file://"):
        open_pool(there.root / FOLDER).read(np.arange(10))
    assert shard.name not in [path.name for path in shards(there)]


def test_a_shard_that_nobody_has_is_named(machines):
    here, there = machines
    shard = shards(here)[0]
    here.remove(here.name(shard))
    with pytest.raises(InputError, match=shard.name):
        open_pool(there.root / FOLDER).read(np.arange(10))


def test_the_cache_stays_below_its_bound_and_the_rows_are_the_same(machines, pixels):
    _, there = machines
    size = shards(machines[0])[0].stat().st_size
    small = Storage(there.root, there.address, cache=2.5 * size / 1e9)
    small.attach()
    pool = open_pool(there.root / FOLDER)
    for first in (0, 2, 4, 6, 8, 0, 4):
        rows = np.arange(first, first + 2)
        np.testing.assert_array_equal(pool.read(rows), pixels[rows].transpose(0, 3, 1, 2))
        assert len(shards(there)) <= 2


def test_the_shards_that_were_read_longest_ago_go_first(machines):
    here, _ = machines
    size = shards(here)[0].stat().st_size
    for number, path in enumerate(shards(here)):
        os.utime(path, ns=((number + 2) % 5 * 10**9, path.stat().st_mtime_ns))
    oldest = shards(here)[3]
    removed = make_room(Storage(here.root, here.address, cache=4.5 * size / 1e9))
    assert removed == [oldest]


def test_a_shard_that_is_in_no_bucket_stays_whatever_the_bound(machines):
    here, _ = machines
    lonely = shards(here)[1]
    here.remove(here.name(lonely))
    make_room(Storage(here.root, here.address, cache=1e-9))
    assert shards(here) == [lonely]


def test_a_pool_that_grows_links_shards_that_are_not_here_yet(machines, pixels, collect):
    _, there = machines
    open_pool(there.root / FOLDER)
    Mirror(there, ["02_intermediate/pool"], "05").pull()
    more = np.concatenate([pixels, pixels[:2] ^ 1])
    build(collect(list(more)), there.root / LATER, recipe(), previous=there.root / FOLDER)
    np.testing.assert_array_equal(open_pool(there.root / LATER).read(np.arange(12)), more.transpose(0, 3, 1, 2))
