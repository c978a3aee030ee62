"""The settings reference names every setting, and says what each one is."""

import sys

import pytest
import yaml

from support.projects import ROOT

# A block whose keys are a person's own, as are those of every block that is empty.
OPEN = "comparison.arms"


@pytest.fixture(scope="module")
def settings() -> dict:
    sys.path.insert(0, str(ROOT / "docs"))
    try:
        import generate_settings
    finally:
        sys.path.remove(str(ROOT / "docs"))
    return {setting.name: setting for setting in generate_settings.settings()}


def leaves(block: dict, prefix: str = "") -> list[str]:
    names = []
    for key, value in block.items():
        name = f"{prefix}{key}"
        inside = isinstance(value, dict) and value and name != OPEN
        names += leaves(value, f"{name}.") if inside else [name]
    return names


def test_every_setting_is_in_the_reference(settings: dict) -> None:
    parameters = yaml.safe_load((ROOT / "conf/base/parameters.yml").read_text(encoding="utf-8"))
    assert sorted(settings) == sorted(leaves(parameters))


def test_every_setting_has_a_meaning(settings: dict) -> None:
    silent = [name for name, setting in settings.items() if len(setting.meaning) < 5]
    assert silent == [], "say what it is in a comment beside it in conf/base/parameters.yml"


def test_types_limits_and_choices_are_those_that_settings_are_checked_by(settings: dict) -> None:
    assert settings["pretext.schedule.shape"].kind == "`constant`, `step`, `one_cycle`"
    assert "`jigsaw`" in settings["pretext.task"].kind
    assert settings["main.dropout"].kind == "number (from 0, below 1)"
    assert settings["oracle.classes"].kind == "list of texts or null"
    assert settings["cycles.budget"].default == "40"


def test_a_comment_of_a_line_with_several_settings_is_split_among_them(settings: dict) -> None:
    assert settings["pretext.augment.flip"].meaning == "Flip half of the images"
    assert settings["main.augment.flip"].meaning == settings["pretext.augment.flip"].meaning
