"""Repeated pictures are found, exactly once each, and pictures that only look alike to a hash are not."""

import hashlib
import io
from itertools import combinations
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pt4al.images.decode import Frame, decode
from pt4al.images.duplicates import find, label_pairs, linked, perceptual_hash
from support.odd_pictures import encoded, photo

FASHION = Path(__file__).parents[2] / "data" / "01_raw" / "fashion_mnist" / "test.parquet"


def indexed(images: np.ndarray, splits: list[str] | None = None, hashes: np.ndarray | None = None) -> pd.DataFrame:
    digests = [hashlib.sha256(image.tobytes()).hexdigest() for image in images]
    ids = [f"picture {row}" for row in range(len(images))]
    hashes = perceptual_hash(images) if hashes is None else hashes
    columns = {"id": ids, "split": splits or ["train"] * len(images), "digest": digests}
    return pd.DataFrame(columns, dtype="str").assign(hash=hashes.astype(np.uint64))


def found(images: np.ndarray, **options) -> pd.DataFrame:
    return find(indexed(images, options.pop("splits", None)), lambda rows: images[rows], **options)


@pytest.fixture(scope="module")
def fashion() -> np.ndarray:
    """The first 500 pictures of Fashion-MNIST's test split, (N, 1, 28, 28)."""
    files = [image["bytes"] for image in pd.read_parquet(FASHION)["image"][:500]]
    return np.stack([decode(file, Frame(1, 28, 28)) for file in files])


def album(number: int = 30, size: tuple[int, int] = (384, 256)) -> np.ndarray:
    """Return different photos, (N, 3, 64, 64)."""
    return np.stack([decode(np.asarray(photo(seed, size)), Frame(3, 64, 64)) for seed in range(number)])


def test_hash_bit_says_whether_an_area_is_brighter_than_the_one_to_its_left():
    rising = np.repeat(10 * np.arange(9, dtype=np.uint8)[None, None, None], 8, axis=2)
    bits = perceptual_hash(np.concatenate([rising, rising[..., ::-1], np.zeros_like(rising)]))
    assert bits.dtype == np.uint64
    assert bits.tolist() == [2**64 - 1, 0, 0]


def test_hash_of_an_image_does_not_depend_on_the_others(fashion):
    together = perceptual_hash(fashion)
    alone = np.concatenate([perceptual_hash(image[None]) for image in fashion[:20]])
    np.testing.assert_array_equal(alone, together[:20])
    assert len(perceptual_hash(fashion[:0])) == 0


def test_hash_takes_images_that_cannot_be_written_to(tmp_path, fashion):
    np.save(tmp_path / "images.npy", fashion[:5])
    mapped = np.load(tmp_path / "images.npy", mmap_mode="r")
    np.testing.assert_array_equal(perceptual_hash(mapped), perceptual_hash(fashion[:5]))


def test_repeated_picture_is_listed_once_beside_the_first_of_its_group(fashion):
    images = fashion[[0, 1, 0, 2, 0, 1]]
    table = found(images, splits=["train", "train", "train", "test", "test", "test"])
    assert table[["id", "other", "split", "other_split", "kind", "difference"]].to_numpy().tolist() == [
        ["picture 2", "picture 0", "train", "train", "exact", 0.0],
        ["picture 4", "picture 0", "test", "train", "exact", 0.0],
        ["picture 5", "picture 1", "test", "train", "exact", 0.0],
    ]


def test_clothes_that_share_a_hash_are_not_taken_for_each_other(fashion):
    hashes = np.zeros(len(fashion))
    table = find(indexed(fashion, hashes=hashes), lambda rows: fashion[rows])
    assert table.empty


@pytest.mark.parametrize("quality", [75, 90])
def test_photo_that_was_saved_again_is_found(quality):
    images = album(12)
    again = decode(encoded(photo(7, (384, 256)), "JPEG", quality=quality), Frame(3, 64, 64))
    table = found(np.concatenate([images, again[None]]), splits=["train"] * 12 + ["test"])
    assert table[["id", "other", "split", "other_split", "kind"]].to_numpy().tolist() == [
        ["picture 12", "picture 7", "test", "train", "near"]
    ]
    assert 0 < table["difference"][0] <= 6


def test_photo_that_is_a_little_brighter_is_found(fashion):
    brighter = np.clip(fashion[3].astype(int) + 4, 0, 255).astype(np.uint8)
    table = found(np.concatenate([fashion, brighter[None]]))
    assert (table["id"].tolist(), table["other"].tolist()) == (["picture 500"], ["picture 3"])


def test_shifted_and_flipped_copies_are_other_pictures(fashion):
    images = np.concatenate([fashion[:50], np.roll(fashion[:50], 1, axis=3), fashion[:50, :, :, ::-1]])
    assert found(images).empty


def test_strictness_is_the_callers(fashion):
    images = np.concatenate([fashion[:1], np.clip(fashion[:1].astype(int) + 20, 0, 255).astype(np.uint8)])
    assert found(images).empty
    assert len(found(images, difference=20)) == 1
    assert found(images, difference=20, distance=0)["kind"].tolist() in (["near"], [])


