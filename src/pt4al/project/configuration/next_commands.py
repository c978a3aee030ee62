"""Commands as a person types them, with the settings of a run."""

import shlex
from typing import Any

from pt4al.project.configuration.dotted import flat

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
    """Return a value as --params reads it."""
    if isinstance(value, list):
        return "/".join(map(str, value))
    if value is None:
        return "null"
    return str(value).lower() if isinstance(value, bool) else str(value)


def baseline_of(run: str) -> str:
    """Return the name of the run that chooses at random beside a run."""
    return f"{run}-random"


def next_commands(env: str | None, settings: dict[str, Any], run: str) -> dict[str, str]:
    """Return what to type next, with what was typed for a run.

    Returns
    -------
    `baseline_command` starts the run's baseline; `report_command` makes the run's page again.
    """
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
