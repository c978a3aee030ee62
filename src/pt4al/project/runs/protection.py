"""Give a command the files that it writes: one name, one configuration, one process at a time."""

import logging

from filelock import FileLock

from pt4al.files import records
from pt4al.project.configuration.identity import identity
from pt4al.project.configuration.next_commands import command_line
from pt4al.project.runs import names
from pt4al.project.runs.command import Command, Kind
from pt4al.project.runs.folder import RunFolder

logger = logging.getLogger(__name__)


def check_place(command: Command) -> None:
    """Raise InputError if files of the command would lie among those of something else."""
    parameters = command.parameters
    if command.kind is Kind.COMPARISON:
        names.check_comparison(command.root, parameters.comparison.name)
    elif command.kind is Kind.RUN:
        names.check_run(command.root, parameters.run.name)


def protect(command: Command) -> FileLock | None:
    """Return the lock of what the command writes; None where DVC keeps the files.

    A run's configuration is written down, or compared with the one it was started with.
    """
    if not command.versioned:
        return None
    lock = RunFolder(command.root, command.lock).lock()
    if command.kind is Kind.RUN:
        _claim(command)
    return lock


def _claim(command: Command) -> None:
    parameters = command.parameters
    folder = RunFolder(command.root, parameters.run.name)
    if parameters.run.fresh and folder.record.exists():
        aside = folder.set_aside()
        logger.info("fresh start: the old files of %s are now %s", folder.name, aside)
    folder.claim(identity(parameters))
    if command.waits_for_people:  # commands that read answers need both
        typed = command_line(command.env, command.typed)
        oracle = parameters.oracle.model_dump(mode="json")
        records.write(folder.policies_file, {"command": typed, "oracle": oracle})
