"""The command of a run that people label can be typed again, and keeps the classes in their places."""

import json
from pathlib import Path

import pandas as pd
import pytest

from pt4al.annotation.progress import Progress
from pt4al.errors import InputError
from pt4al.project.configuration.parameters import Parameters
from pt4al.project.configuration.parsing import parse
from pt4al.project.runs.folder import RunFolder
from pt4al.project.runs.labelling_command import check_classes, request
from support.projects import tiny


def asking(classes: list[str] | None, fresh: bool = False) -> Parameters:
    oracle = {"kind": "people", "classes": classes}
    return parse(tiny(run={"name": "mine", "fresh": fresh}, oracle=oracle))


@pytest.fixture
def folder(tmp_path: Path) -> RunFolder:
    folder = RunFolder(tmp_path, "mine")
    folder.record.mkdir(parents=True)
    (folder.record / "classes.json").write_text(json.dumps(["cat", "dog"]))
    return folder


@pytest.mark.parametrize("classes", [None, ["cat", "dog"], ["cat", "dog", "bird"]])
def test_classes_may_be_added_at_the_end(folder, classes):
    check_classes(asking(classes), folder)


def test_classes_may_not_go_or_change_places_but_for_a_fresh_start(folder):
    for classes in (["dog", "cat"], ["cat", "bird"]):
        with pytest.raises(InputError, match="run 'mine' has cat/dog: more may be added at the end"):
            check_classes(asking(classes), folder)
        check_classes(asking(classes, fresh=True), folder)
        check_classes(asking(classes), RunFolder(folder.root, "other"))


def test_a_request_says_what_is_missing_and_how_to_label():
    images = pd.DataFrame({"id": ["a", "b"], "state": ["labelled", None]})
    message = request(asking(["cat", "dog"]), 1, Progress(images))
    assert message.startswith(
        "Run mine, round 2 of 3: 1 of 2 answers; 1 missing.\n"
        "  To label:  kedro label --run=mine, which goes on by itself\n"
    )
