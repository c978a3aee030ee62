"""Check settings as they were typed; whatever is wrong with them is told at once, in words."""

from typing import Any, get_origin

from pydantic import ValidationError

from pt4al.block import Block
from pt4al.errors import InputError, did_you_mean
from pt4al.project.configuration.kinds import MOMENT
from pt4al.project.configuration.parameters import BUCKET, NAME, Parameters

LONGEST_VALUE = 200  # of a message
PATTERNS = {
    NAME: "it must be letters, digits and any of _ . = -, and begin with a letter or a digit",
    BUCKET: "it must be an address such as s3://bucket/folder, without a password in it",
}


def parse(raw: dict) -> Parameters:
    """Return the parameters, or raise one InputError that names everything that is wrong with them."""
    try:
        return Parameters.model_validate(raw)
    except ValidationError as error:
        wrong: dict[str, list[str]] = {}
        for where, why in map(_worded, error.errors()):
            # A union has a reason for each of its kinds; of a block as a whole each says itself
            # where.
            wrong.setdefault(where or why, []).append(why if where else "")
        lines = [
            f"  {where}{', or '.join(dict.fromkeys(reasons))}" for where, reasons in wrong.items()
        ]
        raise InputError("\n".join(["parameters (conf/, or --params):", *lines])) from None


def _worded(found: dict) -> tuple[str, str]:
    """Where a mistake is, with the value, and what is wrong with it."""
    message = found["msg"].removeprefix("Value error, ").replace("Input should be", "it must be")
    whole = found["type"] == "value_error" and _is_block(_annotation(found["loc"]))
    if not found["loc"] or whole:  # of a block as a whole: it says itself where
        return "", message
    if found["type"] == "string_type" and isinstance(found["input"], int | float):
        message = (
            "it must be text, which YAML takes for a number: begin it with a letter, or quote it in"
            " conf/"
        )
    if found["type"] == "too_short":
        message = f"at least {found['ctx']['min_length']} different ones are needed"
    if found["type"] == "string_pattern_mismatch":
        message = PATTERNS.get(found["ctx"]["pattern"], message)
    path = _path(found["loc"])
    message = _plain_words(found, path) or message
    where = f"`{'.'.join(path)}`"
    if found["type"] == "extra_forbidden":
        return f"{where} is unknown: ", did_you_mean(path[-1], _fields(path[:-1]))
    if found["type"] == "missing":
        return f"{where} is missing", ""
    return f"{where} is {_shown(found['input'])}: ", message


def _plain_words(found: dict, path: list[str]) -> str | None:
    """Return a message where pydantic's is one for programmers."""
    kind = found["type"]
    if kind == "string_pattern_mismatch":
        return PATTERNS.get(found["ctx"]["pattern"])
    if kind.startswith(("timezone", "datetime", "date")):
        return f"it must be {MOMENT}"
    if kind.startswith(("model", "dict")):
        return f"it is a block of settings: `{'.'.join(path)}.<name>=<value>` sets one of them"
    return None


def _path(steps: tuple[str | int, ...]) -> list[str]:
    """Return names alone: pydantic adds what a union's branch is called, such as `constrained-int`."""
    path: list[str] = []
    block: Any = Parameters
    for step in map(str, steps):
        path.append(step)
        field = block.model_fields.get(step)
        if field is None:
            return path
        block = field.annotation
        if not _is_block(block):
            break
    rest = [str(step) for step in steps[len(path) :]]
    return path + (rest[:1] if rest and get_origin(block) is dict else [])


def _annotation(steps: tuple[str | int, ...]) -> Any:
    """Return the type of a setting, None of what is no setting of ours."""
    block: Any = Parameters
    for step in map(str, steps):
        if not _is_block(block) or step not in block.model_fields:
            return None
        block = block.model_fields[step].annotation
    return block


def _is_block(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, Block)


def _shown(value: Any) -> str:
    text = repr(value)
    return (
        text if len(text) <= LONGEST_VALUE else f"{text[:LONGEST_VALUE]}... ({len(text)} letters)"
    )


def _fields(path: list[str]) -> list[str]:
    block: Any = Parameters
    for step in path:
        block = block.model_fields[step].annotation
    return list(block.model_fields)
