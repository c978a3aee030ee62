"""Show errors as one sentence, and keep the traceback of our own mistakes in a file."""

import errno
import os
import re
import shlex
import sys
import tempfile
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
import yaml
from kedro.config import MissingConfigException
from kedro.framework.cli.utils import KedroCliError
from kedro.io import DatasetError
from kedro.utils import find_kedro_project
from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException

from pt4al.errors import InputError

SHOWN = "PT4AL_TRACEBACK"  # environment variable: set it to see the traceback itself
AGAIN = "then type the command again, which goes on where it stopped"
LOCKS = "the file system lacks what is needed (locks): keep the project on a local disk"
SYSTEM = {  # what the operating system refuses, and the way out
    errno.ENOSPC: f"the disk is full: make room, {AGAIN}",
    errno.EDQUOT: f"your share of the disk is used up: make room, {AGAIN}",
    errno.EFBIG: (
        f"the file system, or `ulimit -f`, takes no file of this size: raise the limit, {AGAIN}"
    ),
    errno.EROFS: (
        "the disk can't be written to: mount it writable, "
        "or name another place (`root` in globals.yml)"
    ),
    errno.EACCES: f"you have no right to it: give yourself the right (ls -l, chmod), {AGAIN}",
    errno.EPERM: f"the system doesn't permit it: look at its rights (ls -l, lsattr), {AGAIN}",
    errno.EIO: (
        "the disk can't read or write it: look at the disk's health, "
        f"copy the file to another one, {AGAIN}"
    ),
    errno.ENAMETOOLONG: (
        "the name is too long for the file system: choose a shorter one, or a shorter folder"
    ),
    errno.EMFILE: f"too many files are open at once: raise the limit (ulimit -n 4096), {AGAIN}",
    errno.ENFILE: f"the machine has too many files open: end other programs, {AGAIN}",
    errno.ENOENT: (
        f"no such file or folder: was it moved, or a disk unmounted? Put it back, {AGAIN}"
    ),
    errno.ENOTDIR: "a file stands where a folder should be: move it away",
    errno.EISDIR: "a folder stands where a file should be: move it away",
    errno.EEXIST: "something else stands where it should be: move that away",
    errno.ENOTEMPTY: f"the folder is not empty: another process writes to it; wait for it, {AGAIN}",
    errno.ENODEV: "the file system can't map files into memory: keep the data on a local disk",
    errno.ESTALE: f"the network disk has lost it: mount it again, {AGAIN}",
    errno.ETIMEDOUT: f"the network disk doesn't answer: {AGAIN[5:]}",
    errno.ENOMEM: f"the machine has no memory left: end other programs, {AGAIN}",
    errno.ENOLCK: (
        "the file system has no locks: "
        "keep the project on one that has (a local disk, NFS with lockd)"
    ),
    errno.ENOSYS: LOCKS,
    errno.EOPNOTSUPP: LOCKS,
}
OF_RUST = re.compile(r"\(os error (\d+)\)")
MEMORY = (
    "the machine has no memory left: lower the schedule's `minibatch` or `engine.threads`, "
    f"or end other programs, {AGAIN}"
)


class Unexpected(click.ClickException):
    """An error that nobody has foreseen."""


class Interrupted(click.ClickException):
    """The command was ended by Ctrl-C."""

    exit_code = 130  # as shells tell it: 128 and the signal's number


class Spoken(click.Command):
    """A command whose errors are sentences, those of its options included."""

    def make_context(self, *args: Any, **kwargs: Any) -> click.Context:
        """See click.Command.make_context."""
        with sentences():
            return super().make_context(*args, **kwargs)

    def invoke(self, ctx: click.Context) -> Any:
        """See click.Command.invoke."""
        if hasattr(sys.stdout, "reconfigure"):
            sys.stdout.reconfigure(errors="backslashreplace")  # a locale may lack a name's letters
        try:
            with sentences():
                return super().invoke(ctx)
        except KeyboardInterrupt:
            raise Interrupted("interrupted; the same command goes on where it stopped") from None


class SpokenGroup(click.Group):
    """Commands that are `Spoken`."""

    command_class = Spoken
    group_class = type


@contextmanager
def sentences(project: Path | None = None) -> Iterator[None]:
    """Turn errors into exceptions that click shows as one sentence.

    Parameters
    ----------
    project
        Where a traceback is kept; None: the current project.
    """
    try:
        yield
    except KedroCliError as error:  # which would show itself with the names of its classes
        raise click.ClickException(error.message) from None
    except (click.ClickException, click.exceptions.Exit, click.Abort):
        raise
    except Exception as error:
        if os.environ.get(SHOWN) or _is_closed_pipe(error):
            raise
        message = sentence(error)
        if message is not None:
            raise click.ClickException(message) from None
        raise Unexpected(_unexpected(error, project)) from error


