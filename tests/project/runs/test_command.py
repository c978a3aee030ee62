"""What a command is, as checks, locks and tracking see it, and what it says of a cycle."""

from types import SimpleNamespace

import pytest
from kedro.pipeline import Pipeline

from pt4al.project.configuration import parsing
from pt4al.project.configuration.loading import loader
from pt4al.project.runs import messages
from pt4al.project.runs.command import Command
from pt4al.project.runs.context import Context
from support.projects import ROOT


def test_settings_are_parsed_once_however_many_hooks_ask_for_the_command(monkeypatch: pytest.MonkeyPatch):
    parsed = []
    monkeypatch.setattr(parsing, "parse", lambda raw: parsed.append(raw) or raw)
    context = Context.__new__(Context)
    settings = loader(ROOT, "tiny")
    object.__setattr__(context, "resolved", SimpleNamespace(parameters=settings["parameters"]))
    vars(context).update(config_loader=settings, project_path=ROOT, env="tiny")
    commands = [Command.of(context, {"runtime_params": None}, Pipeline([])) for _ in range(3)]
    assert commands[0] == commands[1] == commands[2]
    assert len(parsed) == 1


def test_one_label_is_one_label_in_a_cycles_line(caplog: pytest.LogCaptureFixture):
    catalog = SimpleNamespace(load=lambda name: loader(ROOT, "tiny")[name])
    with caplog.at_level("INFO", logger="pt4al"):
        messages.tell("cycle_0.metrics", {"labels": 1, "accuracy": 0.5}, catalog)
    assert caplog.messages == ["cycle_0: 1 label, accuracy 50.0 %"]
