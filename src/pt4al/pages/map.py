"""Write a map of the pool as one HTML page: it has one script, and needs nothing but itself."""

import base64
import hashlib
import json
import zlib
from dataclasses import dataclass, field
from importlib import resources
from typing import Any

import numpy as np
import pandas as pd
from markupsafe import Markup

from pt4al.pages.render import render_page
from pt4al.plots.palette import LINES
from pt4al.plots.sprites import Sprites
from pt4al.statistics.regions import Coverage

SCRIPT = "map.js"
NAMED = 8  # classes without a label that are named
LABELLED = {"start", "cycle", "control"}  # kinds of states
UNKNOWN = 255  # stands for a pretext loss that is not known
STEPS = 254  # of pretext losses


@dataclass(frozen=True)
class State:
    """What an image's label is like: its name on the page, and how it is coloured.

    `kind`: `none` (no label), `start` (older than the run), `cycle`, `asked` (waits for an answer)
    or `control`.
    """

    name: str
    kind: str


@dataclass(frozen=True)
class MapPage:
    """A map of the pool.

    Attributes
    ----------
    title
        A line.
    method
        `pca` or `umap`.
    points
        One row an image: `id`; `x`, `y` (uint16); `state`, `class` (numbers into the lists below;
        class -1: not known); `loss` (share of images with a smaller pretext loss, NaN: not known).
    states, classes
        What the numbers stand for.
    shown
        Row numbers of the images that `sprites` are of, in their order.
    sprites
        Small images.
    coverage
        Which regions have no label.
    preview
        The map as a PNG file.
    report
        Where the run's report is, seen from this page.
    judged
        Row numbers of the images whose labels were compared with what images like them are called.
    doubted
        What else the label seems to be, by row number; of the judged images whose label looks wrong.
    """

    title: str
    method: str
    points: pd.DataFrame
    states: list[State]
    classes: list[str]
    shown: np.ndarray
    sprites: Sprites
    coverage: Coverage
    preview: bytes
    report: str = "report.html"
    judged: list[int] = field(default_factory=list)
    doubted: dict[int, str] = field(default_factory=dict)


def render_map_page(facts: MapPage) -> str:
    """Return the page."""
    script = (resources.files("pt4al") / "pages" / "templates" / SCRIPT).read_text("utf-8")
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    counts = _counts(facts)
    lacking = _lacking(facts)
    more = {
        "script": Markup(script),
        "script_source": f"'sha256-{digest}'",
        "legend": Markup(_legend(facts)),
        "data": Markup(_packed(facts)),
        "counts": counts,
        "images": len(facts.points),
        "labels": sum(row["images"] for row in counts if row["kind"] in LABELLED),
        "lacking": lacking[:NAMED],
        "lacking_more": max(0, len(lacking) - NAMED),
        "sheets": [base64.b64encode(sheet).decode() for sheet in facts.sprites.sheets],
    }
    return render_page("map.html", vars(facts) | more)


def _counts(facts: MapPage) -> list[dict[str, Any]]:
    """Return how many images have each state: `name`, `kind`, `images`."""
    numbers = np.bincount(facts.points["state"], minlength=len(facts.states))
    return [
        {"name": state.name, "kind": state.kind, "images": int(number)}
        for state, number in zip(facts.states, numbers, strict=True)
        if number
    ]


def _lacking(facts: MapPage) -> list[str]:
    """Return the classes that no image's label is of."""
    held = set(facts.points["class"])
    return [name for number, name in enumerate(facts.classes) if number not in held]


def _legend(facts: MapPage) -> str:
    """Return what the script has to know beside the points, as JSON."""
    sprites = facts.sprites
    legend = {
        "images": len(facts.points),
        "states": [vars(state) for state in facts.states],
        "classes": facts.classes,
        "judged": facts.judged,
        "doubted": facts.doubted,
        "colours": [[colour.light, colour.dark] for colour in LINES],
        "width": sprites.width,
        "height": sprites.height,
        "cell": sprites.cell,
    }
    return json.dumps(legend).replace("<", "\\u003c")


def _packed(facts: MapPage) -> str:
    """Return the points as arrays, one after the other, deflated, as base64.

    x, y, class + 1, number of the small image + 1 (0: none), state, each uint16; loss, uint8; ids in
    UTF-8, one a line.
    """
    points = facts.points
    shown = np.zeros(len(points), "<u2")
    some = facts.shown[: facts.sprites.count]
    shown[some] = np.arange(1, len(some) + 1)
    losses = points["loss"].to_numpy(float)
    steps = np.where(np.isnan(losses), UNKNOWN, np.rint(STEPS * np.nan_to_num(losses)))
    arrays = [
        points["x"].to_numpy("<u2"),
        points["y"].to_numpy("<u2"),
        (points["class"] + 1).to_numpy("<u2"),
        shown,
        points["state"].to_numpy("<u2"),
        steps.astype("u1"),
    ]
    # A name with a line's end in it would be two.
    ids = "\n".join(name.replace("\n", " ") for name in points["id"])
    whole = b"".join(array.tobytes() for array in arrays) + ids.encode()
    return base64.b64encode(zlib.compress(whole, 9)).decode()
