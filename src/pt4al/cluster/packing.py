"""Send work to other processes: mapped arrays by the names of their files, not by their bytes."""

import io
import mmap
from typing import Any

import cloudpickle
import numpy as np


class Packer(cloudpickle.Pickler):
    """A pickler that reads no mapped file: who unpacks maps it again, by its path."""

    def reducer_override(self, thing: Any) -> Any:
        """See pickle.Pickler."""
        if isinstance(thing, np.memmap) and isinstance(thing.base, mmap.mmap) and thing.filename:
            order = "C" if thing.flags.c_contiguous else "F"
            place = (thing.filename, thing.dtype, "r", thing.offset, thing.shape, order)
            return np.memmap, place
        return super().reducer_override(thing)


def pack(thing: Any) -> bytes:
    """Return a thing as bytes, which hold code: only what packed them may be trusted."""
    packed = io.BytesIO()
    Packer(packed).dump(thing)
    return packed.getvalue()
