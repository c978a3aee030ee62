"""Strip a PNG file of chunks that don't decide about its pixels, since broken ones cost them."""

import struct
import zlib

PNG = b"\x89PNG\r\n\x1a\n"
# Chunks that decide what a PNG file shows; profiles and texts, however large or broken, do not.
SHOWN = {b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND", b"acTL", b"fcTL", b"fdAT"}
HELD = {b"eXIf"}  # states the orientation
# And so may texts of these names.
XMP = b"XML:com.adobe.xmp\0"
RAW = b"Raw profile type exif\0"
LARGEST_TEXT = 2**20  # bytes


def bare(data: bytes) -> bytes:
    """Return a PNG file without chunks that don't decide about its pixels, or another file."""
    if not data.startswith(PNG):
        return data
    kept = [PNG]
    place = len(PNG)
    while place + 12 <= len(data):
        length, name = struct.unpack_from(">I4s", data, place)
        end = place + 12 + length
        if end > len(data):
            break
        held = _may_say_how_held(name, data[place + 8 : end - 4])
        if name in SHOWN or (held and _whole(data, place, end)):
            kept.append(data[place:end])
        place = end
    kept.append(data[place:])  # the rest of a file that is cut short, or no PNG file
    return b"".join(kept)


def _may_say_how_held(name: bytes, content: bytes) -> bool:
    """Tell whether a chunk may state the orientation, and is small enough for Pillow."""
    if len(content) > LARGEST_TEXT:
        return False
    if name == b"tEXt":
        return content.startswith(RAW)
    if name == b"zTXt":
        return content.startswith(RAW) and _unpacks_to_little(content[len(RAW) + 1 :])
    return name in HELD or (name == b"iTXt" and content.startswith(XMP + b"\0"))  # not compressed


def _unpacks_to_little(packed: bytes) -> bool:
    unpacking = zlib.decompressobj()
    try:
        unpacking.decompress(packed, LARGEST_TEXT)
    except zlib.error:
        return False
    return not unpacking.unconsumed_tail


def _whole(data: bytes, place: int, end: int) -> bool:
    return zlib.crc32(data[place + 4 : end - 4]) == int.from_bytes(data[end - 4 : end])
