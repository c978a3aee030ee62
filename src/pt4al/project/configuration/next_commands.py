"""Commands as a person types them, with the settings of a run."""

import shlex
from typing import Any

from pt4al.project.configuration.dotted import flat

PARAMS = "--params="
# A query that chooses at random, whatever else was typed of block `query`.
AT_RANDOM = {"start": "random", "scope": "pool", "strategy": "top", "measure": "random"}


def chooses_at_random(settings: dict[str, Any]) -> bool:
    """Whether a run with these settings, by dotted name, draws all its queries at random."""
    at_random = all(settings.get(f"query.{name}") == value for name, value in AT_RANDOM.items())
    return at_random and not settings.get("query.balance")


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


def without_change(settings: dict[str, Any]) -> dict[str, Any]:
    """Return typed settings without the word that let a run change, which is said once."""
    own = settings.get("run", {})
    if "change" not in own:
        return settings
    return settings | {"run": {name: own[name] for name in own if name != "change"}}


def with_cycles(command: str, number: int) -> str:
    """Return a run's command, with another number of cycles."""
    words = shlex.split(command)
    settings = [f"cycles.number={number}"]
    for word in [word for word in words if word.startswith(PARAMS)]:
        words.remove(word)
        typed = word.removeprefix(PARAMS).split(",")
        settings = [one for one in typed if not one.startswith("cycles.number=")] + settings
    return shlex.join([*words, PARAMS + ",".join(settings)])


def one_more_round(run: str, rounds: int) -> str:
    """Return the command that goes on to label a run that has had all its rounds."""
    return f"kedro label --run={run} --cycles={rounds + 1}"


def use_model(run: str, path: str) -> str:
    """Return the command that lets a run's model name pictures."""
    return command_line(None, {"run.name": run, "predict.path": path}, "predict")


def baseline_of(run: str) -> str:
    """Return the name of the run that chooses at random beside a run."""
    return f"{run}-random"


def next_commands(
    env: str | None, settings: dict[str, Any], run: str, resolved: dict[str, Any]
) -> dict[str, str]:
    """Return what to type next, with what was typed for a run.

    Parameters
    ----------
    env, settings
        See `command_line`.
    run
        The run's name.
    resolved
        All of its settings, nested.

    Returns
    -------
    `run_command` goes on with the run; `report_command` makes its page again; `baseline_command`
    starts its baseline; `seed_command` the same run with another seed; `longer_command` one of one
    more cycle; `comparison_command` compares its strategy with choosing at random, by many seeds:
    empty if no arm of the comparison has it.
    """
    settings = without_change(settings)
    own = settings.get("run", {})
    kept = {name: value for name, value in own.items() if name not in ("name", "fresh")}
    again = settings
    if own:
        again = settings | {"run": {name: own[name] for name in own if name != "fresh"}}
    at_random = AT_RANDOM
    if resolved["query"]["balance"]:
        at_random = AT_RANDOM | {"balance": False}
    baseline = settings | {"run": kept | {"name": baseline_of(run)}, "query": at_random}
    seed = resolved["run"]["seed"] + 1
    another = settings | {"run": kept | {"name": f"{run}-seed-{seed}", "seed": seed}}
    return {
        "run_command": command_line(env, again),
        "report_command": command_line(env, again, "report"),
        "baseline_command": command_line(env, baseline),
        "seed_command": command_line(env, another),
        "longer_command": command_line(env, settings | _longer(settings, kept, run, resolved)),
        "comparison_command": _comparison(env, settings, run, resolved),
    }


def _longer(
    settings: dict[str, Any], kept: dict[str, Any], run: str, resolved: dict[str, Any]
) -> dict[str, Any]:
    """Return the blocks in which a run of one more cycle differs from what was typed."""
    cycles = {"number": resolved["cycles"]["number"] + 1}
    budget = resolved["cycles"]["budget"]
    if isinstance(budget, list):
        cycles["budget"] = [*budget, budget[-1]]
    name = run
    if resolved["query"]["scope"] == "batch":  # the ranking of the run has no more batches
        name = f"{run}-{cycles['number']}-cycles"
    return {"run": kept | {"name": name}, "cycles": settings.get("cycles", {}) | cycles}


def _comparison(
    env: str | None, settings: dict[str, Any], run: str, resolved: dict[str, Any]
) -> str:
    comparison = resolved["comparison"]
    arm = _arm(resolved["query"], comparison["arms"])
    if arm is None or comparison["repeated"] not in (None, "random", arm):
        return ""
    asked = {
        "name": f"{run}-seeds",
        "compared": ["random", arm],
        "reference": "random",
        "rule": {"claim": arm, "against": ["random"]},
    }
    kept = {name: block for name, block in settings.items() if name not in ("run", "query")}
    return command_line(env, kept | {"comparison": asked}, "comparison")


def _arm(query: dict[str, Any], arms: dict[str, dict[str, Any]]) -> str | None:
    """Return the arm of a comparison that chooses as a run does; None if there is none."""
    if "random" not in arms:
        return None
    for name, arm in arms.items():
        same = all(query.get(setting) == value for setting, value in arm.get("query", {}).items())
        if name != "random" and set(arm) == {"query"} and same:
            return name
    return None
