"""Hand a node its settings as one object, while the graph still says which blocks it reads.

For nodes that read several blocks. One that reads a single block takes `params:<block>`; those of the
report and of comparisons, which show all settings, take `parameters`.
"""

import inspect
from collections.abc import Callable, Iterable
from typing import Any

from kedro.pipeline import Node

from pt4al.project.configuration.parameters import Parameters

PREFIX = "params:"


def settings_node(
    function: Callable,
    data: dict[str, str],
    blocks: Iterable[str],
    outputs: str | list[str],
    name: str,
    **bound: Any,
) -> Node:
    """Return a node whose function takes datasets by name, `settings`, and what is bound to it.

    Parameters
    ----------
    data
        Dataset of each argument.
    blocks
        Blocks of settings that the function reads; of others `settings` knows nothing.
    bound
        Arguments that are known now, such as the number of a cycle.
    """
    inspect.signature(function).bind(**data, settings=None, **bound)

    def run(**inputs: Any) -> Any:
        given = {argument: inputs[argument] for argument in data}
        settings = some_settings({block: inputs[PREFIX + block] for block in blocks})
        return function(**given, settings=settings, **bound)

    # No `functools.wraps`: Kedro reads the type hints of a node's parameters, and would make all
    # of the settings of each block.
    run.__name__ = function.__name__
    parameters = {PREFIX + block: PREFIX + block for block in blocks}
    return Node(run, data | parameters, outputs, name=name)


def some_settings(blocks: dict[str, Any]) -> Parameters:
    """Return settings that have these blocks alone: to read another one is an AttributeError."""
    fields = Parameters.model_fields
    checked = {
        name: fields[name].annotation.model_validate(block) for name, block in blocks.items()
    }
    return Parameters.model_construct(**checked)
