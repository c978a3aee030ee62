"""What goes wrong is one sentence; what is our own mistake leaves its traceback in a file."""

import errno
import locale
import os
import resource
import shutil
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import click
import pytest
import torch
from click.testing import CliRunner, Result
from filelock import FileLock
from kedro.framework.startup import bootstrap_project
from kedro.io import DatasetError
from safetensors.torch import save_file

from pt4al.errors import InputError
from pt4al.files.whole import replacing
from pt4al.project.cli.runs import secrets
from pt4al.project.runs import error_messages
from pt4al.project.runs.error_messages import SYSTEM, Spoken, Unexpected, sentence, sentences
from support.projects import ROOT

TYPED = {  # what somebody types, and part of what is said
    "a hyphen for a dot": ("--params=query-measure=random", "`query-measure` is unknown"),
    "a bracket": ("--params=[=3", "write --params=block.name=value"),
    "one setting twice": ("--params=run.seed=1, run.seed=2", "`run.seed` stands there twice"),
    "what is not decided yet": ("--params=run.name=???", "??? is no value"),
    "no value": ("--params=a.b", "must contain a key and a value"),
    "an interpolation of nothing": ("--params=cycles.budget=${nope}", "Interpolation key 'nope' not found"),
    "an environment that is not there": ("--env=nowhere", "no environment 'nowhere'"),
    "a node that is not there": ("--nodes=nope", "does not contain nodes named ['nope']"),
    "a first node that is not there": ("--from-nodes=nope", "does not contain nodes named ['nope']"),
    "an input that is not there": ("--from-inputs=nope", "does not contain datasets named ['nope']"),
    "an output that is not there": ("--to-outputs=nope", "does not contain datasets named ['nope']"),
    "a tag that is not there": ("--tags=nope", "contains no nodes"),
    "a cycle that is not there": ("--namespaces=cycle_9", "following namespaces: ['cycle_9']"),
    "a pipeline that is not there": ("--pipelines=nope", "there is no pipeline 'nope'"),
    "a runner that is not there": ("--runner=Nonsense", "has no attribute 'Nonsense'"),
    "a runner of nobody": ("--runner=nobody.Nonsense", "No module named 'nobody'"),
    "a runner that does not resume": ("--runner=ThreadRunner", "leave --runner away"),
    "half a version": ("--load-versions=x", "Expected the form of 'load_versions'"),
    "a version of nothing": ("--load-versions=nope:x", "keys [nope] are not found"),
    "a settings file that is not there": ("--config=nowhere.yml", "'nowhere.yml' does not exist"),
    "a settings file of another kind": ("--config=conf/base/mlflow.yml", "can't be read"),
    "another conf that is not there": ("--conf-source=nowhere", "'nowhere' does not exist"),
    "a report on nothing": ("--pipelines=report", "run 'tiny' has nothing to report yet: no cycle is finished"),
    "a report on nothing, and the way out": (
        "--pipelines=report",
        "Type `kedro run --pipelines=active_learning --env=tiny` first",
    ),
    "a node whose inputs are not there": ("--nodes=ranking.rank_pool", "pretext_loss: not there yet"),
    "a stage whose inputs are not there": ("--pipelines=pretext", "pool: not there yet"),
}
BROKEN = {  # files of settings: name, content, part of what is said
    "no YAML": ("base/parameters.yml", b"a: [1,\nb: }", "base/parameters.yml is not YAML"),
    "Latin-1": ("base/parameters.yml", b"a: caf\xe9", "base/parameters.yml is not in UTF-8"),
    "a setting twice": (
        "base/parameters.yml",
        b"a: 1\na: 2\n",
        "found duplicate key a",
    ),
    "a list": ("base/parameters.yml", b"- 1\n", "base/parameters.yml holds a list, not names and values"),
    "zeros": ("base/catalog.yml", b"\0\0\0", "base/catalog.yml is not YAML"),
    "a Python object": ("base/catalog.yml", b"x: !!python/object:os.system {}", "base/catalog.yml is not YAML"),
    "an empty catalog": ("base/catalog.yml", b"", "not found in the catalog"),
    "nothing of globals": ("base/globals.yml", b"", "globals.yml has to say root, versioned"),
    "a list of globals": ("base/globals.yml", b"- 1", "base/globals.yml holds a list"),
    "a number for a folder": (
        "base/globals.yml",
        b"root: 5\nversioned: true",
        "`root` is 5: it must be a folder's name",
    ),
    "a word for a truth value": ("base/globals.yml", b"root: data\nversioned: maybe", "`versioned` is 'maybe'"),
    "half of MLflow's settings": (
        "base/mlflow.yml",
        b"experiment: x",
        "has to say experiment, log_models, tracking_uri",
    ),
    "one setting in two files": ("base/parameters_too.yml", b"run: {seed: 1}", "Duplicate keys found"),
}


