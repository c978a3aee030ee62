"""Base of every block of settings: immutable, finite numbers, no unknown keys."""

from typing import Any, get_args

from pydantic import BaseModel, ConfigDict, ValidationInfo, field_validator


class Block(BaseModel):
    """A block of settings: immutable; unknown keys and numbers that are not finite are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    @field_validator("*", mode="before")
    @classmethod
    def _booleans_are_no_numbers(cls, value: Any, field: ValidationInfo) -> Any:
        """Refuse true where a number is expected: Python takes it for 1."""
        annotation = cls.model_fields[field.field_name].annotation
        if bool in (annotation, *get_args(annotation)):
            return value
        values = value if isinstance(value, list) else [value]
        if any(isinstance(one, bool) for one in values):
            raise ValueError("true and false are neither numbers nor names")
        return value