@given(seed=st.integers(0, 2**32), distance=st.sampled_from([0, 1, 3, 7]))
def test_pairs_are_those_that_comparing_all_with_all_finds(seed, distance):
    rng = np.random.default_rng(seed)
    images = rng.integers(0, 256, (6, 1, 4, 4), np.uint8)[rng.integers(0, 6, 40)]
    images = np.clip(images.astype(int) + rng.integers(-8, 9, (40, 1, 1, 1)), 0, 255).astype(np.uint8)
    hashes = np.uint64(rng.integers(0, 2**63)) ^ (np.uint64(1) << rng.integers(0, 64, (40, 4), np.uint64)).sum(1)
    index = indexed(images, hashes=hashes)
    table = find(index, lambda rows: images[rows], distance=distance)
    first = [row for row in range(40) if not index["digest"].duplicated()[row]]
    apart = {
        pair: np.sqrt(((images[pair[0]].astype(float) - images[pair[1]]) ** 2).mean())
        for pair in combinations(first, 2)
    }
    bits = {pair: int(hashes[pair[0]] ^ hashes[pair[1]]).bit_count() for pair in apart}
    expected = {pair for pair in apart if bits[pair] <= distance and apart[pair] <= 6}
    near = table[table["kind"] == "near"]
    pairs = list(zip(near["other"].str[8:].astype(int), near["id"].str[8:].astype(int), strict=True))
    assert set(pairs) == expected and len(pairs) == len(expected)
    np.testing.assert_allclose(near["difference"], [apart[pair] for pair in pairs], rtol=1e-5)
    assert (table["kind"] == "exact").sum() == 40 - len(first)


def test_exact_ones_come_first_then_the_nearest(fashion):
    rng = np.random.default_rng(0)
    close = [
        np.clip(fashion[row] + rng.integers(0, high, (1, 28, 28)), 0, 255) for row, high in ((0, 9), (1, 3), (2, 6))
    ]
    table = found(np.concatenate([fashion[:10], np.stack(close).astype(np.uint8), fashion[5:6]]), distance=20)
    assert table["kind"].tolist() == ["exact", "near", "near", "near"]
    assert table["difference"].is_monotonic_increasing


def test_rows_are_asked_for_in_their_order_and_a_few_at_a_time():
    images = album(1)[np.zeros(300, int)] // 2 + np.arange(300, dtype=np.uint8)[:, None, None, None] % 5
    images[:, 0, 0, 0] = np.arange(300) % 256
    images[:, 1, 0, 0] = np.arange(300) // 256
    asked = []

    def pixels(rows: np.ndarray) -> np.ndarray:
        asked.append(rows)
        return images[rows]

    assert len(find(indexed(images), pixels)) > 300
    assert all((np.diff(rows) > 0).all() for rows in asked)


def test_pool_of_nothing_or_one_picture_has_no_duplicates(fashion):
    for images in (fashion[:0], fashion[:1]):
        table = found(images)
        assert table.empty
        assert list(table) == ["id", "other", "split", "other_split", "kind", "difference"]


def test_pictures_of_random_hashes_are_compared_with_few_others():
    hashes = np.random.default_rng(0).integers(0, 2**63, 200_000, np.uint64)
    index = pd.DataFrame({"id": hashes.astype(str), "split": "train", "digest": hashes.astype(str), "hash": hashes})
    asked = []

    def pixels(rows: np.ndarray) -> np.ndarray:
        asked.extend(rows)
        return np.zeros((len(rows), 1, 1, 1), np.uint8)

    assert find(index, pixels).empty
    assert len(asked) < 100


def test_bytes_that_differ_while_pixels_agree_are_exact():
    file = encoded(photo(), "PNG")
    other = encoded(photo(), "BMP")
    images = np.stack([decode(file, Frame(3, 64, 96)), decode(io.BytesIO(other).getvalue(), Frame(3, 64, 96))])
    assert found(images)["kind"].tolist() == ["exact"]


def test_pictures_of_little_contrast_are_not_near_for_that(fashion):
    pale = (118 + fashion[:60].astype(int) // 32).astype(np.uint8)  # things on one grey table
    repeated = pd.Series([image.tobytes() for image in pale]).duplicated().sum()
    assert found(pale)["kind"].tolist() == ["exact"] * repeated


def test_picture_of_little_contrast_that_was_saved_again_is_found(fashion):
    pale = (118 + fashion[:20].astype(int) // 8).astype(np.uint8)
    brighter = pale[7:8] + np.uint8(2)
    assert found(np.concatenate([pale, brighter]))[["id", "other"]].to_numpy().tolist() == [["picture 20", "picture 7"]]


def test_labels_of_pairs_are_those_in_words(fashion):
    table = found(fashion[[0, 0, 1, 1]])
    labels = pd.DataFrame({"id": ["picture 0", "picture 1", "picture 2"], "label": ["cat", "dog", b"a mask"]})
    labelled = label_pairs(table, labels)
    assert labelled["label"].tolist()[0] == "dog" and labelled["other_label"].tolist()[0] == "cat"
    assert labelled[["label", "other_label"]].iloc[1].isna().all()


def test_links_to_one_file_are_told_from_copies(tmp_path, fashion):
    for name in ("picture 0", "picture 2"):
        (tmp_path / name).write_bytes(b"the same")
    (tmp_path / "picture 1").symlink_to(tmp_path / "picture 0")
    places = {f"picture {row}": str(tmp_path / f"picture {row}") for row in range(4)}  # the last one is gone
    assert linked(found(fashion[[0, 0, 0, 0]]), places) == [True, False, False]
