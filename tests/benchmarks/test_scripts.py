"""Every script of benchmarks/ runs, at a size that says nothing but that."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import psutil
import pytest

from support.layouts import write_caltech101
from support.people import needs_chromium
from support.projects import ROOT

TESTS = Path(__file__).parent
# Typed by the script after the colon, and by nobody else.
CASES = {
    "grid_case": "grid",
    "large_pool_case": "large_pool",
    "scale_ranking_case": "scale_ranking",
    "waiting_case": "run",
}
SECTIONS = ["training", "scoring", "features", "ranking", "herding", "decoding"]
SLOW_SECTIONS = ["memory", "overhead", "waiting", "cells"]  # many processes


def measure(script: Callable[..., str], section: str, page: Path) -> None:
    """Type `run.py --only <section> --quick`; it must leave its section on the page."""
    script("run", f"--only={section}", "--quick", f"--output={page}")
    assert f"## {section}\n\nMeasured " in page.read_text()


@pytest.mark.parametrize("section", SECTIONS)
def test_a_section_of_the_page_can_be_measured(script, tmp_path, section):
    measure(script, section, tmp_path / "page.md")


@pytest.mark.slow
@pytest.mark.parametrize("section", SLOW_SECTIONS)
def test_a_section_that_takes_many_processes_can_be_measured(script, tmp_path, section):
    measure(script, section, tmp_path / "page.md")


@pytest.mark.parametrize("case", ["train", "score", "verify"])
def test_memory_is_measured_case_by_case(script, tmp_path, case):
    from pools import random_bytes

    random_bytes(0.001, tmp_path / "pool")
    printed = script("memory_case", str(tmp_path / "pool"), case, "2")
    assert json.loads(printed).keys() == {"peak", "anonymous", "index"}


@pytest.mark.slow
def test_busy_neighbours_end_with_what_they_disturb(script, tmp_path):
    from pools import random_bytes
    from waiting import Case

    random_bytes(0.001, tmp_path / "pool")
    before = set(psutil.Process().children())
    with pytest.raises(KeyboardInterrupt), Case(tmp_path / "pool", 2, 1, "fp32").neighbours(1):
        busy = set(psutil.Process().children()) - before
        raise KeyboardInterrupt
    assert len(busy) == 2
    assert not any(process.is_running() for process in busy)


def test_the_index_is_measured_step_by_step(script, tmp_path):
    script("scale_index_case", "make", str(tmp_path / "pool"), "3000")
    for step in ("write", "open", "look_up", "query"):
        printed = script("scale_index_case", step, str(tmp_path / "pool"), "3000")
        assert json.loads(printed).keys() == {"seconds", "memory", "files"}


@pytest.mark.slow
def test_the_index_of_three_pools_makes_a_table_and_a_formula(script):
    printed = script("scale_index", "--quick")
    assert "| 12,000 | query, top | " in printed
    assert "- looking up, memory: " in printed


def test_strategies_are_measured_in_processes_of_their_own(script):
    assert "| balanced coreset | 2,000 | " in script("strategies", "--quick")


def test_herding_is_measured_on_features_of_ones_own(script, tmp_path):
    np.save(tmp_path / "own.npy", np.random.default_rng(0).random((200, 8), np.float32))
    assert "of real images" in script("herding", "--quick", f"--features={tmp_path / 'own.npy'}")


@pytest.mark.slow
def test_a_large_pool_is_measured_step_by_step(script, tmp_path):
    printed = script("large_pool", "--quick", "--images=400", f"--folder={tmp_path}")
    assert "| growth by 1 %, bytes written | " in printed
    assert not list(tmp_path.iterdir())


def test_ranking_in_files_is_measured_and_herding_in_parts_beside_the_exact_one(script, tmp_path):
    printed = script("scale_ranking", "--quick", f"--folder={tmp_path}")
    assert len(re.findall(r"^\| (ranking and|the same in) ", printed, re.MULTILINE)) == 6
    assert "- top 1,000, memory: " in printed
    assert "| 2,500 | 50 | 0." in printed
    assert not list(tmp_path.iterdir())


def test_pretext_tasks_are_correlated_with_main_losses(script, tmp_path):
    source = write_caltech101(tmp_path, np.random.default_rng(0), pictures=10)
    printed = script(
        "pretext_correlation", "--data=caltech101", f"--source={source}", "--quick", f"--folder={tmp_path}"
    )
    assert len(re.findall(r"^\| rotation", printed, re.MULTILINE)) == 3


def test_wrong_labels_are_planted_and_found(script, tmp_path):
    printed = script("label_errors", "--quick", f"--folder={tmp_path}")
    assert len(re.findall(r"^\| quick +\|", printed, re.MULTILINE)) == 7
    rows = pd.read_csv(tmp_path / "quick.csv")
    assert len(rows) == 7
    script("label_errors", "--quick", f"--folder={tmp_path}")  # which makes none of them again
    assert len(pd.read_csv(tmp_path / "quick.csv")) == 7


def test_the_study_of_people_makes_all_its_tables(script, tmp_path):
    script("people_study", "--quick", f"--folder={tmp_path}")
    assert len(list((tmp_path / "quick").glob("*.csv"))) == 9


@needs_chromium
@pytest.mark.external
def test_the_grid_is_measured_beside_one_at_a_time_and_loses_no_answer(script):
    printed = script("grid", "--quick")
    assert "| one at a time |       60 |" in printed
    assert "none lost, none twice" in printed


def test_the_study_of_savings_ends_with_a_table(script, tmp_path):
    printed = script("savings_study", "--quick", f"--folder={tmp_path}")
    assert "| fashion_mnist | half of 40 | random     |      160 |" in printed
    assert len(pd.read_csv(tmp_path / "quick" / "savings.csv")) == 6


def test_the_search_for_a_method_ends_with_a_table(script, project):
    assert "| margin" in script("method_search", "--quick")


@pytest.mark.slow
def test_work_in_shards_is_timed_with_two_processes(script):
    printed = script("cluster", "--quick")
    assert re.search(r"^\| scores of 1,000 images \|.*\| yes \|$", printed, re.MULTILINE)
    assert "| processes | " in printed


@pytest.mark.slow
def test_a_grid_has_the_same_bytes_on_one_node_and_on_two(script):
    printed = script("cluster_grid", "--quick")
    assert printed.count("the same bytes as local") == 2


@pytest.mark.slow
def test_a_worker_is_killed_and_nothing_is_lost(script):
    printed = script("cluster_kills", "--quick")
    assert re.search(r"^\| scores \| 2 processes \| worker killed \| 1 \|.*\| yes \| 0 \|$", printed, re.MULTILINE)


@pytest.mark.slow
def test_a_node_that_holds_a_shard_is_killed_and_nothing_is_lost(script):
    printed = script("cluster_nodes", "--kills", "1", "--kinds", "herding by parts")
    assert re.search(r"^\| herding by parts \| 1 \| 1 \| 0 \| yes \|$", printed, re.MULTILINE)


@pytest.mark.slow
def test_clusters_are_simulated_beside_what_two_processes_take(script):
    printed = script("cluster_simulation", "--quick")
    assert "| 1e6 | 64 | features of large photos | 64 |" in printed
    assert re.search(r"^\| sleep, 16 shards \| 2 \(local\) \|", printed, re.MULTILINE)


def test_a_simulated_cluster_loses_nothing_whatever_dies(beside_benchmarks):
    from cluster_simulation import HOUR, Stage, simulate

    stage = Stage(rate=100.0, shard=512, intake=1e-6, handing=1e-4, lifetime=HOUR / 12)
    few = simulate(stage, 200_001, 4)
    assert few == simulate(stage, 200_001, 4)
    assert few.deaths > 3
    assert 0.5 < few.busy < 1
    many = simulate(stage, 200_001, 16)
    assert many.seconds < few.seconds / 2
    slow = simulate(Stage(rate=100.0, shard=512, intake=1e-2, handing=0.0), 200_001, 64)
    assert slow.seconds > 200_001 * 1e-2  # one process takes all of it in


def test_every_section_of_the_page_has_a_test(script):
    from run import BENCHMARKS

    assert set(BENCHMARKS) == {*SECTIONS, *SLOW_SECTIONS}


def test_every_script_has_a_test():
    scripts = [path.stem for path in (ROOT / "benchmarks").glob("*.py") if "def main()" in path.read_text()]
    tests = "".join(path.read_text() for path in TESTS.glob("test_*.py"))
    untested = [name for name in scripts if not re.search(rf"\"{CASES.get(name, name)}(\.py)?\"", tests)]
    assert not untested, f"no test runs {untested}: add one that types --quick"
