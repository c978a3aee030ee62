"""Labels to export, and pictures for them."""

import io
from collections.abc import Iterator

import pandas as pd
from PIL import Image

from pt4al.annotation.formats.labelled import Labelled

WEIGHTED = {"control": 4.0, "margin": 0.0}


def labelled(labels: dict[str, str], classes: list[str] | None = None) -> Labelled:
    """Labels of run `mine`, in turns control images and a strategy's, of a pool twice as large."""
    why = [["control", "margin"][number % 2] for number in range(len(labels))]
    table = pd.DataFrame(
        {
            "id": list(labels),
            "label": list(labels.values()),
            "cycle": [number // 2 for number in range(len(labels))],
            "why": why,
            "annotators": "ada, bob",
            "answered": "2026-01-02T03:04:05.000+00:00",
            "weight": [WEIGHTED[reason] for reason in why],
        }
    )
    return Labelled("mine", classes or sorted(set(labels.values())), table, 2 * len(labels))


def png(grey: int, width: int = 6, height: int = 4) -> bytes:
    """A PNG file of one grey level."""
    file = io.BytesIO()
    Image.new("L", (width, height), grey).save(file, "PNG")
    return file.getvalue()


def files(labels: Labelled) -> Iterator[tuple[str, str, bytes]]:
    """A picture for each label; its grey level is its place among them."""
    return ((image, ".png", png(number)) for number, image in enumerate(labels.labels["id"]))
