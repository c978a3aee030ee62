"""Every task exposes the names of the protocol."""

import pytest

from pt4al.training.tasks import TASKS, Task

NAMES = {name for name in Task.__dict__ if not name.startswith("_")} | set(Task.__annotations__)


@pytest.mark.parametrize("task", TASKS)
def test_every_task_has_the_names_of_the_protocol(task):
    assert {"dense", "metric", "targets", "loss", "evaluate"} < NAMES
    assert all(hasattr(TASKS[task], name) for name in NAMES)
