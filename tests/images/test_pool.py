"""A pool holds exactly the pixels of its pictures, in their order, and notices when it no longer does."""

import io
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from pt4al.errors import InputError
from pt4al.images import pool as pools
from pt4al.images.pool import build, open_pool


def jpeg(pixels: np.ndarray) -> bytes:
    encoded = io.BytesIO()
    Image.fromarray(pixels).save(encoded, "JPEG")
    return encoded.getvalue()


def resident_kilobytes(file: Path) -> int:
    """How much of a mapped file counts as this process's memory."""
    maps, total = Path("/proc/self/smaps").read_text().splitlines(), 0
    for row, line in enumerate(maps):
        if line.endswith(str(file)):
            total += next(int(entry.split()[1]) for entry in maps[row:] if entry.startswith("Rss:"))
    return total


def test_pixels_are_those_that_pillow_reads(make_pool, pixels):
    pictures = [jpeg(picture) for picture in pixels]
    pool = make_pool(pictures)
    expected = [np.asarray(Image.open(io.BytesIO(picture))).transpose(2, 0, 1) for picture in pictures]
    np.testing.assert_array_equal(pool.images, expected)
    assert (len(pool), pool.shape) == (10, (3, 8, 12))


def test_order_is_the_collections_however_many_are_decoded_at_once(make_pool, pixels, monkeypatch):
    monkeypatch.setattr(pools, "CHUNK", 3)
    pool = make_pool(list(pixels))
    np.testing.assert_array_equal(pool.images, pixels.transpose(0, 3, 1, 2))
    assert list(pool.ids) == [f"picture {row}" for row in range(10)]


def test_mean_and_std_are_numpys(make_pool, pixels, monkeypatch):
    monkeypatch.setattr(pools, "CHUNK", 4)
    pool = make_pool(list(pixels))
    assert pool.mean == pytest.approx(pixels.mean((0, 1, 2)))
    assert pool.std == pytest.approx(pixels.std((0, 1, 2)))


def test_images_without_contrast_can_still_be_divided_by_their_std(make_pool):
    assert make_pool([np.full((4, 4), 9, np.uint8)] * 2, channels=1).std == [1.0]


def test_noise_is_seeded_and_the_same_however_many_are_decoded_at_once(make_pool, pixels, monkeypatch):
    first = make_pool(list(pixels), noise=6, folder="first")
    other = make_pool(list(pixels), noise=6, seed=1, folder="other")
    monkeypatch.setattr(pools, "CHUNK", 3)
    again = make_pool(list(pixels), noise=6, folder="again")
    assert first.sha256 == again.sha256 != other.sha256


def test_noise_has_its_deviation_and_is_clipped_not_wrapped_round(make_pool):
    levels = [np.full((64, 64), level, np.uint8) for level in (0, 128, 255)]
    black, grey, white = make_pool(levels, channels=1, noise=6).images.astype(float)
    assert grey.std() == pytest.approx(6, rel=0.05)
    assert grey.mean() == pytest.approx(128, abs=0.3)  # rounded, not cut off
    assert black.max() < 60
    assert white.min() > 195
    assert (white == 255).mean() == pytest.approx(0.5, abs=0.05)


def test_labels_are_not_written(make_pool, pixels, tmp_path):
    pool = make_pool(list(pixels))
    assert sorted(path.name for path in (tmp_path / "pool").iterdir()) == ["images.npy", "index.parquet", "pool.json"]
    assert list(pool.index.columns) == ["id", "source", "split"]
    assert json.loads((tmp_path / "pool" / "pool.json").read_text()).keys() == {"shape", "sha256", "mean", "std"}


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
    pool, file = make_pool(list(pictures), channels=1), tmp_path / "pool" / "images.npy"
    pool.gather(np.arange(64))
    assert resident_kilobytes(file) >= 256
    monkeypatch.setattr(pools, "RESIDENT", 64 * 64 * 20)
    for first in range(0, 64, 8):
        rows = np.arange(first, first + 8)
        np.testing.assert_array_equal(pool.gather(rows)[:, 0], pictures[rows])
        assert resident_kilobytes(file) <= 256 if first < 16 else resident_kilobytes(file) < 200


def test_pool_that_was_not_touched_verifies(make_pool, pixels):
    make_pool(list(pixels)).verify()


def test_verify_notices_one_changed_byte(make_pool, pixels, tmp_path):
    make_pool(list(pixels))
    with (tmp_path / "pool" / "images.npy").open("r+b") as file:
        file.seek(-1, io.SEEK_END)
        last = file.read(1)[0]
        file.seek(-1, io.SEEK_END)
        file.write(bytes([last ^ 1]))
    with pytest.raises(InputError, match=r"images\.npy: the pool's bytes have changed"):
        open_pool(tmp_path / "pool").verify()


def test_images_cannot_be_written_to(make_pool, pixels):
    with pytest.raises(ValueError, match="read-only"):
        make_pool(list(pixels)).images[0] = 0


def test_images_of_another_shape_than_was_built_are_refused(make_pool, pixels, tmp_path):
    make_pool(list(pixels))
    np.save(tmp_path / "pool" / "images.npy", np.zeros((2, 3, 8, 12), np.uint8))
    with pytest.raises(InputError, match=r"holds \(2, 3, 8, 12\), pool\.json says \[10, 3, 8, 12\]"):
        open_pool(tmp_path / "pool")


@pytest.mark.parametrize("row", [2, 3, 4])  # chunks of three: the last of one, the first and the middle of the next
def test_picture_of_another_size_is_named_with_both_sizes(make_pool, pixels, monkeypatch, row):
    monkeypatch.setattr(pools, "CHUNK", 3)
    pictures = list(pixels)
    pictures[row] = np.zeros((1, 1, 3), np.uint8)
    with pytest.raises(InputError, match=f"album: picture 'picture {row}' is 1x1, those before it are 12x8"):
        make_pool(pictures)


@pytest.mark.parametrize("broken", [b"", b"not a picture", None])
def test_broken_picture_is_named(make_pool, pixels, broken):
    with pytest.raises(InputError, match=r"album: picture 'picture 1' \(row 1\) cannot be decoded"):
        make_pool([pixels[0], broken])


def test_half_a_picture_is_named(make_pool, pixels):
    with pytest.raises(InputError, match="'picture 1'"):
        make_pool([pixels[0], jpeg(pixels[1])[:-200]])


def test_empty_source_is_refused(collect, tmp_path):
    with pytest.raises(InputError, match="the source holds no pictures"):
        build(collect([]), tmp_path / "pool", 3, 0, np.random.default_rng(0))
