"""A processor is kept to the instructions that a setting asks for, whoever starts a command."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from numpy._core._multiarray_umath import __cpu_features__ as FEATURES

from pt4al.errors import InputError
from pt4al.project.configuration import instructions
from support.projects import kedro

# Prints what torch and numpy compute with; as a hook of a session it would come too late to be of use.
TELL = """
import json, os, torch
from numpy._core._multiarray_umath import __cpu_dispatch__ as dispatched, __cpu_features__ as features
beyond = [name for name in dispatched if features[name] and (name == "X86_V4" or name.startswith("AVX512"))]
print(json.dumps({"torch": torch.backends.cpu.get_cpu_capability(), "numpy": beyond}))
"""
START = f"""
import sys
from pathlib import Path
import click
from kedro.framework.startup import bootstrap_project
import numpy
from pt4al.project.runs.resume import Session

@click.command()
@click.option("--env")
def run(env):
    bootstrap_project(Path.cwd())
    Session.create(project_path=Path.cwd(), env=env)
    exec({TELL!r}, {{}})

run()
"""


def started(project: Path, *arguments: str) -> subprocess.CompletedProcess:
    """A command of one's own, which imports numpy before it makes a session."""
    plain = {name: value for name, value in os.environ.items() if name not in (*instructions.SWITCHES, "KEDRO_ENV")}
    plain.pop(instructions.NUMPY, None)
    strict = ["-W", "error::RuntimeWarning", "-W", "error::ImportWarning"]  # by which numpy says that it can't
    done = subprocess.run(
        [sys.executable, *strict, "-c", START, *arguments],
        cwd=project,
        capture_output=True,
        text=True,
        env=plain,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done


needs_avx2 = pytest.mark.skipif(not FEATURES.get("AVX2"), reason="this processor has no AVX2")


@needs_avx2
def test_a_command_that_wants_avx2_starts_again_with_it_before_torch_and_numpy_are_imported(project: Path) -> None:
    assert json.loads(started(project, "--env=published").stdout) == {"torch": "AVX2", "numpy": []}


def test_other_commands_compute_with_all_that_the_processor_has(project: Path) -> None:
    native = subprocess.run([sys.executable, "-c", TELL], capture_output=True, text=True, check=True)
    assert started(project, "--env=tiny").stdout == native.stdout


@needs_avx2
def test_a_command_starts_again_once(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in instructions.SWITCHES.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(instructions, "_beyond_avx2", lambda: [])
    monkeypatch.setattr(os, "execve", lambda *_: pytest.fail("started again"))
    instructions.start_again("avx2")


def test_numpy_keeps_what_somebody_has_disabled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(instructions.NUMPY, "AVX512_SPR")
    monkeypatch.setattr(instructions, "_beyond_avx2", lambda: ["X86_V4"])
    assert instructions.switches()[instructions.NUMPY] == "AVX512_SPR X86_V4"


def test_a_program_that_has_imported_torch_is_told_what_to_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in instructions.SWITCHES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(instructions, "_check_processor", lambda: None)
    with pytest.raises(InputError, match="ATEN_CPU_CAPABILITY='avx2' ONEDNN_MAX_CPU_ISA='AVX2'"):
        instructions.refuse("avx2")
    instructions.refuse("any")


def test_a_processor_without_avx2_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(FEATURES, "AVX2", False)
    with pytest.raises(InputError, match=r"needs a processor with AVX2, and this one \(.+\) has none"):
        instructions.refuse("avx2")


def test_an_unknown_word_for_instructions_is_one_sentence(project: Path) -> None:
    found = kedro("run", "--pipelines=pool", "--params=engine.instructions=avx512", cwd=project)
    assert found.returncode == 1
    assert "`engine.instructions` is 'avx512'" in found.stderr
    assert "Traceback" not in found.stderr
