"""What a killed process has computed is kept, as far as it is as it was written."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from pt4al.features.store import compute
from pt4al.features.vectors import open_features
from support.hardware import HARDWARE

# Pictures come ever more slowly: the process is killed before it has seen all.
SCRIPT = """
import sys, time
import numpy as np
sys.path[:0] = {path!r}
from support.features import album, small_backbone, small_shards
from support.hardware import HARDWARE
from pt4al.features.store import compute
from pathlib import Path

collection = album(np.load({pixels!r}))
fast = collection.pictures
object.__setattr__(collection, "pictures", lambda rows: (time.sleep(row / 40) or picture for row, picture in
                                                         zip(rows, fast(rows))))
small_shards()
compute(collection, collection.index["id"], small_backbone(), Path({folder!r}), HARDWARE)
"""


def whole_shards(folder: Path) -> set[str]:
    manifest = folder / "features.json"
    if not manifest.exists():
        return set()
    return {shard["file"] for shard in json.loads(manifest.read_text(encoding="utf-8"))["shards"]}


def killed_after_a_shard(pixels: np.ndarray, folder: Path) -> set[str]:
    """Compute in another process, end it with kill -9 after two shards, and return their names.

    A shard is there when the manifest says so: its files are written before it.
    """
    np.save(folder / "pixels.npy", pixels)
    path = [entry for entry in sys.path if entry]
    script = SCRIPT.format(path=path, pixels=str(folder / "pixels.npy"), folder=str(folder / "partial"))
    process = subprocess.Popen([sys.executable, "-c", script], stderr=subprocess.PIPE, text=True)
    end = time.monotonic() + 120
    while len(whole_shards(folder / "partial")) < 2:
        assert process.poll() is None, process.stderr.read()
        assert time.monotonic() < end
        time.sleep(0.01)
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    return whole_shards(folder / "partial")


def test_killed_process_is_gone_on_with_where_it_was(collect, backbone, pixels, tmp_path, small_shards):
    before = killed_after_a_shard(pixels, tmp_path)
    assert 2 <= len(before) < 5
    places = {name: (tmp_path / "partial" / name).stat().st_ino for name in before}
    seen: list[int] = []
    collection = collect(list(pixels))
    object.__setattr__(collection, "pictures", lambda rows: (seen.append(row) or pixels[row] for row in rows))
    compute(collection, collection.index["id"], backbone, tmp_path / "partial", HARDWARE)
    assert len(seen) <= 20 - 4 * 2
    assert places == {name: (tmp_path / "partial" / name).stat().st_ino for name in before}
    compute(collection, collection.index["id"], backbone, tmp_path / "whole", HARDWARE)
    resumed, whole = open_features(tmp_path / "partial"), open_features(tmp_path / "whole")
    assert resumed.sha256 == whole.sha256
    assert {file.name for file in (tmp_path / "partial").iterdir()} == {
        file.name for file in (tmp_path / "whole").iterdir()
    }


@pytest.mark.parametrize("pattern", ["*.npy", "[0-9a-f]*.parquet", "features.json"])
def test_damaged_part_of_an_interrupted_run_is_computed_again(
    collect, backbone, pixels, tmp_path, small_shards, pattern
):
    collection = collect(list(pixels))

    def pictures(rows):
        for row in rows:
            if row == 18:
                raise KeyboardInterrupt
            yield pixels[row]

    object.__setattr__(collection, "pictures", pictures)
    with pytest.raises(KeyboardInterrupt):
        compute(collection, collection.index["id"], backbone, tmp_path / "partial", HARDWARE)
    file = sorted((tmp_path / "partial").glob(pattern))[0]
    file.write_bytes(file.read_bytes()[:-7])
    collection = collect(list(pixels))
    compute(collection, collection.index["id"], backbone, tmp_path / "partial", HARDWARE)
    compute(collection, collection.index["id"], backbone, tmp_path / "whole", HARDWARE)
    rows = np.arange(20)
    resumed, whole = open_features(tmp_path / "partial"), open_features(tmp_path / "whole")
    np.testing.assert_array_equal(resumed.gather(rows), whole.gather(rows))
    resumed.verify()


def test_folder_of_another_network_is_computed_anew(collect, make_backbone, pixels, tmp_path, small_shards):
    collection = collect(list(pixels))
    compute(collection, collection.index["id"], make_backbone(1), tmp_path / "features", HARDWARE)
    first = open_features(tmp_path / "features").gather(np.arange(20))
    compute(collection, collection.index["id"], make_backbone(2), tmp_path / "features", HARDWARE)
    second = open_features(tmp_path / "features")
    assert (second.gather(np.arange(20)) != first).any()
    second.verify()
