"""What Kedro's settings of this project do to the process."""

import gc

import pytest

from pt4al import settings


def test_no_garbage_is_looked_for_while_hooks_are_imported_and_afterwards_it_is(monkeypatch: pytest.MonkeyPatch):
    enabled = []
    monkeypatch.setattr("pt4al.project.hooks.machine.MachineHooks", lambda: enabled.append(gc.isenabled()))
    settings._hooks.cache_clear()
    try:
        settings._hooks()
    finally:
        settings._hooks.cache_clear()
    assert enabled == [False]
    assert gc.isenabled()
