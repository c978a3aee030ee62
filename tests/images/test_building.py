"""A pool is made of whatever pictures there are, goes on where it stopped, and grows at the cost of what is new."""

import io
import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image
from pydantic import ValidationError

from pt4al.errors import InputError
from pt4al.images import building, parallel
from pt4al.images import pixels as pixel_shards
from pt4al.images.building import build, signature
from pt4al.images.pool import open_pool
from support.pictures import encoded, recipe

NAMES = [f"picture {row}" for row in range(10)]


@pytest.fixture
def small_shards(monkeypatch, pixels):
    """Three pictures a shard."""
    monkeypatch.setattr(pixel_shards, "SHARD", 3 * pixels[0].nbytes)
    monkeypatch.setattr(building, "TOGETHER", 1)
    monkeypatch.setattr(parallel, "AHEAD", 1)


def written(folder: Path) -> dict[str, int]:
    return {path.name: path.stat().st_ino for path in folder.glob("*.npy")}


def test_pixels_are_those_that_pillow_reads(make_pool, pixels):
    pictures = [encoded(picture, "JPEG") for picture in pixels]
    pool = make_pool(pictures)
    expected = [np.asarray(Image.open(io.BytesIO(picture))).transpose(2, 0, 1) for picture in pictures]
    np.testing.assert_array_equal(pool.gather(np.arange(10)), expected)
    assert (len(pool), pool.shape) == (10, (3, 8, 12))


@pytest.mark.parametrize("together", [1, 3, 32])
def test_order_is_the_collections_however_many_are_decoded_at_once(make_pool, pixels, monkeypatch, together):
    monkeypatch.setattr(building, "TOGETHER", together)
    pool = make_pool(list(pixels))
    np.testing.assert_array_equal(pool.gather(np.arange(10)), pixels.transpose(0, 3, 1, 2))
    assert list(pool.ids) == NAMES


def test_mean_and_std_are_numpys(make_pool, pixels, small_shards):
    pool = make_pool(list(pixels))
    assert pool.mean == pytest.approx(pixels.mean((0, 1, 2)))
    assert pool.std == pytest.approx(pixels.std((0, 1, 2)))


def test_images_without_contrast_can_still_be_divided_by_their_std(make_pool):
    assert make_pool([np.full((4, 4), 9, np.uint8)] * 2).std == [1.0]


def test_noise_is_each_images_own(make_pool, pixels, monkeypatch):
    whole = make_pool(list(pixels), noise=6, folder="whole")
    monkeypatch.setattr(building, "TOGETHER", 3)
    some = make_pool(list(pixels[4:]), NAMES[4:], noise=6, folder="some")
    np.testing.assert_array_equal(some.gather(np.arange(6)), whole.gather(np.arange(4, 10)))


def test_noise_has_its_deviation_and_is_clipped_not_wrapped_round(make_pool):
    levels = [np.full((64, 64), level, np.uint8) for level in (0, 128, 255)]
    black, grey, white = make_pool(levels, noise=6).gather(np.arange(3)).numpy().astype(float)
    assert grey.std() == pytest.approx(6, rel=0.05)
    assert grey.mean() == pytest.approx(128, abs=0.3)  # rounded, not cut off
    assert black.max() < 60
    assert white.min() > 195
    assert (white == 255).mean() == pytest.approx(0.5, abs=0.05)


def test_labels_are_not_written(make_pool, pixels, tmp_path):
    pool = make_pool(list(pixels))
    assert list(pool.index.columns) == ["id", "source", "split"]
    assert not any(b"label" in path.read_bytes() for path in (tmp_path / "pool").iterdir())


def test_pictures_of_one_size_keep_it_and_others_get_the_usual_one(make_pool, pixels):
    other = np.zeros((30, 20, 3), np.uint8)
    assert make_pool(list(pixels), folder="same").shape == (3, 8, 12)
    assert make_pool([*pixels, other], folder="mixed").shape == (3, 64, 64)
    assert make_pool([*pixels, other], folder="stated", size=(5, 7)).shape == (3, 5, 7)


def test_grey_pictures_have_one_channel_unless_one_has_colour(make_pool, pixels):
    grey = [picture[:, :, 0] for picture in pixels]
    assert make_pool(grey, folder="grey").shape[0] == 1
    assert make_pool([*grey, pixels[0]], folder="both").shape[0] == 3


