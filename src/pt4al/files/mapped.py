"""Hand an array to another process: a mapped one by the name of its file, not by its bytes."""

import mmap
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np


def reopening(array: Any) -> Callable[[], Any]:
    """Return what gives the array again, in this process or another on the same folders.

    Of `np.load(path, mmap_mode="r")`, file, shape and offset travel; anything else travels whole.
    """
    if isinstance(array, np.memmap) and isinstance(array.base, mmap.mmap) and array.filename:
        order = "C" if array.flags.c_contiguous else "F"
        place = (array.filename, array.dtype, "r", array.offset, array.shape, order)
        return partial(np.memmap, *place)
    return partial(_itself, array)


def _itself(array: Any) -> Any:
    return array
