"""The project's commands: what their help says, and that none waits for what it does not need."""

import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from pt4al.errors import InputError
from pt4al.pipelines.graph import build
from pt4al.pipelines.options import GraphOptions
from pt4al.project.cli.commands import COMMANDS, cli
from pt4al.project.cli.run import PIPELINES
from pt4al.project.runs.beginning import check_environment

ROOT = Path(__file__).parents[3]
# Types a command, and tells which heavy libraries it has imported.
TYPED = """
import atexit, sys
from kedro.framework.cli.cli import main

heavy = {"torch", "torchvision", "mlflow", "sklearn", "scipy", "matplotlib"}
atexit.register(lambda: sys.stderr.write(f"imported {sorted(heavy & set(sys.modules))}"))
sys.argv = ["kedro", *sys.argv[1:]]
main()
"""


@pytest.mark.parametrize("typed", ["--help", "run --help", "label --help", "answers --help", "run --env=tinny"])
def test_a_command_that_only_says_something_imports_no_heavy_library(typed: str):
    command = [sys.executable, "-c", TYPED, *typed.split()]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.stderr.splitlines()[-1].endswith("imported []"), done.stderr


def test_the_first_line_says_what_starts_before_anything_heavy_is_imported_and_leaves_stdout_alone():
    stops = "from pt4al.project.runs.resume import KedroSession; KedroSession.create = lambda *_, **__: sys.exit(3)\n"
    script = TYPED.replace("main()\n", f"{stops}main()\n")
    settings = "--params=run.name=mine,comparison.name=ours"
    for pipelines, what in [
        ("", "run mine (active_learning)"),
        ("--pipelines=comparison", "comparison ours (comparison)"),
    ]:
        command = [sys.executable, "-c", script, "run", "--env=tiny", settings, *pipelines.split()]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        said = done.stderr.splitlines()
        assert said[0].endswith(f"  starting {what} ..."), done.stderr
        assert said[-1] == "imported []"
        assert done.stdout == ""


def test_the_summary_of_no_command_is_cut():
    runner = CliRunner()
    shown = [runner.invoke(cli, [*group, "--help"]).output for group in ([], ["answers"], ["label-studio"], ["cvat"])]
    assert all(name in shown[0] for name in COMMANDS)
    summaries = [line for help_page in shown for line in help_page.partition("Commands:")[2].splitlines()]
    assert [line for line in summaries if line.endswith("...")] == []


def test_the_help_of_run_names_every_pipeline_every_environment_and_the_file_of_settings():
    shown = CliRunner().invoke(cli, ["run", "--help"]).output
    words = shown.replace(",", " ").split()
    assert {*PIPELINES} == {*build(GraphOptions())} - {"__default__", "cell"}
    environments = {folder.name for folder in (ROOT / "conf").iterdir() if folder.is_dir()} - {"base"}
    assert {*PIPELINES, *environments, "conf/base/parameters.yml."} <= {*words}
    assert shown.count("  kedro run --") == 3


def test_a_pipeline_that_is_not_there_is_named_with_the_nearest_one():
    refused = CliRunner().invoke(cli, ["run", "--pipelines=pool,reprot"])
    assert refused.exit_code == 1
    assert refused.output == "Error: there is no pipeline 'reprot': did you mean 'report'?\n"


def test_an_environment_that_is_not_there_is_named_with_those_that_are(tmp_path: Path):
    for name in ("base", "tiny", "people"):
        (tmp_path / name).mkdir()
    for env in (None, "tiny"):
        check_environment(tmp_path, env)
    with pytest.raises(InputError, match=r"'tinny' in .*: did you mean 'tiny'\? The environments are people, tiny$"):
        check_environment(tmp_path, "tinny")
    with pytest.raises(InputError, match=r"no environment 'zzz' in .*: known: people, tiny$"):
        check_environment(tmp_path, "zzz")