def sentence(error: BaseException | None) -> str | None:
    """Return the message of an error that a person or the machine has caused; else None.

    The errors that caused an error count too.
    """
    while error is not None:
        message = _message(error)
        if message is not None:
            return message
        error = error.__cause__
    return None


def _message(error: BaseException) -> str | None:
    if isinstance(error, InputError | MissingConfigException):
        return str(error)
    if isinstance(error, yaml.YAMLError | OmegaConfBaseException):
        return _unreadable_settings() or str(error)
    if isinstance(error, UnicodeDecodeError):
        return _unreadable_settings()
    number = _system_number(error)
    if number in SYSTEM:
        return f"{getattr(error, 'filename', None) or os.strerror(number)}: {SYSTEM[number]}"
    if (
        isinstance(error, MemoryError)
        or "can't allocate memory" in str(error)
        or "CUDA out of memory" in str(error)
        or "failed to map segment" in str(error)  # of a library that is imported
    ):
        return MEMORY
    return _refusal(error)


def _system_number(error: BaseException) -> int | None:
    if isinstance(error, OSError):
        return error.errno
    match = OF_RUST.search(str(error))  # safetensors is written in Rust
    return int(match[1]) if match else None


def _unreadable_settings() -> str | None:
    """Return a message that names the file of settings that is no YAML; its own has no name."""
    for file in sorted(_project().glob("conf/*/*.y*ml")):
        try:
            text = file.read_text(encoding="utf-8")
            settings = yaml.safe_load(text) or {}
            OmegaConf.create(text)  # refuses a key that stands there twice
            if not isinstance(settings, dict):
                return f"{file} holds a {type(settings).__name__}, not names and values"
        except yaml.YAMLError as error:
            return f"{file} is not YAML: {' '.join(str(error).split())}"
        except UnicodeDecodeError as error:
            return f"{file} is not in UTF-8 ({error}): save it in UTF-8"
        except OSError:
            continue
    return None


def _project() -> Path:
    return find_kedro_project(Path.cwd()) or Path.cwd()


def _refusal(error: BaseException) -> str | None:
    """Return Kedro's own message on what was typed: a node, a tag, a runner that is not there."""
    modules = [
        frame.f_globals.get("__name__", "") for frame, _ in traceback.walk_tb(error.__traceback__)
    ]
    last = modules[-1] if modules else ""
    if last.startswith(("omegaconf.", "kedro.config.", "kedro.framework.cli.")) and not isinstance(
        error, ValueError
    ):
        return _unreadable_settings() or (
            f"--params, --config or a file of conf/ can't be read ({error!r}): "
            "write --params=block.name=value"
        )
    typed = isinstance(error, ValueError) or (
        isinstance(error, DatasetError) and error.__cause__ is None
    )
    loaded = (
        isinstance(error, AttributeError | ImportError) and "kedro.utils" in modules
    )  # --runner
    return str(error) if loaded or (typed and last.startswith("kedro.")) else None


def _is_closed_pipe(error: Exception) -> bool:
    return (
        isinstance(error, OSError) and error.errno == errno.EPIPE
    )  # kedro run | head: click ends quietly


def _unexpected(error: Exception, project: Path | None) -> str:
    what = f"{type(error).__name__}: {error}".rstrip(": ").partition("\n")[0]
    kept = _keep(error, project or _project())
    return (
        f"something went wrong that is not your mistake: {what}\n"
        f"The traceback is in {kept}: please send it to the authors ({SHOWN}=1 shows it here). "
        "What is finished is kept: the same command goes on from there."
    )


def _keep(error: Exception, project: Path) -> Path:
    """Write an error's traceback into the project, or else the system's temporary folder."""
    from pt4al.project.runs.folder import REPORTS  # imports pandas

    head = f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S} {shlex.join(sys.argv)}\n"
    text = head + "".join(traceback.format_exception(error)) + "\n"
    for path in (
        project / "data" / REPORTS / "error.log",
        Path(tempfile.gettempdir()) / "pt4al-error.log",
    ):
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("a", encoding="utf-8", errors="backslashreplace") as log:
                log.write(text)
        except OSError:
            continue
        return path
    click.echo(text, err=True)
    return Path("the lines above")
