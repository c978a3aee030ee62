"""Serve the labelling page of a simulated query until it is killed; typed by `grid.py` alone.

    python benchmarks/grid_case.py FOLDER

FOLDER holds `query.parquet` (id, picture: bytes of a PNG) and `suggestions.parquet`, and `classes.json`; the answers
and the link go there too. Prints the link once the page is served.
"""

import json
import sys
from pathlib import Path

import pandas as pd

from pt4al.annotation.aggregation import Policy
from pt4al.annotation.log import AnswerLog
from pt4al.annotation.queue import AnnotationQueue
from pt4al.annotation.web import link
from pt4al.annotation.web.server import Page


def main() -> None:
    folder = Path(sys.argv[1])
    table = pd.read_parquet(folder / "query.parquet")
    pictures = dict(zip(table["id"], table["picture"], strict=True))
    classes = json.loads((folder / "classes.json").read_text())
    guesses = pd.read_parquet(folder / "suggestions.parquet")
    queue = AnnotationQueue(AnswerLog(folder), table[["id"]], Policy(), classes, guesses)
    kept = link.read(folder / "page.json") or link.Link(0, None)
    facts = {"run": folder.name, "title": "Fashion-MNIST"}
    page = Page(queue, lambda image, size="": pictures[image], facts=facts, port=kept.port, token=kept.token)
    link.keep(folder / "page.json", link.Link(page.port, page.token))
    print(page.url, flush=True)
    page.run()


if __name__ == "__main__":
    main()
