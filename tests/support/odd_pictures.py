"""A folder of photos as people have them: most are good, and one of everything that can be odd about a picture."""

import io
import os
import struct
import zipfile
import zlib
from functools import cache
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

CLASSES = ("boat", "tree", "house")
EXIF_ORIENTATION = 0x0112
# How to hold a picture so that its EXIF orientation turns it upright again: the inverse of each turn.
HELD = {
    1: None,
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}


def photo(seed: int = 0, size: tuple[int, int] = (96, 64)) -> Image.Image:
    """Draw a scene: bluish sky above, greenish ground below, a sun at the upper left, a house somewhere."""
    rng = np.random.default_rng(seed)
    width, height = size
    down = np.linspace(0, 1, height)[:, None, None]
    above, below = rng.integers((40, 100, 180), (160, 200, 256)), rng.integers((20, 90, 20), (100, 220, 90))
    sky = (1 - down) * above + down * below
    pixels = sky + rng.normal(0, 4, (height, width, 3))
    scene = Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))
    draw = ImageDraw.Draw(scene)
    side = min(size) // 4
    draw.ellipse((2, 2, 2 + side, 2 + side), fill=(255, 220, 40))
    left = int(rng.integers(width // 3, max(width // 3 + 1, width - side)))
    walls = tuple(int(level) for level in rng.integers(60, 256, 3))
    draw.rectangle((left, height // 2, left + side, height - 2), fill=walls)
    return scene


def encoded(image: Image.Image, kind: str, **options) -> bytes:
    """Return a picture as a file's bytes."""
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def held(image: Image.Image, orientation: int, kind: str = "JPEG", **options) -> bytes:
    """Return a file that shows `image` only to those who heed its EXIF orientation."""
    exif = Image.Exif()
    exif[EXIF_ORIENTATION] = orientation
    turned = image if HELD[orientation] is None else image.transpose(HELD[orientation])
    return encoded(turned, kind, exif=exif, **options)


def bomb(width: int = 20_000, height: int = 20_000) -> bytes:
    """Return a PNG file of some hundred bytes that says it has 400 million pixels."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    header = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0")) + chunk(b"IEND", b"")


def archive() -> bytes:
    """Return a zip file."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as zipped:
        zipped.writestr("notes.txt", "no picture")
    return file.getvalue()


@cache
def good_files() -> dict[str, bytes]:
    """Return odd files that are good pictures, by name."""
    scene = [photo(100 + number) for number in range(40)]
    clear = scene[0].convert("RGBA")
    clear.putalpha(Image.linear_gradient("L").resize(clear.size))
    frames = {"save_all": True, "append_images": [scene[1].rotate(90)], "duration": 50}
    levels, others = (np.asarray(scene[number].convert("L")) for number in (2, 30))
    files = {f"held_{turn}.jpg": held(scene[2 + turn], turn) for turn in HELD}
    return files | {
        "held_6.png": held(scene[11], 6, "PNG"),
        "held_8.tif": held(scene[12], 8, "TIFF"),
        "grey.jpg": encoded(scene[13].convert("L"), "JPEG"),
        "one_bit.png": encoded(scene[14].convert("1"), "PNG"),
        "palette.png": encoded(scene[15].quantize(64), "PNG"),
        "palette_transparent.png": encoded(scene[16].quantize(64), "PNG", transparency=0),
        "cmyk.jpg": encoded(scene[17].convert("CMYK"), "JPEG"),
        "sixteen_bits.png": encoded(Image.fromarray(levels.astype(np.uint16) * 257), "PNG"),
        "float.tif": encoded(Image.fromarray(others.astype(np.float32) / 255), "TIFF"),
        "rgba.png": encoded(clear, "PNG"),
        "grey_alpha.png": encoded(clear.convert("LA"), "PNG"),
        "animated.gif": encoded(scene[18].quantize(64), "GIF", **frames),
        "animated.png": encoded(scene[19], "PNG", **frames),
        "animated.webp": encoded(scene[20], "WEBP", **frames),
        "progressive.jpg": encoded(scene[21], "JPEG", progressive=True),
        "scan.tiff": encoded(scene[22], "TIFF", compression="tiff_lzw"),
        "windows.bmp": encoded(scene[23], "BMP"),
        "CAMERA.JPG": encoded(scene[24], "JPEG"),
        "really_a_png.jpg": encoded(scene[25], "PNG"),
        "Übung.png": encoded(scene[26], "PNG"),
        "日本.jpg": encoded(scene[27], "JPEG"),
        "🌳 with spaces, and a comma.png": encoded(scene[28], "PNG"),
        "no_extension": encoded(scene[29], "JPEG"),
        "huge.jpg": encoded(photo(7, (400, 300)).resize((4000, 3000)), "JPEG"),
        "one_pixel.png": encoded(photo(8, (16, 16)).crop((8, 8, 9, 9)), "PNG"),
        "panorama.jpg": encoded(photo(9, (3000, 20)), "JPEG"),
    }


@cache
def bad_files() -> dict[str, tuple[bytes, str]]:
    """Return files that are no whole pictures, by name, with a word of the reason."""
    jpeg, png = encoded(photo(30), "JPEG"), encoded(photo(31), "PNG")
    return {
        "half.jpg": (jpeg[: len(jpeg) // 2], "cut short"),
        "half.png": (png[: len(png) // 2], "cut short"),
        "only_its_start.jpg": (jpeg[:20], "cut short"),
        "empty.jpg": (b"", "empty file"),
        "text.jpg": (b"This was a picture once.\n", "not a picture"),
        "zip.png": (archive(), "not a picture"),
        "page.jpg": (b"<!DOCTYPE html><html><body>404 Not Found</body></html>", "not a picture"),
        "bomb.png": (bomb(), "million pixels"),
    }


def write_odd_folder(folder: Path, good: int = 40) -> dict[str, str]:
    """Write class folders of pictures, odd ones among them.

    Returns
    -------
    What is to be expected of each file by its path in the folder: `good`; `ignored`, as it is hidden, the
    system's own, or in no class's folder; or words of the reason why it can't be decoded.
    """
    expected = {}

    def write(name: str, data: bytes, outcome: str) -> None:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        expected[name] = outcome

    for number in range(good):
        write(f"{CLASSES[number % 3]}/photo_{number:03}.jpg", encoded(photo(1000 + number), "JPEG"), "good")
    for number, (name, data) in enumerate(good_files().items()):
        write(f"{CLASSES[number % 3]}/{name}", data, "good")
    for number, (name, (data, reason)) in enumerate(bad_files().items()):
        write(f"{CLASSES[number % 3]}/{name}", data, reason)
    for name in ("boat/.hidden.jpg", "tree/._resource_fork.jpg", "__MACOSX/boat/._photo.jpg"):
        write(name, encoded(photo(40), "JPEG"), "ignored")
    for name in ("boat/Thumbs.db", "tree/.DS_Store", "readme.txt", "house/notes.txt"):
        write(name, b"not meant as a picture", "ignored")
    return expected | _links(folder) | _locked(folder)


def _links(folder: Path) -> dict[str, str]:
    """Link to a file and to a folder, both outside; and to nothing."""
    outside = folder.parent / f"{folder.name}_elsewhere"
    (outside / "more").mkdir(parents=True, exist_ok=True)
    for name, seed in (("linked.jpg", 50), ("more/inside.jpg", 51)):
        (outside / name).write_bytes(encoded(photo(seed), "JPEG"))
    (folder / "boat" / "linked.jpg").symlink_to(outside / "linked.jpg")
    (folder / "boat" / "linked_folder").symlink_to(outside / "more", target_is_directory=True)
    (folder / "tree" / "gone.jpg").symlink_to(outside / "nothing.jpg")
    return {"boat/linked.jpg": "good", "boat/linked_folder/inside.jpg": "good", "tree/gone.jpg": "can't be read"}


def _locked(folder: Path) -> dict[str, str]:
    """Write a file that nobody may read; root reads it all the same."""
    if os.geteuid() == 0:
        return {}
    path = folder / "tree" / "locked.jpg"
    path.write_bytes(encoded(photo(52), "JPEG"))
    path.chmod(0)
    return {"tree/locked.jpg": "can't be read"}
