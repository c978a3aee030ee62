"""Commands are printed as a person would type them, with the settings of the run."""

import pytest
from omegaconf import OmegaConf

from pt4al.project.configuration.dotted import nested
from pt4al.project.configuration.next_commands import (
    AT_RANDOM,
    chooses_at_random,
    command_line,
    next_commands,
    with_cycles,
)
from pt4al.project.configuration.parsing import parse
from support.projects import tiny


def test_a_command_is_written_as_it_would_be_typed():
    typed = {"oracle": {"classes": ["cat", "dog"]}, "run": {"name": "mine"}}
    assert command_line("people", typed) == (
        "kedro run --pipelines=active_learning --env=people --params=oracle.classes=cat/dog,run.name=mine"
    )
    assert command_line(None, {}) == "kedro run --pipelines=active_learning"
    assert command_line(None, {"pool": {"source": {"path": "my photos"}}}).endswith("'pool.source.path=my photos'")


def test_the_baseline_differs_from_its_run_in_how_it_chooses_alone():
    typed = {"run": {"name": "mine", "seed": 3, "fresh": True}, "query": {"strategy": "badge"}, "pool": {"size": 32}}
    commands = next_commands("tiny", typed, "mine", tiny(**typed))
    assert commands["baseline_command"] == (
        "kedro run --pipelines=active_learning --env=tiny --params=run.seed=3,run.name=mine-random,"
        "query.start=random,query.scope=pool,query.strategy=top,query.measure=random,pool.size=32"
    )
    assert commands["report_command"] == (
        "kedro run --pipelines=report --env=tiny --params=run.name=mine,run.seed=3,query.strategy=badge,pool.size=32"
    )


def test_the_baseline_of_a_run_that_balances_classes_does_not():
    commands = next_commands("tiny", {}, "mine", tiny(query={"balance": True}))
    assert "query.balance=false" in commands["baseline_command"]


def test_the_baseline_of_a_run_without_a_name_is_named_after_it():
    commands = next_commands(None, {}, "default", tiny())
    assert "run.name=default-random" in commands["baseline_command"]
    assert commands["report_command"] == "kedro run --pipelines=report"


def test_another_seed_is_another_run():
    typed = {"run": {"name": "mine", "seed": 3}, "query": {"strategy": "badge"}}
    seed = next_commands("tiny", typed, "mine", tiny(**typed))["seed_command"]
    assert seed.endswith("--params=run.seed=4,run.name=mine-seed-4,query.strategy=badge")


def test_a_run_goes_on_with_one_more_cycle_but_by_batches_another_one_has_it():
    typed = {"run": {"name": "mine", "seed": 3}, "cycles": {"budget": 20}}
    longer = next_commands("tiny", typed, "mine", tiny(**typed))["longer_command"]
    assert longer.endswith("--params=run.seed=3,run.name=mine,cycles.budget=20,cycles.number=4")
    typed = {"cycles": {"number": 2, "budget": [10, 40]}}
    longer = next_commands(None, typed, "mine", tiny(**typed))["longer_command"]
    assert longer.endswith("--params=cycles.number=3,cycles.budget=10/40/40,run.name=mine")
    typed = {"query": {"scope": "batch"}}
    longer = next_commands(None, typed, "mine", tiny(**typed))["longer_command"]
    assert "run.name=mine-4-cycles" in longer


def test_a_comparison_is_of_the_arm_that_chooses_as_the_run_does():
    command = next_commands("tiny", {"pool": {"fit": "crop"}}, "mine", tiny())["comparison_command"]
    assert command.startswith(
        "kedro run --pipelines=comparison --env=tiny --params=pool.fit=crop,comparison.name=mine-s"
    )
    assert "comparison.compared=random/margin" in command
    typed = dict(pair.split("=") for pair in command.partition("--params=")[2].split(","))
    parse(OmegaConf.to_container(OmegaConf.merge(tiny(), nested(typed))))
    strange = tiny(query={"strategy": "badge", "start": "herding"})
    assert next_commands(None, {}, "mine", strange)["comparison_command"] == ""


def test_a_run_is_at_random_if_all_of_its_queries_are():
    at_random = {f"query.{name}": value for name, value in AT_RANDOM.items()}
    assert chooses_at_random(at_random)
    assert not chooses_at_random(at_random | {"query.start": "herding"})
    assert not chooses_at_random(at_random | {"query.scope": "batch"})
    assert not chooses_at_random(at_random | {"query.balance": True})


@pytest.mark.parametrize(
    ("typed", "longer"),
    [
        ("--env=people", "--env=people --params=cycles.number=4"),
        ("--params=run.name=a,cycles.number=3,x=y", "--params=run.name=a,x=y,cycles.number=4"),
        (
            "'--params=pool.source.path=/my photos' --env=tiny",
            "--env=tiny '--params=pool.source.path=/my photos,cycles.number=4'",
        ),
    ],
)
def test_a_command_is_given_another_number_of_cycles(typed, longer):
    assert with_cycles(f"kedro run {typed}", 4) == f"kedro run {longer}"
