"""The base of every block of settings: immutable, its numbers finite, and a typo in a key is an error."""

from typing import Any, get_args

from pydantic import BaseModel, ConfigDict, ValidationInfo, field_validator


class Block(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    @field_validator("*", mode="before")
    @classmethod
    def _booleans_are_no_numbers(cls, value: Any, field: ValidationInfo) -> Any:
        """Python takes true for 1."""
        values = value if isinstance(value, list) else [value]
        wrong = any(isinstance(one, bool) for one in values)
        if wrong and bool not in (
            annotation := cls.model_fields[field.field_name].annotation,
            *get_args(annotation),
        ):
            raise ValueError("true and false are neither numbers nor names")
        return value
