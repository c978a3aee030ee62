"""Which runs a comparison is made of."""

import json
import shlex
from dataclasses import dataclass
from typing import Any

import pandas as pd
from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException

from pt4al.errors import InputError
from pt4al.project.configuration.dotted import flat
from pt4al.project.configuration.folder_names import features_fingerprint, pretext_fingerprint
from pt4al.project.configuration.identity import fingerprint
from pt4al.project.configuration.parameters import Parameters
from pt4al.project.configuration.parsing import parse

# What makes a cell a cell is not an arm's to set; nor is what all cells must share to be compared.
NOT_AN_ARMS = ("run", "engine", "report", "comparison", "cold_start")
ALONE = {
    "cluster": "local",
    "workers": "auto",
    "ranks": 1,
}  # settings of an engine that is one process


@dataclass(frozen=True)
class Cell:
    """One run of a comparison: an arm with a seed, its `settings` on top of the environment's."""

    arm: str
    settings: dict[str, Any]
    parameters: Parameters

    @property
    def run(self) -> str:
        """Its name."""
        return self.parameters.run.name

    @property
    def pool(self) -> str:
        """Name of the pool, which cells with the same settings share."""
        return fingerprint(self.parameters.pool, self.parameters.main.task)

    @property
    def pretext(self) -> str:
        """Name of the pretext network, which cells with the same settings and seed share."""
        return pretext_fingerprint(self.parameters)

    @property
    def features(self) -> str | None:
        """Name of features computed before the pretext network; None if they are its own."""
        return (
            None if self.parameters.features.from_pretext else features_fingerprint(self.parameters)
        )

    def command(self, env: str | None) -> str:
        """Return what a person types to run this cell alone."""
        typed = [f"{name}={_text(value)}" for name, value in flat(self.settings).items()]
        odd = [text for text in typed if "," in text]
        if odd:
            return f"(can't be typed: {odd[0]} has a comma; write it in an environment)"
        where = [f"--env={env}"] if env else []
        return shlex.join(
            ["kedro", "run", "--pipelines=active_learning", *where, f"--params={','.join(typed)}"]
        )


def cells(parameters: dict, typed: dict) -> list[Cell]:
    """Return the cells of a comparison, seed by seed.

    Parameters
    ----------
    parameters
        All parameters, `auto` resolved.
    typed
        Parameters typed on the command line, nested: they hold for each cell, under its arm's.

    Raises
    ------
    InputError
        If an arm's settings are wrong: names it.
    """
    checked = parse(parameters)
    parameters = checked.model_dump(mode="json")
    comparison = checked.comparison
    if checked.run.fresh:
        raise InputError(
            "`run.fresh` is for one run: give the comparison another name "
            "(comparison.name=...) instead"
        )
    typed = {
        block: settings for block, settings in typed.items() if block not in ("run", "comparison")
    }
    planned = []
    for seed in comparison.seeds:
        planned += [_cell(arm, seed, 0, parameters, typed) for arm in comparison.compared]
        if comparison.repeated:
            planned.append(_cell(comparison.repeated, seed, 1, parameters, typed))
    return planned


def write_plan(parameters: dict, project: dict) -> pd.DataFrame:
    """Return one row a cell: `arm`, `seed`, `repeat`, `run`, `pretext`, `command`.

    Cells with the same `pretext` share their pretext network.
    """
    return pd.DataFrame(
        {
            "arm": cell.arm,
            "seed": cell.parameters.run.seed,
            "repeat": cell.parameters.run.repeat,
            "run": cell.run,
            "pretext": cell.pretext,
            "command": cell.command(project["env"]),
        }
        for cell in cells(parameters, project["typed"])
    )


def _cell(arm: str, seed: int, repeat: int, parameters: dict, typed: dict) -> Cell:
    comparison = parameters["comparison"]
    own = comparison["arms"][arm]
    for block in NOT_AN_ARMS:
        if block in own:
            raise InputError(
                f"`comparison.arms.{arm}.{block}` is not an arm's to set: it is the same for "
                "all cells"
            )
    name = f"{comparison['name']}-{arm}-s{seed}" + (f"-r{repeat}" if repeat else "")
    # The precision is this machine's for all cells: each could find another one.
    engine = {**parameters["engine"], "threads": comparison["threads"]}
    # Workers of a worker would wait for each other's cores.
    engine |= {name: value for name, value in ALONE.items() if name in engine}
    identity = {"name": name, "seed": seed, "repeat": repeat}
    own = {**own, "run": identity, "engine": engine, "report": {"reasons": False}}
    shared = {"ranking": {"share": comparison["share"]}} if comparison["share"] < 1 else {}
    try:
        own = _merged(shared, own)
        merged = _merged(
            {block: parameters[block] for block in parameters.keys() - {"comparison"}}, own
        )
        # The comparison's block holds all arms' settings, which take long to merge.
        checked = parse(merged | {"comparison": comparison})
    except InputError as error:
        raise InputError(f"`comparison.arms.{arm}`, {error}") from None
    except (
        OmegaConfBaseException
    ) as error:  # settings where a value belongs, or the other way round
        raise InputError(f"`comparison.arms.{arm}`: {str(error).splitlines()[0]}") from None
    return Cell(arm, _merged(typed, own), checked)


def _merged(*settings: dict) -> dict:
    """Merge settings as Kedro merges the command line's with the environment's."""
    return OmegaConf.to_container(OmegaConf.merge(*settings))


def _text(value: Any) -> str:
    if isinstance(value, list) and all(isinstance(one, str | int) for one in value) and value:
        return "/".join(map(str, value))
    return value if isinstance(value, str) else json.dumps(value)
