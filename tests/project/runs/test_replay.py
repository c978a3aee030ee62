"""The commands that make a run again."""

from pt4al.project.configuration.dotted import flat
from pt4al.project.runs.history import Chapter, History
from pt4al.project.runs.replay import commands
from support.projects import tiny


def test_the_command_of_a_run_that_people_label_has_its_classes_and_policies():
    defaults = tiny()
    history = History((Chapter(0, 0, {"run.name": "mine", "oracle.kind": "people"}, {}),))
    oracle = defaults["oracle"] | {"kind": "people", "classes": ["cat", "dog"], "annotators": 3}
    (command,) = commands(history, defaults, oracle)
    settings = command.partition("--params=")[2].split(",")
    assert settings == ["run.name=mine", "oracle.kind=people", "oracle.classes=cat/dog", "oracle.annotators=3"]
    (recorded,) = commands(history, defaults)
    assert "oracle.classes" not in recorded
    assert flat(defaults)["oracle.annotators"] == 1
