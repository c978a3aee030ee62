"""The commands that make a run again have all that differs from the defaults."""

from pt4al.project.configuration.identity import identity
from pt4al.project.configuration.parsing import parse
from pt4al.project.runs.history import History
from pt4al.project.runs.replay import commands
from support.projects import tiny


def test_a_run_that_people_label_is_made_again_with_its_classes_and_rules() -> None:
    defaults = tiny()
    own = parse(tiny(run={"name": "mine"}, oracle={"kind": "people", "classes": ["cat", "dog"]}))
    oracle = own.oracle.model_dump(mode="json") | {
        "annotators": 2,
        "go_on": {"share": 0.8, "after": None},
        "descriptions": {"cat": "no lynxes, please"},
    }
    (line,) = commands(History.begin(identity(own)), defaults, oracle)
    assert line == (
        "kedro run --pipelines=active_learning --params=run.name=mine,oracle.kind=people,"
        "oracle.annotators=2,oracle.classes=cat/dog,oracle.go_on.share=0.8"
    )
    (alone,) = commands(History.begin(identity(own)), defaults)
    assert "annotators" not in alone
