"""The base of every block of settings: immutable, its numbers finite, and a typo in a key is an error."""

from pydantic import BaseModel, ConfigDict


class Block(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)
