"""Write some of the pictures that ship as a folder of photos without labels, to try labelling on.

python data/make_photos.py <folder> [<number>]
"""

import sys
from pathlib import Path

import pandas as pd

HERE = Path(__file__).parent


def main() -> None:
    folder, number = Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 600
    folder.mkdir(parents=True, exist_ok=True)
    table = pd.read_parquet(HERE / "01_raw/fashion_mnist/train.parquet", columns=["image"]).head(number)
    for row, image in enumerate(table["image"]):
        (folder / f"{row:05d}.png").write_bytes(image["bytes"])
    print(f"{len(table)} photos in {folder}")


if __name__ == "__main__":
    main()
