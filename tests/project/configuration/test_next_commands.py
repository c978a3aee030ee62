"""Commands are printed as a person would type them, with the settings of the run."""

from pt4al.project.configuration.next_commands import command_line, next_commands


def test_a_command_is_written_as_it_would_be_typed():
    typed = {"oracle": {"classes": ["cat", "dog"]}, "run": {"name": "mine"}}
    assert command_line("people", typed) == (
        "kedro run --pipelines=active_learning --env=people --params=oracle.classes=cat/dog,run.name=mine"
    )
    assert command_line(None, {}) == "kedro run --pipelines=active_learning"
    assert command_line(None, {"pool": {"source": {"path": "my photos"}}}).endswith("'pool.source.path=my photos'")


def test_the_baseline_differs_from_its_run_in_how_it_chooses_alone():
    typed = {"run": {"name": "mine", "seed": 3, "fresh": True}, "query": {"strategy": "badge"}, "pool": {"size": 32}}
    commands = next_commands("tiny", typed, "mine")
    assert commands["baseline_command"] == (
        "kedro run --pipelines=active_learning --env=tiny --params=run.seed=3,run.name=mine-random,"
        "query.start=random,query.scope=pool,query.strategy=top,query.measure=random,pool.size=32"
    )
    assert commands["report_command"] == (
        "kedro run --pipelines=report --env=tiny --params=run.name=mine,run.seed=3,query.strategy=badge,pool.size=32"
    )


def test_the_baseline_of_a_run_without_a_name_is_named_after_it():
    assert "run.name=default-random" in next_commands(None, {}, "default")["baseline_command"]
    assert next_commands(None, {}, "default")["report_command"] == "kedro run --pipelines=report"
