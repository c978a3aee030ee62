"""Nodes of stage `report` that draw the pool as a map."""

from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from pt4al.features.vectors import Features
from pt4al.files.stored_table import StoredTable
from pt4al.labels.label_set import BEFORE, CONTROL
from pt4al.pages.map import MapPage, State, render_map_page
from pt4al.pipelines.report.history import RunHistory
from pt4al.plots.map_preview import map_preview
from pt4al.plots.palette import LINES
from pt4al.plots.sprites import Sprites, sprites
from pt4al.plots.style import pictures
from pt4al.randomness import stream
from pt4al.statistics import regions
from pt4al.statistics.pool_map import pool_map

PICTURES = 4_096  # small images on the page, at most
BYTES = 1_200_000  # of them
SHOWN = (1, 3)  # channels of images that can be shown
COLOURS = {"start": "violet", "cycle": "blue", "control": "green", "asked": "red"}  # of the preview


def map_by_pca(features: Features) -> pd.DataFrame:
    """Return where each image lies on a map drawn by PCA: `id`, and `x`, `y` (uint16)."""
    return _map(features, "pca")


def map_by_umap(features: Features) -> pd.DataFrame:
    """Return where each image lies on a map drawn by UMAP: `id`, and `x`, `y` (uint16)."""
    return _map(features, "umap")


def draw_map(
    history: RunHistory,
    places: pd.DataFrame,
    ranking: StoredTable,
    waiting: pd.DataFrame | None = None,
    suspects: pd.DataFrame | None = None,
) -> tuple[str, dict[str, bytes]]:
    """Return the map as an HTML page, and its preview.

    Parameters
    ----------
    places
        `id`, `x`, `y`: see `map_by_pca`.
    waiting
        The query that people have not answered yet; None: there is none.
    suspects
        As `features.suspects.find_suspects` returns it; None: no label was judged.
    """
    losses = ranking.read(["id", "pretext_loss"])
    points, states = _points(history, places, losses, waiting)
    spots = points[["x", "y"]].to_numpy()
    labelled = ~points["state"].isin(_numbers(states, "none", "asked")).to_numpy()
    preview = pictures({"map": partial(_preview, spots, points["state"].to_numpy(), states)})
    shown = _worth_showing(points, spots)
    page = MapPage(
        title=f"Map of the pool of run {history.name}",
        method=history.settings.report.map,
        points=points,
        states=states,
        classes=[] if history.task.dense else history.classes,
        shown=shown,
        sprites=_sprites(history, shown),
        coverage=regions.coverage(spots, labelled, points["loss"].to_numpy()),
        preview=preview["map"],
        **_doubts(points["id"], suspects),
    )
    return render_map_page(page), preview


def _doubts(ids: pd.Series, suspects: pd.DataFrame | None) -> dict[str, Any]:
    """Return `judged` and `doubted` of `pages.map.MapPage`."""
    if suspects is None:
        return {}
    rows = pd.Series(ids.index, ids)
    judged = suspects.assign(row=suspects["id"].map(rows)).dropna(subset="row")
    wrong = judged[judged["suspicious"]]
    return {
        "judged": judged["row"].astype(int).tolist(),
        "doubted": dict(zip(wrong["row"].astype(int).tolist(), wrong["suggested"], strict=True)),
    }


def _map(features: Features, method: str) -> pd.DataFrame:
    spots = pool_map(features.view(), method, stream(0, "map"))
    return pd.DataFrame({"id": features.ids, "x": spots[:, 0], "y": spots[:, 1]})


def _points(
    history: RunHistory,
    places: pd.DataFrame,
    ranking: pd.DataFrame,
    waiting: pd.DataFrame | None,
) -> tuple[pd.DataFrame, list[State]]:
    """Return the points of `pages.map.MapPage`, and what their states stand for."""
    points = places.set_index("id").loc[history.pool.ids].reset_index()
    losses = ranking.set_index("id")["pretext_loss"].reindex(points["id"])
    # Share of images with a smaller loss.
    points["loss"] = ((losses.rank(method="min") - 1) / losses.count()).to_numpy()
    numbers, states = _states(history, points["id"], waiting)
    points["state"] = numbers
    points["class"] = -1
    if not history.task.dense:
        labels = history.labels.reindex(points["id"])
        points["class"] = pd.Index(history.classes).get_indexer(labels)
    return points, states


def _states(
    history: RunHistory, ids: pd.Series, waiting: pd.DataFrame | None
) -> tuple[np.ndarray, list[State]]:
    """Return the number of each image's state, and the states by number."""
    people = history.settings.oracle.kind == "people"
    states = [State("without a label", "none"), State("labelled before the run", "start")]
    for cycle in history.queries:
        name = f"labelled in round {cycle + 1}" if people else f"labelled in cycle {cycle}"
        states.append(State(name, "cycle"))
    states += [State("control images, drawn at random", "control")]
    states += [State("asked for, not answered yet", "asked")]
    control = len(states) - 2
    label_set = history.label_set
    number = np.where(label_set["cycle"] == BEFORE, 1, label_set["cycle"] + 2)
    number = np.where(label_set["why"] == CONTROL, control, number)
    numbers = pd.Series(number, label_set["id"]).reindex(ids).fillna(0).to_numpy(np.int64)
    if waiting is not None:
        asked = waiting
        if "role" in waiting:
            asked = waiting[waiting["role"] != "reserve"]
        numbers[ids.isin(asked["id"]).to_numpy() & (numbers == 0)] = control + 1
    return numbers, states


def _numbers(states: list[State], *kinds: str) -> list[int]:
    return [number for number, state in enumerate(states) if state.kind in kinds]


def _worth_showing(points: pd.DataFrame, spots: np.ndarray) -> np.ndarray:
    """Return the rows whose images the page shows: those with a label, the newest first, then some of each region."""
    order = regions.spread(spots, stream(0, "map pictures"))
    newest = -points["state"].to_numpy()[order]
    return order[np.argsort(newest, kind="stable")][:PICTURES]


def _sprites(history: RunHistory, rows: np.ndarray) -> Sprites:
    if history.pool.shape[0] not in SHOWN:
        return sprites(history.pool.read, rows[:0], BYTES)
    return sprites(history.pool.read, rows, BYTES)


def _preview(spots: np.ndarray, numbers: np.ndarray, states: list[State]) -> bytes:
    named = {colour.name: colour.light for colour in LINES}
    colours = np.zeros((len(states), 3), np.uint8)
    for number, state in enumerate(states):
        if state.kind in COLOURS:
            colours[number] = list(bytes.fromhex(named[COLOURS[state.kind]][1:]))
    return map_preview(spots, colours[numbers])
