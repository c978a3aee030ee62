"""Show images beside the truth, the prediction and the uncertainty of their pixels."""

import math

import numpy as np
from matplotlib import colormaps
from matplotlib.figure import Figure

from pt4al.masks import IGNORED
from pt4al.plots.palette import INK
from pt4al.plots.style import DPI, pixel_axes

SIDE = 240  # pixels, about, of one panel
# pixels between images, and between the panels of one
GAP = 12
BESIDE = 4
TEXT = 16  # pixels
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
HEAT = colormaps["inferno"](np.arange(256), bytes=True)[:, :3]


def mask_panels(
    images: np.ndarray,
    truths: np.ndarray,
    predictions: np.ndarray | None,
    uncertainties: np.ndarray | None,
    classes: list[str],
    captions: list[str],
    title: str = "",
) -> Figure:
    """Show each image beside its truth, prediction and uncertainty.

    One image a row; two without prediction and uncertainty.

    Parameters
    ----------
    images
        uint8 (N, C, H, W), gray or RGB. Of images above 240 pixels every second, third ... pixel is
        shown; those of small ones are enlarged by a whole number.
    truths, predictions
        Numbers of classes, uint8 (N, H, W); 255 is ignored, hatched in gray. Predictions may be
        None.
    uncertainties
        uint8 (N, H, W), the least certain pixel highest; or None.
    classes
        By number. A number has the same colour everywhere; from 40 on, colours repeat.
    captions
        One line an image; of one too long for it the end is shown.

    Returns
    -------
    A figure with one image of the size of `png(figure)` in pixels, and title, legend and captions
    as texts.

    Raises
    ------
    ValueError
        If maps or captions don't fit the images, images have neither 1 nor 3 channels, or a class
        has no name.
    """
    maps = {"truth": truths, "prediction": predictions, "uncertainty": uncertainties}
    maps = {name: values for name, values in maps.items() if values is not None}
    _check(images, maps, classes, captions)
    strips, panel = _strips(images, maps)
    columns = max(1, 4 // (1 + len(maps)))
    legend = _legend(maps, classes)
    places, height = _flow(legend, columns * (strips.shape[3] + GAP) - GAP)
    above = 48 if title else GAP
    canvas, corners = _tile(
        strips, columns, 1, GAP, 2 * TEXT + GAP, header=above + height + 2 * TEXT + 6
    )
    for (x, y), (swatch, _) in zip(places, legend, strict=True):
        canvas[above + y :, GAP + x :][:TEXT, : swatch.shape[1]] = swatch
    axes = pixel_axes(canvas)

    def write(x: float, y: float, text: str, size: int = TEXT, weight: str = "normal") -> None:
        axes.text(x, y, text, fontsize=size * 72 / DPI, weight=weight, color=INK, va="center")

    write(GAP, 24, title, size=22, weight="bold")
    for (x, y), (swatch, name) in zip(places, legend, strict=True):
        write(GAP + x + swatch.shape[1] + 6, above + y + TEXT / 2, name)
    for x, y in corners[:columns]:
        for place, name in enumerate(["image", *maps]):
            write(x + place * panel, y - TEXT, name, weight="bold")
    for (x, y), caption in zip(corners, captions, strict=True):
        write(x, y + strips.shape[2] + TEXT, _end(caption, round(strips.shape[3] / (0.64 * TEXT))))
    return axes.figure


def _end(caption: str, room: int) -> str:
    # Long ids are paths: what tells them apart stands at their end.
    return caption if len(caption) <= room else "…" + caption[1 - room :]


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


def _strips(images: np.ndarray, maps: dict[str, np.ndarray]) -> tuple[np.ndarray, int]:
    """Return an image beside its maps, (N, 3, height, width), and a panel's width with its gap."""
    side = max(images.shape[2:])
    step = math.ceil(side / SIDE)
    scale = max(1, round(SIDE * step / side))

    def sized(values: np.ndarray) -> np.ndarray:
        return values[..., ::step, ::step].repeat(scale, axis=-2).repeat(scale, axis=-1)

    image = np.moveaxis(sized(images), 1, -1)
    panels = [np.broadcast_to(image, (*image.shape[:3], 3))]
    for name, values in maps.items():
        large = sized(values)
        panels.append(HEAT[large] if name == "uncertainty" else _painted(large))
    white = np.full((*image.shape[:2], BESIDE, 3), 255, np.uint8)
    strips = np.concatenate([part for panel in panels for part in (white, panel)][1:], axis=2)
    return np.moveaxis(strips, -1, 1), image.shape[2] + BESIDE


def _painted(numbers: np.ndarray) -> np.ndarray:
    """Return the colours (..., height, width, 3) of classes by number (..., height, width)."""
    rows, columns = np.indices(numbers.shape[-2:])
    hatch = np.where((rows + columns) % 8 < 2, *HATCH).astype(np.uint8)
    ignored = numbers[..., None] == IGNORED
    return np.where(ignored, hatch[..., None], PALETTE[numbers % len(PALETTE)])


def _legend(maps: dict[str, np.ndarray], classes: list[str]) -> list[tuple[np.ndarray, str]]:
    """Return a swatch (TEXT, width, 3) and a name for each class that occurs, and uncertainty."""
    items = []
    for number in _numbers(maps):
        swatch = _painted(np.full((TEXT, TEXT), number, np.uint8))
        items.append((swatch, "ignored" if number == IGNORED else classes[number]))
    if "uncertainty" in maps:
        items.append((np.broadcast_to(HEAT[::2], (TEXT, 128, 3)), "uncertainty, low to high"))
    return items


def _tile(
    images: np.ndarray, columns: int, scale: int, gap: int, strip: int, header: int
) -> tuple[np.ndarray, list[tuple[int, int]]]:
    """Return images (N, C, H, W) on one canvas (height, width, 3), and their corners (x, y)."""
    count, _, height, width = images.shape
    down = scale * height + strip
    across = scale * width + gap
    rows = max(1, math.ceil(count / columns))
    canvas = np.full((header + rows * down, gap + columns * across, 3), 255, np.uint8)
    corners = [(gap + i % columns * across, header + i // columns * down) for i in range(count)]
    for (x, y), image in zip(corners, images, strict=True):
        large = image.transpose(1, 2, 0).repeat(scale, axis=0).repeat(scale, axis=1)
        canvas[y : y + scale * height, x : x + scale * width] = large
    return canvas, corners


def _flow(items: list[tuple[np.ndarray, str]], width: int) -> tuple[list[tuple[int, int]], int]:
    """Return the places of swatches in lines of at most `width` pixels, and the lines' height."""
    places = []
    x = 0
    y = 0
    for swatch, name in items:
        needed = swatch.shape[1] + 24 + round(0.64 * TEXT * len(name))
        if x and x + needed > width:
            x = 0
            y += TEXT + 8
        places.append((x, y))
        x += needed
    return places, y + TEXT
