"""What is beside a picture's pixels decides nothing about them; what is no picture here is told by its kind."""

import struct
import zlib
from concurrent.futures import ThreadPoolExecutor
from threading import Lock

import numpy as np
import pytest
from PIL import Image, PngImagePlugin, TiffImagePlugin

from pt4al.images.decode import Frame, _eight_bits, decode
from pt4al.images.opening import BadPicture
from pt4al.images.parallel import Room
from pt4al.images.png import PNG, bare
from support.odd_pictures import encoded, held, photo

COLOUR = Frame(3, 64, 96)
PLAIN = encoded(photo(), "PNG")
GREYS = np.arange(256).reshape(16, 16)


def chunk(name: bytes, content: bytes, right: bool = True) -> bytes:
    check = zlib.crc32(name + content) + (not right)
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", check % 2**32)


def with_chunk(*made: bytes, at: int = 33) -> bytes:
    return PLAIN[:at] + b"".join(made) + PLAIN[at:]


@pytest.mark.parametrize(
    "made",
    [
        chunk(b"tEXt", b"Comment\0" + b"x" * 2_000_000),
        chunk(b"zTXt", b"Comment\0\0" + zlib.compress(bytes(3_000_000))),
        chunk(b"iTXt", b"Comment\0\1\0\0\0" + zlib.compress(bytes(3_000_000))),
        chunk(b"iTXt", b"XML:com.adobe.xmp\0\1\0\0\0" + zlib.compress(bytes(3_000_000))),
        chunk(b"zTXt", b"Raw profile type exif\0\0" + zlib.compress(bytes(3_000_000))),
        chunk(b"iCCP", b"sRGB\0\0" + zlib.compress(bytes(3_000_000))),
        chunk(b"iCCP", b"sRGB\0\0no zlib"),
        chunk(b"tEXt", b"Comment\0x", right=False),
        chunk(b"pHYs", b"x"),
        chunk(b"gAMA", b""),
        chunk(b"eXIf", b"no EXIF at all"),
        chunk(b"eXIf", b"MM\0*\0\0\0\x08", right=False),
        chunk(b"tIME", b""),
        chunk(b"prVt", b"something of a program's own"),
    ],
    ids=lambda made: f"{made[4:8].decode()} {len(made)}",
)
def test_chunks_beside_the_pixels_of_a_png_lose_no_picture(made):
    np.testing.assert_array_equal(decode(with_chunk(made), COLOUR), decode(PLAIN, COLOUR))
    np.testing.assert_array_equal(decode(with_chunk(made, at=len(PLAIN) - 12), COLOUR), decode(PLAIN, COLOUR))


def test_png_says_how_it_was_held_in_each_of_its_ways():
    upright = decode(held(photo(), 6, "PNG"), COLOUR)
    np.testing.assert_array_equal(upright, decode(PLAIN, COLOUR))
    xmp = PngImagePlugin.PngInfo()
    xmp.add_itxt("XML:com.adobe.xmp", '<x tiff:Orientation="6"/>')
    turned = encoded(photo().transpose(Image.Transpose.ROTATE_90), "PNG", pnginfo=xmp)
    np.testing.assert_array_equal(decode(turned, COLOUR), decode(PLAIN, COLOUR))


@pytest.mark.parametrize("kept", [0, 8, 20, 40, 200])
def test_png_that_is_cut_short_stays_so(kept):
    assert PLAIN.startswith(bare(PLAIN[:kept])) or bare(PLAIN[:kept]) == PLAIN[:kept]
    with pytest.raises(BadPicture):
        decode(PLAIN[:kept], COLOUR)


def stating(kind: int, count: int, value: bytes) -> bytes:
    """Return EXIF data that state an orientation, as a value of one of TIFF's types."""
    entry = struct.pack(">HHHI", 1, 0x0112, kind, count) + (value if len(value) <= 4 else struct.pack(">I", 26))
    return b"Exif\0\0MM\0*\0\0\0\x08" + entry.ljust(14, b"\0") + bytes(4) + (value if len(value) > 4 else b"")


@pytest.mark.parametrize(
    ("kind", "count", "value"),
    [
        (2, 2, b"6\0"),
        (3, 2, b"\0\x06\0\x06"),
        (5, 1, struct.pack(">II", 6, 1)),
        (5, 1, struct.pack(">II", 6, 0)),
        (7, 4, b"six "),
        (11, 1, struct.pack(">f", 6.5)),
        (12, 1, struct.pack(">d", float("nan"))),
        (3, 1, b"\0\x63"),
        (4, 1, b"\xff\xff\xff\xff"),
        (13, 1, b"\0\0\0\x06"),
        (99, 1, b"\0\x06"),
    ],
    ids=["text", "two", "ratio", "none", "bytes", "float", "NaN", "99", "large", "IFD", "unknown"],
)
@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP"])
def test_orientation_of_another_type_loses_no_picture(kind, count, value, form):
    file = encoded(photo(), form, exif=stating(kind, count, value))
    assert decode(file, COLOUR).shape == (3, 64, 96)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(50), "HEIC, which is not read here: save it as PNG or JPEG"),
        (b"\0\0\0\x0cJXL \r\n\x87\n" + bytes(50), "JPEG XL"),
        (b"8BPS\0\1" + bytes(50), "Photoshop"),
        (b"<svg xmlns='x'/>", "SVG"),
        (bytes(128) + b"DICM" + bytes(50), "DICOM"),
        (b"%!PS-Adobe-3.0 EPSF-3.0", "PostScript"),
        (b"FUJIFILMCCD-RAW 0201", "raw file"),
        (b"\0\0\0\x18ftypcrx ", "raw file"),
        (b"RIFF\0\0\0\0WAVE", "not a picture"),
        (b"BM" + bytes(4), "cut short"),
    ],
)
def test_kind_that_is_not_read_is_told_by_its_name(data, words):
    with pytest.raises(BadPicture, match=words):
        decode(data, COLOUR)


