"""A new run that starts from all that people said in other runs on its pool."""

from pathlib import Path

import pandas as pd

from pt4al.labels.label_set import CONTROL, KNOWN
from support.people import CLASSES, answer, go, table, write_photos
from support.projects import newest

POOL = {"kind": "people", "classes": CLASSES, "known_labels": "pool"}
SHORT = {"number": 2, "budget": 8}


def of(project: Path, run: str, name: str) -> pd.DataFrame:
    return pd.read_parquet(newest(project, "05_model_input", run, *name.split("/")))


def test_a_new_run_knows_what_people_said_before_and_asks_for_none_of_it(project: Path) -> None:
    truth = write_photos(project / "raw", 60)
    go(project, cycles=SHORT)
    control = table(project, 0, "query").query("role == 'control'")["id"]
    done = answer(project, 0, truth.get)
    assert len(control) == 1

    assert "0 of 8 answers" in go(project, run={"name": "second"}, oracle=POOL, cycles=SHORT)
    start = of(project, "second", "start/label_set.parquet")
    assert sorted(start["id"]) == sorted(done)
    assert dict(zip(start["id"], start["label"], strict=True)) == truth[start["id"]].to_dict()
    # A control image of the old run is none of the new one, which has drawn its own.
    assert set(start["why"]) == {KNOWN}
    slices = of(project, "second", "control_slices.parquet")
    assert not set(slices["id"]) & set(done)
    known = of(project, "second", "known_labels.parquet").set_index("id")
    assert known.loc[control.item(), ["why", "run", "annotators"]].tolist() == [CONTROL, "photos", "ada"]
    query = of(project, "second", "cycle_0/query.parquet")
    assert not set(query["id"]) & set(done)

    # What the old run learns from now on, the new one, which has begun, does not.
    go(project, cycles=SHORT)
    answer(project, 1, truth.get)
    go(project, run={"name": "second"}, oracle=POOL, cycles=SHORT)
    assert sorted(of(project, "second", "start/label_set.parquet")["id"]) == sorted(done)
