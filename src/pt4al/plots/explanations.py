"""Show why each image of a query was chosen: in words, and beside similar labelled images."""

import json
from collections.abc import Callable, Mapping
from html import escape
from typing import Any

import numpy as np
import pandas as pd

from pt4al.plots.contact_sheets import captioned, sheet
from pt4al.plots.thumbnails import thumbnail

SHOWN = 24  # images of a query
BESIDE = 56  # pixels of a page that a neighbour takes
WIDTH = "minmax(min(100%, 24rem), 1fr)"
CARD = '<figure style="margin: 0; display: flex; gap: .75rem">'
WORDS = '<div style="min-width: 0; font-size: .9rem; line-height: 1.45; overflow-wrap: anywhere">'


def explanation_sheet(
    reasons: pd.DataFrame,
    pictures: Callable[[list[str]], np.ndarray],
    labels: pd.Series,
    sentence: Callable[[Mapping[str, Any]], str],
) -> bytes:
    """Show the first images of a query, each with its reason and its nearest labelled neighbours.

    Parameters
    ----------
    reasons
        See `pt4al.selection.explain`.
    pictures
        Returns images (N, C, H, W), uint8, of ids.
    labels
        By id: that which the image was given, and those of its neighbours.
    sentence
        Says why, of a row of the reasons.

    Returns
    -------
    A part of an HTML page, in ASCII.
    """
    shown = reasons.head(SHOWN)
    rows = shown.assign(near=shown["neighbours"].map(json.loads)).to_dict("records")
    ids = list(dict.fromkeys(name for row in rows for name in (row["id"], *row["near"])))
    images = dict(zip(ids, pictures(ids), strict=True)) if ids else {}
    cards = [_card(row, images, labels, sentence(row)) for row in rows]
    title = f"The first {len(shown)} of {len(reasons):,}" if len(shown) < len(reasons) else ""
    return sheet(cards, WIDTH, title)


def _card(
    row: dict[str, Any], images: dict[str, np.ndarray], labels: pd.Series, reason: str
) -> str:
    """An image at the left, its name and its reason beside it, and its neighbours below these."""
    label = _name(labels.get(row["id"]))
    given = f"<br>Labelled <b>{escape(label)}</b>" if label else ""
    near = ""
    if row["near"]:
        figures = [
            captioned(thumbnail(images[name], name, BESIDE), _name(labels.get(name)) or name)
            for name in row["near"]
        ]
        near = (
            '<div style="font-size: .75rem; margin-top: .3rem">Nearest labelled:</div>'
            f'<div style="display: flex; gap: .4rem">{"".join(figures)}</div>'
        )
    picture = thumbnail(images[row["id"]], row["id"])
    words = f"<code>{escape(row['id'])}</code><br>{escape(reason)}{given}{near}"
    return f'{CARD}<div style="flex: none">{picture}</div>{WORDS}{words}</div></figure>'


def _name(label: object) -> str:
    return label if isinstance(label, str) else ""
