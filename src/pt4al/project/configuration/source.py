"""Block `pool`, as far as it says which pictures there are: without torch, which takes seconds to import."""

from typing import Annotated

from pydantic import Field

from pt4al.block import Block
from pt4al.images.sources import COLUMNS, SOURCES
from pt4al.project.configuration.kinds import ClassName, Images, Place, Text, one_of, several


class Source(Block):
    kind: one_of(SOURCES)
    path: Place
    # Left out where it says nothing, as if it were not there: the names of runs' folders depend on
    # what is.
    columns: dict[one_of(COLUMNS), str] = Field(default={}, exclude_if=lambda columns: not columns)


class Limit(Block):
    train: Images | None
    test: Images | None


class Origin(Block):
    source: Source
    classes: several(ClassName, least=1) | None
    test: Annotated[float, Field(gt=0, lt=1)] | Text


class Imbalance(Block):
    kind: one_of(["none", "long_tail", "steps"])
    factor: float = Field(ge=1, le=1e6)


class Listing(Origin):
    """What says which pictures are listed: block `pool` without what becomes of them."""

    limit: Limit
    imbalance: Imbalance
