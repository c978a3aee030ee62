"""Commands as a person types them, with the settings of a run."""

import shlex
from typing import Any

from pt4al.project.configuration.identity import flat

# A query that chooses at random, whatever else was typed of block `query`.
AT_RANDOM = {"start": "random", "scope": "pool", "strategy": "top", "measure": "random"}


def command_line(
    env: str | None, settings: dict[str, Any], pipeline: str = "active_learning"
) -> str:
    """Return a command that can be typed.

    Parameters
    ----------
    env
        Environment of the configuration, if one was typed.
    settings
        Those that were typed, nested.
    """
    words = [f"kedro run --pipelines={pipeline}"]
    if env:
        words.append(f"--env={env}")
    typed = []
    for name, value in flat(settings).items():
        typed.append(f"{name}={_written(value)}")
    if typed:
        words.append(f"--params={shlex.quote(','.join(typed))}")
    return " ".join(words)


def _written(value: Any) -> str:
    """Return a value as Kedro's --params takes it."""
    if isinstance(value, list):
        return "/".join(map(str, value))
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    return str(value)


def without_change(settings: dict[str, Any]) -> dict[str, Any]:
    """Return typed settings without the word that let a run change, which is said once."""
    own = settings.get("run", {})
    if "change" not in own:
        return settings
    return settings | {"run": {name: own[name] for name in own if name != "change"}}


def baseline_of(run: str) -> str:
    """Return the name of the run that chooses at random beside a run."""
    return f"{run}-random"


def next_commands(env: str | None, settings: dict[str, Any], run: str) -> dict[str, str]:
    """Return what to type next, with what was typed for a run.

    Returns
    -------
    `baseline_command` starts the run's baseline; `report_command` makes the run's page again.
    """
    settings = without_change(settings)
    own = settings.get("run", {})
    kept = {name: value for name, value in own.items() if name not in ("name", "fresh")}
    baseline = settings | {"run": kept | {"name": baseline_of(run)}, "query": AT_RANDOM}
    report = settings
    if own:
        report = settings | {"run": {name: own[name] for name in own if name != "fresh"}}
    return {
        "baseline_command": command_line(env, baseline),
        "report_command": command_line(env, report, "report"),
    }
