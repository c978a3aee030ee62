"""Give a command the files that it writes: one name, one configuration, one process at a time."""

import logging

from filelock import FileLock

from pt4al.errors import counted
from pt4al.files import records
from pt4al.project.configuration.next_commands import command_line, without_change
from pt4al.project.runs import names
from pt4al.project.runs.changes import accept
from pt4al.project.runs.command import Command, Kind
from pt4al.project.runs.folder import RunFolder

logger = logging.getLogger(__name__)


def check_place(command: Command) -> None:
    """Raise InputError if its files would lie among those of something else, or of nothing."""
    parameters = command.parameters
    if command.kind is Kind.COMPARISON:
        names.check_comparison(command.root, parameters.comparison.name)
    elif command.kind is Kind.RUN:
        names.check_run(command.root, parameters.run.name)
        if command.versioned and not command.computes:
            names.check_begun(command.root, parameters.run.name, _as_typed(command))


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


def note_network(command: Command, cycle: int) -> None:
    """Write down which settings a cycle was made with, whose network has just been saved."""
    if command.versioned:
        folder = RunFolder(command.root, command.parameters.run.name)
        folder.note_settings(cycle, folder.history())


def _claim(command: Command) -> None:
    parameters = command.parameters
    folder = RunFolder(command.root, parameters.run.name)
    if parameters.run.fresh and folder.record.exists():
        aside = folder.set_aside()
        logger.info("fresh start: the old files of %s are now %s", folder.name, aside)
    typed = _as_typed(command)
    history = accept(folder, parameters, typed, command.asks)
    for cycle in range(parameters.cycles.number):  # a kill may have come before it was noted
        if folder.newest("network.safetensors", cycle):
            folder.note_settings(cycle, history)
    removed = folder.tidy()
    if removed:
        logger.info("removed %s of runs that are gone", counted(removed, "unfinished training"))
    if command.waits_for_people:  # commands that read answers need both
        oracle = parameters.oracle.model_dump(mode="json")
        records.write(folder.policies_file, {"command": typed, "oracle": oracle})


def _as_typed(command: Command) -> str:
    """Return the command of the whole run."""
    return command_line(command.env, without_change(command.typed))