def typed(project: Path, *arguments: str) -> Result:
    """Type a command in this process."""
    from kedro.framework.cli.cli import KedroCLI

    bootstrap_project(project)
    return CliRunner().invoke(KedroCLI(project_path=project), list(arguments))


def check_said(result: Result, message: str) -> None:
    assert isinstance(result.exception, SystemExit)
    assert result.exit_code in (1, 2)
    assert message in result.output
    assert "Traceback" not in result.output


@pytest.mark.parametrize("argument, message", TYPED.values(), ids=TYPED)
def test_what_is_typed_wrongly_is_one_sentence(project: Path, argument: str, message: str) -> None:
    environment = () if argument.startswith("--env") else ("--env=tiny",)
    result = typed(project, "run", *environment, argument)
    check_said(result, message)
    assert "not your mistake" not in result.output


def test_a_page_alone_is_told_what_makes_the_whole_report(copied: Path) -> None:
    result = typed(copied, "run", "--env=tiny", "--nodes=report.write_report")
    check_said(result, "type `kedro run --pipelines=report --env=tiny`")


def test_a_report_on_nothing_leaves_no_run_behind(project: Path) -> None:
    typed(project, "run", "--env=tiny", "--pipelines=report")
    assert not (project / "data/05_model_input/tiny").exists()


@pytest.mark.parametrize("file, content, message", BROKEN.values(), ids=BROKEN)
def test_broken_settings_are_one_sentence_that_names_the_file(
    project: Path, file: str, content: bytes, message: str
) -> None:
    (project / "conf" / file).write_bytes(content)
    result = typed(project, "run", "--env=tiny")
    check_said(result, message)
    assert "not your mistake" not in result.output


@pytest.mark.parametrize("content", [b"a: [1,", b"a: caf\xe9", b"- 1", b"label_studio: a token"])
def test_broken_credentials_are_one_sentence_that_names_the_file(project: Path, content: bytes) -> None:
    (project / "conf/local").mkdir(exist_ok=True)
    (project / "conf/local/credentials.yml").write_bytes(content)
    with pytest.raises(click.ClickException, match=r"credentials\.yml"), sentences():
        secrets(project)


def test_a_file_in_the_place_of_a_folder_is_one_sentence(project: Path) -> None:
    (project / "data/05_model_input").touch()
    check_said(typed(project, "run", "--env=tiny"), "data/05_model_input: something else stands where it should be")


def test_a_name_that_is_too_long_is_one_sentence(project: Path) -> None:
    check_said(typed(project, "run", "--env=tiny", f"--params=run.name={'x' * 300}"), "at most 200 characters")


# --------------------------------------------------------------------------------------------- the operating system


def full(folder: Path) -> None:
    with Path("/dev/full").open("w") as device:
        device.write("x")


def too_long(folder: Path) -> None:
    (folder / ("x" * 300)).touch()


def no_folder(folder: Path) -> None:
    (folder / "file").touch()
    (folder / "file" / "x").touch()


def a_folder(folder: Path) -> None:
    folder.read_bytes()


def too_large(folder: Path) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10, hard))
    try:
        (folder / "x").write_bytes(bytes(100))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, handler)


def too_many(folder: Path) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (0, hard))
    try:
        (folder / "x").write_bytes(b"x")
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


REAL = {full: "disk is full", too_long: "too long", no_folder: "a file stands", a_folder: "a folder stands"}
REAL |= {too_large: "no file of this size", too_many: "too many files"}


@pytest.mark.parametrize("failing, message", REAL.items(), ids=[failing.__name__ for failing in REAL])
def test_what_the_system_refuses_is_one_sentence(tmp_path: Path, failing: Callable, message: str) -> None:
    with pytest.raises(click.ClickException, match=message) as told, sentences():
        try:
            failing(tmp_path)
        except OSError as error:  # as Kedro wraps it
            raise DatasetError("Failed while saving") from error
    assert not isinstance(told.value, Unexpected)


def test_a_full_disk_is_told_with_the_file_that_was_written(tmp_path: Path) -> None:
    with (
        pytest.raises(click.ClickException, match=r"x\.json: the disk is full"),
        sentences(),
        replacing(tmp_path / "x.json") as temporary,
    ):
        temporary.write_bytes(b"x")
        full(tmp_path)
    assert list(tmp_path.iterdir()) == []  # nothing of it is left to fill the disk


