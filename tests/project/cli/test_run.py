"""What is typed after --params is read as it was typed."""

from pathlib import Path

import click
import pytest

from pt4al.errors import InputError
from pt4al.project.cli.run import run
from pt4al.project.runs.beginning import check_place


def typed(text: str) -> object:
    context = click.Context(click.Command("run"))
    (option,) = [option for option in run.params if option.name == "params"]
    return option.callback(context, option, f"pool.source.path={text}")["pool"]["source"]["path"]


@pytest.mark.parametrize(
    "path", ["/photos #2", "/photos: mine", "C:", "&a b", "*x", "!x", "it's #1", "- x", "%x", "@home", "a b", "x#y"]
)
def test_text_stays_as_it_was_typed(path):
    assert typed(path) == path


@pytest.mark.parametrize(
    ("text", "value"), [("7", 7), ("true", True), ("null", None), ("'7'", "7"), ("[1]", [1]), ('"a #b"', "a #b")]
)
def test_what_is_meant_as_yaml_is_yaml(text, value):
    assert typed(text) == value


@pytest.mark.parametrize("name", ["[v2]", "{x}", "a}b"])
def test_bracket_in_the_projects_path_is_told(name):
    with pytest.raises(InputError, match="a bracket in the project's path is a pattern for Kedro"):
        check_place(Path("/home/me") / name)
    check_place(Path("/home/me/a b (1), ü %20 #1"))
