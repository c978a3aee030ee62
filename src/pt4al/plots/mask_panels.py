"""Show images beside the truth, the prediction and the uncertainty of their pixels."""

import math
from html import escape

import numpy as np
from matplotlib import colormaps

from pt4al.masks import IGNORED
from pt4al.plots.contact_sheets import captioned, sheet
from pt4al.plots.thumbnails import thumbnail

SIDE = 200  # pixels, about, of one panel
SWATCH = 16  # pixels of a colour in the legend
# The first ten by hand, after Okabe and Ito; then each as far as can be from those before it (in
# CIELAB, and as seen with deuteranopia: Machado and others 2009).
PALETTE = np.frombuffer(
    bytes.fromhex("""
    56b4e9 a0522d e69f00 7b4b94 cc79a7 1b7f3b d62728 f0e442 0b3c8c 00c2a8
    00ff73 8c59ff f200bf ff2680 b3e68c 005966 730033 ffbf8c 808c00 404000
    e68cff 008cff 26a600 59008c 8c8c59 99e60d ff8080 40ffb3 d9bfff ff6600
    80f2ff a60073 8c5959 004026 8080a6 333359 004dcc d94df2 a6730d 0073b3
    """),
    np.uint8,
).reshape(40, 3)
HATCH = (185, 226)  # grays that no class has
PANELS = (
    f"display: grid; grid-template-columns: repeat(auto-fill, min(48%, {SIDE}px)); gap: .4rem; "
    "break-inside: avoid"
)
LEGEND = (
    "grid-column: 1 / -1; display: flex; flex-wrap: wrap; gap: .2rem 1rem; font-size: .85rem; "
    "line-height: 1.4"
)
NAMED = "display: inline-flex; align-items: center; gap: .35rem"
HEAT = colormaps["inferno"](np.arange(256), bytes=True)[:, :3]


def mask_panels(
    images: np.ndarray,
    truths: np.ndarray,
    predictions: np.ndarray | None,
    uncertainties: np.ndarray | None,
    classes: list[str],
    captions: list[str],
    title: str = "",
) -> bytes:
    """Show each image beside its truth, prediction and uncertainty.

    Parameters
    ----------
    images
        uint8 (N, C, H, W), gray or RGB.
    truths, predictions
        Numbers of classes, uint8 (N, H, W); 255 is ignored, hatched in gray. Of maps above 200
        pixels every second, third ... pixel is shown. Predictions may be None.
    uncertainties
        uint8 (N, H, W), the least certain pixel highest; or None.
    classes
        By number. A number has the same colour everywhere; from 40 on, colours repeat.
    captions
        One line an image.

    Returns
    -------
    A part of an HTML page, in ASCII.

    Raises
    ------
    ValueError
        If maps or captions don't fit the images, images have neither 1 nor 3 channels, or a class
        has no name.
    """
    maps = {"truth": truths, "prediction": predictions, "uncertainty": uncertainties}
    maps = {name: values for name, values in maps.items() if values is not None}
    _check(images, maps, classes, captions)
    figures = [_legend(maps, classes)]
    for place, caption in enumerate(captions):
        image = thumbnail(images[place], "image", SIDE)
        panels = [captioned(image, f"image\n{caption}".strip())]
        panels += [captioned(_panel(name, values[place]), name) for name, values in maps.items()]
        figures.append(f'<div style="{PANELS}">{"".join(panels)}</div>')
    width = (1 + len(maps)) * (SIDE + 7)
    return sheet(figures, f"minmax(min(100%, {width}px), 1fr)", title)


def _panel(name: str, values: np.ndarray) -> str:
    """Return a map (height, width) as an element: no colour stands between those of two pixels."""
    step = math.ceil(max(values.shape) / SIDE)
    thinned = values[::step, ::step]
    colours = HEAT[thinned] if name == "uncertainty" else _painted(thinned)
    return thumbnail(np.moveaxis(colours, -1, 0), name, SIDE, exact=True)


def _check(
    images: np.ndarray, maps: dict[str, np.ndarray], classes: list[str], captions: list[str]
) -> None:
    count, channels, *size = images.shape
    if channels not in (1, 3):
        raise ValueError(
            f"images of shape {images.shape} have {channels} channels: 1 or 3 can be shown"
        )
    if len(captions) != count:
        raise ValueError(f"{len(captions)} captions for {count} images")
    for name, values in maps.items():
        if values.shape != (count, *size):
            raise ValueError(f"{name} of shape {values.shape} for images of shape {images.shape}")
    for number in _numbers(maps):
        if number != IGNORED and number >= len(classes):
            raise ValueError(
                f"truth or prediction holds class {number}, but classes are 0 to {len(classes) - 1}"
            )


def _numbers(maps: dict[str, np.ndarray]) -> list[int]:
    """Return the numbers of classes that occur in truth or prediction, in order."""
    return sorted(
        {int(number) for name in maps if name != "uncertainty" for number in np.unique(maps[name])}
    )


def _painted(numbers: np.ndarray) -> np.ndarray:
    """Return the colours (..., height, width, 3) of classes by number (..., height, width)."""
    rows, columns = np.indices(numbers.shape[-2:])
    hatch = np.where((rows + columns) % 8 < 2, *HATCH).astype(np.uint8)
    ignored = numbers[..., None] == IGNORED
    return np.where(ignored, hatch[..., None], PALETTE[numbers % len(PALETTE)])


def _legend(maps: dict[str, np.ndarray], classes: list[str]) -> str:
    """Return a colour and a name for each class that occurs, and for uncertainty."""
    items = []
    for number in _numbers(maps):
        colour = _painted(np.full((SWATCH, SWATCH), number, np.uint8))
        items.append((colour, "ignored" if number == IGNORED else classes[number]))
    if "uncertainty" in maps:
        items.append((np.broadcast_to(HEAT[::4], (SWATCH, 64, 3)), "uncertainty, low to high"))
    shown = [
        f'<span style="{NAMED}">{_swatch(colour)} {escape(name)}</span>' for colour, name in items
    ]
    return f'<div style="{LEGEND}">{" ".join(shown)}</div>'


def _swatch(colour: np.ndarray) -> str:
    """Return a colour (height, width, 3) as an element."""
    return thumbnail(np.moveaxis(colour, -1, 0), "colour", max(colour.shape), exact=True)