def test_kind_of_tiff_that_is_not_read_is_not_called_cut_short():
    tags = TiffImagePlugin.ImageFileDirectory_v2()
    whole = encoded(Image.new("RGB", (8, 8)), "TIFF", tiffinfo=tags)
    strange = whole.replace(struct.pack("<HHII", 262, 3, 1, 2), struct.pack("<HHII", 262, 3, 1, 77))
    assert strange != whole
    with pytest.raises(BadPicture, match="of a kind that is not read here"):
        decode(strange, COLOUR)


def test_array_without_pixels_is_told():
    with pytest.raises(BadPicture, match="has no pixels"):
        decode(np.empty((0, 4), np.uint8), COLOUR)


@pytest.mark.parametrize("bits", [8, 10, 12, 14, 16])
@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_pictures_of_more_than_8_bits_keep_their_range(bits, kind):
    levels = (GREYS << (bits - 8)).astype(np.uint16)
    found = decode(encoded(Image.fromarray(levels), kind), Frame(1, 16, 16))
    np.testing.assert_array_equal(found[0], GREYS)


@pytest.mark.parametrize("lowest", [-1024, -1, -32768])
def test_negative_numbers_are_grey_levels_too(lowest):
    levels = (lowest + GREYS * 4).astype(np.int16)
    found = decode(encoded(Image.fromarray(levels.astype(np.int32)), "TIFF"), Frame(1, 16, 16))[0]
    assert found[0, 0] == 0
    assert len(np.unique(found)) > (2 if lowest == -32768 else 60)
    assert (np.diff(found.ravel().astype(int)) >= 0).all()


@pytest.mark.parametrize("largest", [1.0, 255.0, 1000.0, 4000.0, 65535.0, 1e9])
def test_floating_point_keeps_its_range(largest):
    levels = (np.arange(256, dtype=np.float32).reshape(16, 16) / 255 * largest).astype(np.float32)
    assert len(np.unique(decode(encoded(Image.fromarray(levels), "TIFF"), Frame(1, 16, 16)))) > 200


def test_sixteen_bits_with_a_sign_use_all_grey_levels():
    levels = np.linspace(-32768, 32767, 256).astype(np.int32).reshape(16, 16)
    assert decode(encoded(Image.fromarray(levels), "TIFF"), Frame(1, 16, 16)).max() == 255


def test_number_that_is_none_is_no_warning():
    signalling = np.array([[0x7F800001, 0x3F800000]], np.uint32).view(np.float32)
    np.testing.assert_array_equal(_eight_bits(signalling), [[0, 255]])


@pytest.mark.parametrize(
    ("head", "words"),
    [((0, 5, 8, 0), "head makes no sense"), ((4, 4, 7, 0), "head makes no sense"), ((4, 4, 8, 3), r"damaged$")],
)
def test_png_that_is_whole_and_makes_no_sense_is_not_called_cut_short(head, words):
    first = chunk(b"IHDR", struct.pack(">IIBBBBB", *head, 0, 0, 0))
    file = PNG + first + chunk(b"IDAT", zlib.compress(bytes(20))) + chunk(b"IEND", b"")
    with pytest.raises(BadPicture, match=words):
        decode(file, COLOUR)


def test_what_pillow_logs_of_a_broken_picture_is_not_shown(caplog):
    file = encoded(photo(), "TIFF")
    entry = struct.pack("<HHII", 277, 3, 1, 3)  # samples a pixel
    assert entry in file
    with pytest.raises(BadPicture):
        decode(file.replace(entry, struct.pack("<HHII", 277, 3, 1, 30_000)), COLOUR)
    assert not caplog.records


def test_sixteen_bits_whose_zero_is_white_are_no_negative():
    levels = (GREYS * 256).astype(np.uint16)
    tags = TiffImagePlugin.ImageFileDirectory_v2()
    tags[262] = 0
    file = encoded(Image.fromarray(levels), "TIFF", tiffinfo=tags)
    np.testing.assert_array_equal(decode(file, Frame(1, 16, 16))[0], 255 - GREYS)


def test_threads_hold_no_more_together_than_there_is_room_for():
    room, lock = Room(10), Lock()
    held_now, most = 0, 0

    def work(need: int) -> None:
        nonlocal held_now, most
        with room.taken(need):
            with lock:
                held_now += min(need, 10)
                most = max(most, held_now)
            with lock:
                held_now -= min(need, 10)

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(work, [1, 9, 4, 30, 5, 10, 2] * 20))
    assert 0 < most <= 10