def test_bad_pictures_are_left_out_and_told_with_their_reason(make_pool, pixels):
    pictures = [pixels[0], encoded(pixels[1])[:60], pixels[2], b"", b"words", pixels[3]]
    pool = make_pool(pictures, bad_share=0.5)
    assert list(pool.ids) == ["picture 0", "picture 2", "picture 5"]
    assert list(pool.problems["id"]) == ["picture 1", "picture 3", "picture 4"]
    assert [reason.split(" (")[0] for reason in pool.problems["reason"]] == ["cut short", "empty file", "not a picture"]


def test_pictures_decoded_together_may_all_be_bad_where_noise_is_added(make_pool, pixels, monkeypatch):
    monkeypatch.setattr(building, "TOGETHER", 2)
    pool = make_pool([b"", b"", pixels[0], pixels[1]], bad_share=0.5, noise=6)
    assert list(pool.ids) == ["picture 2", "picture 3"]


def test_too_many_bad_pictures_are_one_error_with_reasons(make_pool, pixels):
    with pytest.raises(InputError, match=r"2 of 10 pictures can't be decoded so far \(2 empty file\)") as told:
        make_pool([*pixels[:8], b"", b""], bad_share=0.1)
    assert "`pool.bad_share` allows 10%" in str(told.value)


def test_pictures_none_of_which_can_be_read_are_one_error(make_pool):
    with pytest.raises(InputError, match="none of 2 pictures looked at can be read; the first, album: empty file"):
        make_pool([b"", b""])


def test_interrupted_build_goes_on_where_it_stopped(collect, pixels, tmp_path, small_shards):
    def until(last: int):
        def pictures(rows):
            for row in rows:
                if row == last:
                    raise KeyboardInterrupt
                yield pixels[row]

        return pictures

    collection = collect(list(pixels))
    object.__setattr__(collection, "pictures", until(8))
    with pytest.raises(KeyboardInterrupt):
        build(collection, tmp_path / "pool", recipe(size=(8, 12), channels=3))
    before = written(tmp_path / "pool")
    assert len(before) >= 1
    build(collect(list(pixels)), tmp_path / "pool", recipe(size=(8, 12), channels=3))
    build(collect(list(pixels)), tmp_path / "whole", recipe(size=(8, 12), channels=3))
    assert before.items() <= written(tmp_path / "pool").items()
    assert open_pool(tmp_path / "pool").sha256 == open_pool(tmp_path / "whole").sha256
    assert sorted(path.name for path in (tmp_path / "pool").iterdir()) == sorted(
        path.name for path in (tmp_path / "whole").iterdir()
    )


def test_new_pictures_cost_no_more_than_themselves(make_pool, pixels, tmp_path, small_shards):
    old = make_pool(list(pixels[:9]), folder="old")
    grown = make_pool(list(pixels), folder="new", previous="old")
    assert written(tmp_path / "old").items() <= written(tmp_path / "new").items()  # the same files, linked
    assert list(grown.ids) == [*old.ids, "picture 9"]
    np.testing.assert_array_equal(grown.gather(np.arange(10)), pixels.transpose(0, 3, 1, 2))
    assert grown.mean == pytest.approx(pixels.mean((0, 1, 2)))


def test_last_shard_that_has_room_is_filled(make_pool, pixels, tmp_path, small_shards):
    make_pool(list(pixels[:8]), folder="old")
    grown = make_pool(list(pixels[:9]), folder="new", previous="old")
    assert [len(shard) for shard in grown.shards] == [3, 3, 3]
    assert len(written(tmp_path / "old").items() & written(tmp_path / "new").items()) == 2


def test_new_pictures_come_last_wherever_their_name_stands(make_pool, pixels, small_shards):
    make_pool(list(pixels[1:7]), NAMES[1:7], folder="old")
    grown = make_pool(list(pixels[:7]), NAMES[:7], folder="new", previous="old")
    assert list(grown.ids) == [*NAMES[1:7], NAMES[0]]
    np.testing.assert_array_equal(grown.gather(grown.rows(grown.ids.sort_values())), pixels[:7].transpose(0, 3, 1, 2))