def test_what_libraries_of_rust_say_of_the_system_is_understood(tmp_path: Path) -> None:
    with pytest.raises(click.ClickException, match="too long"), sentences():
        save_file({"a": torch.zeros(1)}, tmp_path / ("x" * 300))


@pytest.mark.parametrize("number", SYSTEM, ids=errno.errorcode.get)
def test_the_path_and_a_way_out_are_named(number: int) -> None:
    told = sentence(OSError(number, os.strerror(number), "/data/x"))
    assert told.startswith("/data/x: ")
    assert len(told) > 60


def test_a_file_system_without_locks_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*arguments: object) -> None:
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr("fcntl.flock", refuse)
    with pytest.raises(click.ClickException, match="no locks"), sentences(), FileLock(tmp_path / "lock", timeout=0):
        pass


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 8 bytes"),
        ImportError("libtorch_cuda.so: failed to map segment from shared object"),
    ],
)
def test_memory_that_runs_out_is_one_sentence(error: Exception) -> None:
    assert "the schedule's `minibatch`" in sentence(error)


# ------------------------------------------------------------------------------------------------- our own mistakes


@pytest.fixture
def broken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable]:
    """What runs a command that fails with an error, in a project of its own."""
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv(error_messages.SHOWN, raising=False)

    def fail(error: BaseException) -> Result:
        def callback() -> None:
            raise error

        return CliRunner().invoke(Spoken("fail", callback=callback))

    return fail


def test_our_own_mistake_is_a_sentence_and_its_traceback_a_file(broken: Callable, tmp_path: Path) -> None:
    result = broken(KeyError("who knows"))
    assert result.exit_code == 1
    assert "something went wrong that is not your mistake: KeyError: 'who knows'" in result.output
    assert "Traceback" not in result.output
    log = tmp_path / "data/08_reporting/error.log"
    assert str(log) in result.output
    assert "Traceback" in log.read_text()
    assert "in callback" in log.read_text()


def test_the_traceback_is_shown_to_those_who_ask_for_it(broken: Callable, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(error_messages.SHOWN, "1")
    assert isinstance(broken(KeyError("x")).exception, KeyError)


def test_where_the_project_cannot_be_written_to_the_file_is_the_systems(broken: Callable, tmp_path: Path) -> None:
    (tmp_path / "data").touch()
    log = Path(os.environ.get("TMPDIR", "/tmp")) / "pt4al-error.log"
    assert str(log) in broken(KeyError("x")).output
    assert log.exists()


def test_a_value_error_of_our_own_is_no_persons_mistake(broken: Callable) -> None:
    assert "not your mistake" in broken(ValueError("x")).output


def test_a_persons_mistake_leaves_no_file(broken: Callable, tmp_path: Path) -> None:
    result = broken(InputError("say this"))
    assert result.output == "Error: say this\n"
    assert not (tmp_path / "data").exists()


def test_a_key_that_interrupts_is_one_line(broken: Callable) -> None:
    result = broken(KeyboardInterrupt())
    assert result.output.splitlines() == ["Error: interrupted; the same command goes on where it stopped"]
    assert result.exit_code == 130


# ----------------------------------------------------------------------------------------------------------- letters


@pytest.fixture
def ascii_locale() -> Iterator[None]:
    """A locale whose files are ASCII."""
    before = locale.setlocale(locale.LC_ALL)
    locale.setlocale(locale.LC_ALL, "C")
    yield
    locale.setlocale(locale.LC_ALL, before)


def test_pages_and_tables_are_utf8_whatever_the_locale_says(project: Path, ascii_locale: None) -> None:
    import pandas as pd

    from pt4al.project.runs.resume import Session

    bootstrap_project(project)
    with Session.create(project_path=project, env="tiny", save_on_close=False) as session:
        catalog = session.load_context().catalog
    if locale.getencoding().lower().startswith("utf"):
        pytest.skip("Python takes every file for UTF-8 here (UTF-8 mode)")
    for name in ("report", "intake", "comparison_page", "predictions_page", "cold_start_page"):
        catalog.save(name, "<p>café ✓</p>")
        assert catalog.load(name) == "<p>café ✓</p>"
        assert Path(catalog[name]._get_load_path()).read_bytes() == "<p>café ✓</p>".encode()
    for name in ("learning_curve", "comparison_cells"):
        catalog.save(name, pd.DataFrame({"class": ["café"]}))
        assert list(catalog.load(name)["class"]) == ["café"]
