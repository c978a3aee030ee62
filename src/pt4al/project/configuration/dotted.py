"""Settings by dotted name, `pool.source.path`, and as nested blocks."""

from typing import Any


def flat(parameters: dict, prefix: str = "") -> dict[str, Any]:
    """Return nested parameters as one level of dotted names."""
    leaves: dict[str, Any] = {}
    for name, value in parameters.items():
        leaves |= (
            flat(value, f"{prefix}{name}.")
            if isinstance(value, dict)
            else {f"{prefix}{name}": value}
        )
    return leaves


def nested(settings: dict) -> dict:
    """Return settings by dotted name as blocks: the way back from `flat`."""
    whole: dict = {}
    for name, value in settings.items():
        *blocks, last = name.split(".")
        block = whole
        for step in blocks:
            block = block.setdefault(step, {})
        block[last] = value
    return whole
