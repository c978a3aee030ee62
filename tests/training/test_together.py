"""Training by several processes of a Ray cluster: killed ones resume, and so does a killed command."""

import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from pt4al.cluster.seam import Cluster
from pt4al.errors import InputError
from pt4al.images import building
from pt4al.training.engine import fit
from pt4al.training.together import check_room
from support.features import album
from support.pictures import encoded, recipe
from support.ranks import TOGETHER, calls, fit_as_rank, joined, watched_training, weights

pytestmark = [
    pytest.mark.usefixtures("on_ray"),
    # Ray warns of what is old in itself.
    pytest.mark.filterwarnings(r"ignore::DeprecationWarning:ray\."),
    pytest.mark.filterwarnings(r"ignore::FutureWarning:ray\."),
]

COMMAND = """
import sys
from pathlib import Path
from pt4al.training.engine import fit
from support.ranks import TOGETHER, watched_training
fit(**watched_training(Path(sys.argv[1]), Path(sys.argv[2])), hardware=TOGETHER)
"""
PATIENCE = 120  # seconds for a command to come as far as it is waited for


@pytest.fixture(scope="module")
def pool(tmp_path_factory) -> Path:
    """A pool on disk."""
    folder = tmp_path_factory.mktemp("data") / "pool"
    pixels = np.random.default_rng(0).integers(0, 256, (50, 8, 8, 3), np.uint8)
    building.build(album([encoded(picture) for picture in pixels]), folder, recipe(size=8))
    return folder


@pytest.fixture(scope="module")
def undisturbed(pool, tmp_path_factory):
    """What two processes learn without Ray, without checkpoints and undisturbed."""
    folder = tmp_path_factory.mktemp("undisturbed")
    given = watched_training(pool, folder)
    with joined(folder) as both:
        return both(fit_as_rank, None, *given.values(), TOGETHER.alone)[0]


def check_same(network, curve: pd.DataFrame, undisturbed) -> None:
    expected, whole = undisturbed
    assert weights(network) == expected
    pd.testing.assert_frame_equal(curve, whole, check_exact=True)


def test_a_killed_process_resumes_at_its_epoch_with_the_same_bytes(pool, undisturbed, tmp_path):
    given = watched_training(pool, tmp_path)
    (tmp_path / "kill").touch()
    curve = fit(**given, hardware=TOGETHER)
    assert not (tmp_path / "kill").exists()
    assert len(calls(tmp_path)) == 7 + 5  # it died at its seventh step, and four were kept
    check_same(given["network"], curve, undisturbed)
    assert [path.name for path in pool.parent.iterdir()] == [pool.name]


@pytest.mark.slow
def test_a_killed_command_goes_on_with_the_same_bytes_when_it_is_typed_again(pool, undisturbed, tmp_path):
    (tmp_path / "hold").touch()
    with subprocess.Popen([sys.executable, "-c", COMMAND, str(pool), str(tmp_path)]) as process:
        until(lambda: len(calls(tmp_path)) == 7)
        process.kill()
    until(lambda: not alive(int(calls(tmp_path)[-1])))
    (tmp_path / "hold").unlink()
    given = watched_training(pool, tmp_path)
    curve = fit(**given, hardware=TOGETHER)
    assert len(calls(tmp_path)) == 7 + 5
    check_same(given["network"], curve, undisturbed)
    assert [path.name for path in pool.parent.iterdir()] == [pool.name]


@pytest.mark.slow
def test_a_training_that_diverges_is_one_sentence_and_not_tried_again(pool, tmp_path):
    given = watched_training(pool, tmp_path)
    training = given["training"]
    schedule = training.schedule.model_copy(update={"learning_rate": 1e20})
    given["training"] = replace(training, schedule=schedule)
    with pytest.raises(InputError, match=r"^train: the loss of epoch 1, after 4 steps, is (nan|inf): training has div"):
        fit(**given, hardware=TOGETHER)
    assert len(calls(tmp_path)) == 4
    assert [path.name for path in pool.parent.iterdir()] == [pool.name]


@pytest.mark.slow
def test_processes_wait_for_room_as_long_as_shards_may_take(pool, tmp_path):
    def occupy() -> None:
        (tmp_path / "occupied").touch()
        until((tmp_path / "free").exists)

    check_room(TOGETHER.cluster, 2)
    import ray

    given = watched_training(pool, tmp_path)
    hardware = replace(TOGETHER, cluster=replace(TOGETHER.cluster, patience=1.0))
    blocker = ray.remote(occupy).options(num_cpus=ray.cluster_resources()["CPU"]).remote()
    until((tmp_path / "occupied").exists)
    with pytest.raises(InputError, match=r"startup timed out after 1\.0 seconds waiting for 2 workers"):
        fit(**given, hardware=hardware)
    (tmp_path / "free").touch()
    ray.get(blocker)


def test_more_processes_than_the_cluster_has_room_for_are_refused():
    with pytest.raises(InputError, match=r"`engine.ranks` is 500, of 3 CPUs each, and the cluster has \d+ CPUs: lower"):
        check_room(Cluster("ray", threads=3), 500)


def until(happened) -> None:
    end = time.monotonic() + PATIENCE
    while not happened():
        assert time.monotonic() < end
        time.sleep(0.05)


def alive(process: int) -> bool:
    try:
        state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"
