"""benchmarks/plain.py does what a run by Kedro does."""

import json
from pathlib import Path

import pandas as pd
import pytest

from support.projects import WITHOUT_REPORT, newest, run

SEEN = {  # environment `tiny` with these settings, as typed
    "typiclust, then badge": "query.start=typiclust,query.strategy=badge,query.features=cached",
    "the paper": "query.start=even_intervals,query.scope=batch,query.measure=least_confidence,main.start_from=fresh",
    "as released": "ranking.order=released,query.normalise_logits=true,main.start_from=previous_cycle",
    "batches in another order": "query.scope=batch,ranking.drop=0.1,ranking.batches=shuffled",
    "at random": "run.seed=3,query.measure=random",
}


def typed(settings: str) -> dict:
    """Nested parameters from what is typed, as Kedro has them."""
    from configuration import typed

    return typed(settings)


def check_same(project: Path, printed: str) -> None:
    """The script that printed this has asked for the run's labels, in its order, and learnt as much from them."""
    from plain import digest

    plain = json.loads(printed.splitlines()[-1])
    cycles = [f"cycle_{cycle}" for cycle in range(len(plain["queries"]))]
    queries = [pd.read_parquet(newest(project, "05_model_input", "tiny", cycle, "query.parquet")) for cycle in cycles]
    metrics = [newest(project, "08_reporting", "tiny", cycle, "metrics.json") for cycle in cycles]
    assert plain["queries"] == [digest(query["id"]) for query in queries]
    assert plain["accuracy"] == [json.loads(path.read_text())["accuracy"] for path in metrics]


def engine(project: Path) -> str:
    """What `auto` stands for in a run that is there."""
    record = next((project / "data").glob("**/tiny/configuration.json"))
    settings = json.loads(record.read_text())
    return ",".join(f"{name}={value}" for name, value in settings.items() if name.startswith("engine."))


def test_a_plain_run_asks_for_the_labels_that_kedro_asks_for(finished, script, tmp_path):
    printed = script("plain", "--env=tiny", f"--params={engine(finished)}", f"--output={tmp_path}")
    check_same(finished, printed)
    assert len(pd.read_parquet(tmp_path / "label_set_2.parquet")) == 60
    assert (tmp_path / "learning_curve.png").stat().st_size > 1000


@pytest.mark.slow
@pytest.mark.parametrize("settings", SEEN.values(), ids=SEEN)
def test_a_plain_run_asks_for_the_same_labels_with_other_settings(project, script, settings):
    engine = "engine.precision=fp32,engine.threads=1"
    printed = script("plain", "--env=tiny", f"--params={engine},{settings}")
    run(project, WITHOUT_REPORT, **typed(f"{engine},{settings}"))
    check_same(project, printed)


def test_a_plain_run_refuses_what_it_leaves_out(script):
    with pytest.raises(SystemExit, match=r"`oracle.kind` is people, which a plain run leaves out: it knows recorded"):
        script("plain", "--env=tiny", "--params=engine.precision=fp32,oracle.kind=people")