def test_picture_that_went_costs_its_shard(make_pool, pixels, tmp_path, small_shards):
    make_pool(list(pixels[:9]), NAMES[:9], folder="old")
    left = [row for row in range(9) if row != 4]
    shrunk = make_pool([pixels[row] for row in left], [NAMES[row] for row in left], folder="new", previous="old")
    assert len(written(tmp_path / "old").items() & written(tmp_path / "new").items()) == 2
    assert list(shrunk.ids) == [NAMES[row] for row in (0, 1, 2, 6, 7, 8, 3, 5)]


def test_changed_picture_is_decoded_again(collect, pixels, tmp_path, small_shards):
    build(collect(list(pixels[:6])), tmp_path / "old", recipe())
    changed = list(pixels[:6])
    changed[1] = 255 - changed[1]
    build(collect(changed, stamps=["1", "2", "1", "1", "1", "1"]), tmp_path / "new", recipe(), tmp_path / "old")
    pool = open_pool(tmp_path / "new")
    np.testing.assert_array_equal(pool.gather(pool.rows([NAMES[1]]))[0], changed[1].transpose(2, 0, 1))


def test_shards_of_another_recipe_are_not_kept(make_pool, pixels, small_shards):
    make_pool(list(pixels), folder="old")
    clean = make_pool(list(pixels), folder="new", previous="old", noise=20)
    assert (clean.gather(np.arange(10)).numpy() != pixels.transpose(0, 3, 1, 2)).any()


def test_grown_pool_keeps_what_its_images_look_like(make_pool, pixels):
    make_pool(list(pixels), folder="old")
    grown = make_pool([*pixels, np.zeros((30, 20, 3), np.uint8)], folder="new", previous="old")
    assert grown.shape == (3, 8, 12)


def test_what_the_recipe_states_comes_before_what_an_older_pool_looks_like(make_pool, pixels):
    make_pool(list(pixels), folder="old")
    assert make_pool(list(pixels), folder="new", previous="old", size=16).shape == (3, 16, 16)


def test_signature_changes_with_pictures_stamps_and_labels_but_not_with_their_order(collect, pixels):
    first = signature(collect(list(pixels), NAMES))
    assert first == signature(collect(list(pixels), NAMES))
    assert first != signature(collect(list(pixels[:9]), NAMES[:9]))
    assert first != signature(collect(list(pixels), NAMES, ["2"] + ["1"] * 9))
    assert first != signature(collect(list(pixels), NAMES[::-1]))  # other labels


def test_equal_images_under_other_ids_make_other_shards(make_pool, small_shards):
    pool = make_pool([np.full((8, 12, 3), 7, np.uint8)] * 6)
    assert len({Path(shard.filename).name for shard in pool.shards}) == 2
    assert len(set(pool.ids)) == 6


def test_manifest_names_every_shard(make_pool, pixels, tmp_path, small_shards):
    make_pool(list(pixels))
    facts = json.loads((tmp_path / "pool" / "pool.json").read_text())
    assert {shard["file"] for shard in facts["shards"]} == written(tmp_path / "pool").keys()
    assert sum(shard["rows"] for shard in facts["shards"]) == facts["images"] == 10


@pytest.mark.parametrize("size", ["auto", 64, [48, 64], (48, 64)])
def test_size_is_auto_or_pixels_or_height_and_width(size):
    told = recipe(size=size)
    assert told.size == (list(size) if isinstance(size, tuple) else size)
    assert recipe(**told.model_dump(mode="json")) == told


@pytest.mark.parametrize("size", [0, -3, 2.5, "large", [64], [0, 3], [1, 2, 3], None])
def test_any_other_size_is_one_error(size):
    with pytest.raises(ValidationError) as told:
        recipe(size=size)
    assert told.value.error_count() == 1
    assert "say auto, pixels (64), or [height, width]" in str(told.value)


def test_images_that_the_disk_has_no_room_for_are_told_before_they_are_decoded(make_pool, monkeypatch):
    monkeypatch.setattr(building.shutil, "disk_usage", lambda folder: SimpleNamespace(free=1000))
    monkeypatch.setattr(building, "_decode", None)
    with pytest.raises(InputError, match=r"images of 32 x 32 pixels need 0\.0 GB.*lower `pool\.size`"):
        make_pool([np.zeros((4, 4), np.uint8)] * 3, size=32)
