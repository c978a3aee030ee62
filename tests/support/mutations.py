"""Settings gone wrong: a seeded change of a valid configuration in one to four places."""

import copy
import datetime
import math
import random
from typing import Any

from pt4al.project.configuration.dotted import flat

MISSING = object()
NUMBERS = [0, 1, -1, 2, 3, 7, 255, 256, 4097, 2**31, 2**63 - 1, 2**63, 2**70, 10**400, -(2**63)]
FRACTIONS = [0.0, -0.0, 0.1, 0.5, 0.999, 1.0, 1.5, 5e5, 1e30, 4e10, 1e-300, math.nan, math.inf, -math.inf]
TEXTS = [
    "",
    " ",
    "x",
    "auto",
    "a/b",
    "a/a",
    "/",
    "~",
    "~nobody-here/x",
    "a\nb",
    "a\0b",
    "\ud800",
    "007",
    "nan",
    "1e400",
]
TEXTS += [
    "true",
    "None",
    "x" * 300,
    "x" * 5000,
    "cafe\u0301",
    "\u202e",
    "run=1",
    "../x",
    "-x",
    "0/1",
    "1/0x",
    "٣",
    "cat,dog",
]
OTHERS = [
    None,
    True,
    False,
    [],
    [None],
    [[]],
    [True],
    [0, 0],
    ["a", "a"],
    [math.nan],
    [""],
    {},
    {"a": 1},
    {1: 2},
    (),
    b"x",
]
OTHERS += [datetime.date(2026, 1, 1), datetime.datetime(2026, 1, 1), {"a": {"b": []}}, [1] * 1000, 2 + 1j]
# Of the enums: each one's values are tried in all the others too.
WORDS = ["random", "top", "badge", "typiclust", "strata", "bald", "learning_loss", "entropy", "batch", "pool", "main"]
WORDS += ["pretext", "fresh", "previous_cycle", "pretrained", "segmentation", "classification", "rotation", "simsiam"]
WORDS += ["embedding", "cross_fitted", "people", "recorded", "majority", "all", "last", "best", "one_cycle", "resnet18"]
WORDS += ["unet_small", "timm/resnet18", "timm/nothing", "unet/resnet18", "cuda", "bf16", "folders", "median_frequency"]


def mutated(valid: dict, seed: int) -> tuple[dict, list[str]]:
    """Return a configuration with one to four changes, and the dotted names of what was changed."""
    draw = random.Random(seed)
    raw, paths = copy.deepcopy(valid), []
    for _ in range(draw.choice([1, 1, 1, 2, 3, 4])):
        path = draw.choice(sorted(flat(raw)))
        if draw.random() < 0.15:  # a block, not a leaf
            path = path.rpartition(".")[0] or path
        kind = draw.random()
        if kind < 0.05:
            path = _renamed(raw, path, draw)
        elif kind < 0.1:
            _put(raw, path, MISSING)
        else:
            _put(raw, path, _value(draw))
        paths.append(path)
    return raw, paths


def _value(draw: random.Random) -> Any:
    return copy.deepcopy(draw.choice(draw.choice([NUMBERS, FRACTIONS, TEXTS, OTHERS, WORDS])))


def _put(raw: dict, path: str, value: Any) -> None:
    *blocks, leaf = path.split(".")
    block = raw
    for name in blocks:
        block = block[name]
    if value is MISSING:
        block.pop(leaf, None)
    else:
        block[leaf] = value


def _renamed(raw: dict, path: str, draw: random.Random) -> str:
    """Misspell a key."""
    *blocks, leaf = path.split(".")
    wrong = draw.choice([f"{leaf}x", leaf.replace("_", "-") + "-", leaf.upper(), f" {leaf}", ""])
    block = raw
    for name in blocks:
        block = block[name]
    block[wrong] = block.pop(leaf, None)
    return ".".join([*blocks, wrong])
