"""Nodes that are handed their settings as one object."""

import pytest
import yaml

from pt4al.pipelines.settings import settings_node, some_settings
from pt4al.project.configuration.parameters import Parameters
from support.projects import ROOT


@pytest.fixture
def blocks() -> dict:
    return yaml.safe_load((ROOT / "conf/base/parameters.yml").read_text())


def label(images: int, settings: Parameters, *, cycle: int) -> str:
    return f"{images} images, {settings.cycles.number} cycles, number {cycle}"


def test_a_node_is_handed_its_blocks_as_one_object_and_what_is_bound_to_it(blocks: dict) -> None:
    node = settings_node(label, {"images": "pool"}, ["cycles"], "sentence", "label", cycle=3)
    assert node.run({"pool": 7, "params:cycles": blocks["cycles"]}) == {"sentence": "7 images, 5 cycles, number 3"}


def test_the_graph_says_which_blocks_of_settings_a_node_reads() -> None:
    node = settings_node(label, {"images": "pool"}, ["cycles", "run"], "sentence", "label", cycle=0)
    assert set(node.inputs) == {"pool", "params:cycles", "params:run"}


def test_settings_know_nothing_of_blocks_that_a_node_does_not_read(blocks: dict) -> None:
    settings = some_settings({"cycles": blocks["cycles"]})
    assert settings.cycles.number == 5
    with pytest.raises(AttributeError):
        _ = settings.query


def test_an_argument_that_a_function_lacks_is_refused_when_it_is_wired() -> None:
    with pytest.raises(TypeError, match="images"):
        settings_node(label, {"pictures": "pool"}, ["cycles"], "sentence", "label", cycle=0)
