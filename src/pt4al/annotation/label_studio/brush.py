"""Masks of Label Studio's brush: run-length encoded bits of an RGBA picture's last channel."""

import numpy as np

from pt4al.errors import InputError

WORD = 8  # bits of a value


def decode(encoded: list[int], height: int, width: int) -> np.ndarray:
    """Return the pixels that a brush has painted, (height, width) bool.

    Parameters
    ----------
    encoded
        Bytes. As bits: the number of values (32), the bits of a value less one (5), four widths of
        run lengths less one (4 each); then runs: whether all values are the same (1), which width
        (2), the length less one, and the value, or as many values.

    Raises
    ------
    InputError
        If they are cut short, or of another size than the picture.
    """
    bits = _Bits(encoded)
    length = bits.read(32)
    word = bits.read(5) + 1
    if word != WORD:
        raise InputError(f"a mask has values of {word} bits: {WORD} were expected")
    if length != height * width * 4:
        raise InputError(
            f"a mask of {length} values does not fit an image of {height} x {width} pixels "
            "in 4 channels"
        )
    widths = [bits.read(4) + 1 for _ in range(4)]
    values = np.zeros(length, np.uint8)
    at = 0
    while at < length:
        same = bits.read(1)
        run = 1 + bits.read(widths[bits.read(2)])
        if at + run > length:
            raise InputError(
                f"a mask of {length} values has a run that goes on to value {at + run}"
            )
        values[at : at + run] = bits.read(word) if same else [bits.read(word) for _ in range(run)]
        at += run
    return values.reshape(height, width, 4)[:, :, 3] > 127


def encode(painted: np.ndarray) -> list[int]:
    """Return the bytes of a mask (height, width), bool."""
    values = np.repeat(np.where(painted.ravel(), 255, 0), 4)
    ends = np.flatnonzero(np.diff(values, append=-1)) + 1
    widths = [3, 7, 15, 16]  # of lengths less one
    bits = [f"{len(values):032b}", f"{WORD - 1:05b}", *(f"{width - 1:04b}" for width in widths)]
    for start, end in zip([0, *ends[:-1]], ends, strict=True):
        for first in range(start, end, 2**16):
            run = min(end - first, 2**16) - 1
            which = next(number for number, width in enumerate(widths) if run < 2**width)
            bits.append(f"1{which:02b}{run:0{widths[which]}b}{values[start]:0{WORD}b}")
    joined = "".join(bits)
    joined += "0" * (-len(joined) % 8)
    return [int(joined[at : at + 8], 2) for at in range(0, len(joined), 8)]


class _Bits:
    """Reads numbers of so many bits, one after the other."""

    def __init__(self, encoded: list[int]):
        try:
            self._whole = bytes(encoded)
        except (TypeError, ValueError):
            raise InputError(
                f"a mask's bytes are {str(encoded)[:80]}: numbers from 0 to 255 were expected"
            ) from None
        self._at = 0

    def read(self, bits: int) -> int:
        """Return the next number."""
        first = self._at // 8
        last = (self._at + bits + 7) // 8
        if last > len(self._whole):
            raise InputError(f"a mask ends after {len(self._whole)} bytes, in the middle of a run")
        chunk = int.from_bytes(self._whole[first:last], "big")
        self._at += bits
        return chunk >> (8 * last - self._at) & ((1 << bits) - 1)
