"""A pool gives the asked images, keeps memory flat, and notices when its bytes are no longer those that were built."""

import io
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pt4al.errors import InputError
from pt4al.images import mapped
from pt4al.images import pixels as pixel_shards
from pt4al.images.pool import ImagePool, open_pool


def resident_kilobytes(file: Path) -> int:
    """How much of a mapped file counts as this process's memory."""
    maps, total = Path("/proc/self/smaps").read_text().splitlines(), 0
    for row, line in enumerate(maps):
        if line.endswith(str(file)):
            total += next(int(entry.split()[1]) for entry in maps[row:] if entry.startswith("Rss:"))
    return total


def test_gathered_images_are_the_asked_ones_in_the_asked_order(make_pool, pixels):
    pool = make_pool(list(pixels))
    rows = pool.rows(pd.Series(["picture 7", "picture 0", "picture 7"]))
    assert list(rows) == [7, 0, 7]
    np.testing.assert_array_equal(pool.gather(rows), pixels[[7, 0, 7]].transpose(0, 3, 1, 2))


def test_unknown_id_is_named(make_pool, pixels):
    with pytest.raises(InputError, match="'stranger' is not in the pool of 10 images"):
        make_pool(list(pixels)).rows(pd.Series(["picture 1", "stranger"]))


def test_pages_are_given_back_and_the_images_stay_the_same(make_pool, tmp_path, monkeypatch):
    if not Path("/proc/self/smaps").exists():
        pytest.skip("resident memory of a map is read from /proc, which Linux alone has")
    pictures = np.random.default_rng(0).integers(0, 256, (64, 64, 64), np.uint8)
    pool, file = make_pool(list(pictures), channels=1), next((tmp_path / "pool").glob("*.npy"))
    pool.gather(np.arange(64))
    assert resident_kilobytes(file) >= 256
    monkeypatch.setattr(mapped, "RESIDENT", 64 * 64 * 20)
    for first in range(0, 64, 8):
        rows = np.arange(first, first + 8)
        np.testing.assert_array_equal(pool.gather(rows)[:, 0], pictures[rows])
        assert resident_kilobytes(file) <= 256 if first < 16 else resident_kilobytes(file) < 200


def test_pool_that_was_not_touched_verifies(make_pool, pixels):
    make_pool(list(pixels)).verify()


def test_verify_notices_one_changed_byte(make_pool, pixels, tmp_path):
    make_pool(list(pixels))
    with (next((tmp_path / "pool").glob("*.npy"))).open("r+b") as file:
        file.seek(-1, io.SEEK_END)
        last = file.read(1)[0]
        file.seek(-1, io.SEEK_END)
        file.write(bytes([last ^ 1]))
    with pytest.raises(InputError, match=r"npy: the pool's bytes have changed"):
        open_pool(tmp_path / "pool").verify()


def test_images_cannot_be_written_to(make_pool, pixels):
    with pytest.raises(ValueError, match="read-only"):
        make_pool(list(pixels)).shards[0][0] = 0


def test_images_of_another_shape_than_was_built_are_refused(make_pool, pixels, tmp_path):
    make_pool(list(pixels))
    np.save(next((tmp_path / "pool").glob("*.npy")), np.zeros((2, 3, 8, 12), np.uint8))
    with pytest.raises(InputError, match=r"holds \(2, 3, 8, 12\), pool\.json says \(10, 3, 8, 12\)"):
        open_pool(tmp_path / "pool")


@given(st.lists(st.integers(1, 5), min_size=1, max_size=4), st.data())
def test_rows_of_many_shards_are_those_of_one_array(sizes, data):
    images = np.random.default_rng(0).integers(0, 256, (sum(sizes), 1, 2, 3), np.uint8)
    index = pd.DataFrame({"id": [str(row) for row in range(len(images))]})
    cut = ImagePool(np.split(images, np.cumsum(sizes)[:-1]), index, [0.0], [1.0], "made up")
    rows = np.array(data.draw(st.lists(st.integers(0, len(images) - 1), max_size=12)), np.int64)
    assert len(cut) == len(images)
    np.testing.assert_array_equal(cut.gather(rows), images[rows])


def test_pool_of_many_shards_verifies_each(make_pool, pixels, monkeypatch):
    monkeypatch.setattr(pixel_shards, "SHARD", 3 * pixels[0].nbytes)
    monkeypatch.setattr("pt4al.images.building.TOGETHER", 1)
    pool = make_pool(list(pixels))
    assert [len(shard) for shard in pool.shards] == [3, 3, 3, 1]
    pool.verify()
    with Path(pool.shards[2].filename).open("r+b") as file:
        file.seek(-1, io.SEEK_END)
        file.write(b"x")
    with pytest.raises(InputError, match=Path(pool.shards[2].filename).name):
        pool.verify()
