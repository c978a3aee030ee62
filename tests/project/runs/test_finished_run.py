"""A run, opened to look at in a notebook."""

import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

import pt4al
from pt4al.errors import InputError
from support.projects import newest


@pytest.fixture(scope="module")
def run(finished_once: Path):
    return pt4al.open_run("tiny", finished_once, "tiny")


def test_tables_are_those_of_the_run(run, finished_once: Path):
    assert run.cycles == 3
    assert repr(run) == "FinishedRun('tiny', 3 cycles, 60 labels)"
    assert run.curve["labels"].tolist() == [20, 40, 60]
    assert run.ranking.equals(pd.read_parquet(newest(finished_once, "04_feature", "tiny", "ranking.parquet")))
    asked = pd.concat([run.query(cycle) for cycle in range(3)])
    assert set(asked["id"]) == set(run.labels["id"])
    assert set(run.audit(1)["id"]) == set(run.query(1)["id"])
    assert set(run.labels["label"]) <= set(run.classes)
    assert run.settings["run.name"] == "tiny"


def test_networks_answer_to_the_pools_images(run):
    images = run.pool.gather(run.pool.rows(run.labels["id"].head(5)))
    network = run.network().eval()
    assert network(images).shape == (5, len(run.classes))
    assert run.network(0).head.weight.ne(network.head.weight).any()
    assert run.images(run.labels["id"].head(5)).shape == (5, 1, 28, 28)


def test_a_mistake_is_one_sentence(run, finished_once: Path, tmp_path: Path):
    with pytest.raises(InputError, match=r"run 'tinny' has no finished cycle under .*: did you mean 'tiny'"):
        pt4al.open_run("tinny", finished_once, "tiny")
    with pytest.raises(InputError, match="there is no project of pt4al at"):
        pt4al.open_run("tiny", tmp_path)
    with pytest.raises(InputError, match="`cycle` is 3; run 'tiny' has finished 0 to 2"):
        run.query(3)
    with pytest.raises(InputError, match=r"run 'tiny' has no audit.parquet of cycle 0"):
        run.audit(0)


def test_a_run_is_opened_without_torch(finished_once: Path):
    opens = f"import pt4al, sys; pt4al.open_run('tiny', {str(finished_once)!r}, 'tiny').curve"
    script = f"{opens}; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
