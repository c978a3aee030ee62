"""Give a command the files that it writes: one name, one configuration, one process at a time."""

import logging

from filelock import FileLock

from pt4al.files import records
from pt4al.project.runs import guard, names
from pt4al.project.runs.command import Command, Kind

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
    lock = guard.lock(command.root, command.lock)
    if command.kind is not Kind.RUN:
        return lock
    run = command.parameters.run
    if run.fresh and guard.record_folder(command.root, run.name).exists():
        aside = guard.set_aside(command.root, run.name)
        logger.info("fresh start: the old files of %s are now %s", run.name, aside)
    guard.claim(command.root, command.parameters)
    if command.waits_for_people:
        write_policies(command)
    return lock


def write_policies(command: Command) -> None:
    """Write down the command, and how answers become labels, for the commands that read answers."""
    oracle = command.parameters.oracle.model_dump(mode="json")
    policies = guard.record_folder(command.root, command.parameters.run.name) / "policies.json"
    records.write(policies, {"command": command.typed_again(), "oracle": oracle})
