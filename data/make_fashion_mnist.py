"""Make the subset of Fashion-MNIST that ships: 10,000 pool and 4,000 test images, as Parquet with encoded PNGs.

    python data/make_fashion_mnist.py [folder with the IDX files]

Source: Fashion-MNIST (Xiao, Rasul, Vollgraf 2017), MIT licence; Debian's package
dataset-fashion-mnist puts its files in /usr/share/datasets/fashion-mnist.
"""

import io
import json
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image

from pt4al.images.sources.idx import FASHION, read
from pt4al.randomness import stream

SIZES = {"train": 10_000, "test": 4_000}


def main() -> None:
    raw = Path(sys.argv[1] if len(sys.argv) > 1 else "/usr/share/datasets/fashion-mnist")
    for split, size in SIZES.items():
        collection = read(raw, split).sample(size, stream(0, f"subset {split}"))
        pictures = [_png(pixels) for pixels in collection.pictures(np.arange(size))]
        image = pa.StructArray.from_arrays(
            [pa.array(pictures, pa.binary()), pa.array(collection.index["id"] + ".png", pa.string())],
            ["bytes", "path"],
        )
        label = pa.array([FASHION.index(name) for name in collection.index["label"]], pa.int64())
        hub = {"info": {"features": {"image": {"_type": "Image"}, "label": {"names": FASHION, "_type": "ClassLabel"}}}}
        table = pa.table({"image": image, "label": label}).replace_schema_metadata({"huggingface": json.dumps(hub)})
        path = Path(__file__).parent / "01_raw" / "fashion_mnist" / f"{split}.parquet"
        pq.write_table(table, path, row_group_size=1000, compression="zstd")
        print(f"{path}: {size} images, {path.stat().st_size / 1e6:.1f} MB")


def _png(pixels: np.ndarray) -> bytes:
    encoded = io.BytesIO()
    Image.fromarray(pixels).save(encoded, "PNG", optimize=True)
    return encoded.getvalue()


if __name__ == "__main__":
    main()
