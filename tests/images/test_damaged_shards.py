"""What an interrupted build has left is used if it is as it was written, and decoded again if not."""

import json
from pathlib import Path

import numpy as np
import pytest

from pt4al.images import building, parallel
from pt4al.images import pixels as pixel_shards
from pt4al.images.building import build
from support.pictures import recipe


def flip(file: Path) -> None:
    content = bytearray(file.read_bytes())
    content[-20] ^= 1
    file.write_bytes(content)


def digit(file: Path) -> None:
    """Change a sum in the manifest: the pool's mean would be another."""
    facts = json.loads(file.read_text())
    facts["shards"][0]["sum"][0] += 64
    file.write_text(json.dumps(facts))


DAMAGES = {
    "pixels": ("*.npy", flip),
    "pixels that are gone": ("*.npy", Path.unlink),
    "pixels cut short": ("*.npy", lambda file: file.write_bytes(file.read_bytes()[:150])),
    "an empty file of pixels": ("*.npy", lambda file: file.write_bytes(b"")),
    "an index": ("*.parquet", flip),
    "an empty index": ("*.parquet", lambda file: file.write_bytes(b"")),
    "a sum in the manifest": ("pool.json", digit),
    "a manifest cut short": ("pool.json", lambda file: file.write_bytes(file.read_bytes()[:50])),
    "a list for a manifest": ("pool.json", lambda file: (file.write_text("[]"), _unseal(file))),
    "a manifest that lacks something": ("pool.json", lambda file: (file.write_text("{}"), _unseal(file))),
}


def _unseal(file: Path) -> None:
    file.with_name(f"{file.name}.sha256").unlink()


@pytest.fixture
def interrupted(collect, pixels, tmp_path: Path, monkeypatch) -> Path:
    """The folder of a build that was interrupted after its first shards."""

    monkeypatch.setattr(building, "TOGETHER", 1)
    monkeypatch.setattr(parallel, "AHEAD", 1)
    monkeypatch.setattr(pixel_shards, "SHARD", 3 * 8 * 12 * 3)  # three pictures

    def pictures(rows):
        for row in rows:
            if row == 8:
                raise KeyboardInterrupt
            yield pixels[row]

    collection = collect(list(pixels))
    object.__setattr__(collection, "pictures", pictures)
    with pytest.raises(KeyboardInterrupt):
        build(collection, tmp_path / "partial", recipe(size=(8, 12), channels=3))
    return tmp_path / "partial"


@pytest.mark.parametrize("pattern, damage", DAMAGES.values(), ids=DAMAGES)
def test_a_damaged_part_of_an_interrupted_build_is_decoded_again(
    interrupted: Path, make_pool, pixels, pattern: str, damage
) -> None:
    whole = make_pool(list(pixels), size=(8, 12), channels=3)
    damage(sorted(interrupted.glob(pattern))[0])
    pool = make_pool(list(pixels), folder="partial", size=(8, 12), channels=3)
    assert (pool.mean, pool.std) == (whole.mean, whole.std)
    np.testing.assert_array_equal(pool.gather(pool.rows(whole.ids)), whole.gather(np.arange(len(whole))))
    pool.verify()
    assert list(interrupted.glob("*.sha256")) == []  # those were for going on
