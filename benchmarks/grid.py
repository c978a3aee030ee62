"""Benchmark of the labelling page's grid: presses, seconds of the machine and wrong labels, beside one at a time.

    python benchmarks/grid.py [--images 1000] [--pictures FOLDER] [--quick]

Drives the page in a headless Chromium over real images (Fashion-MNIST), with a simulated model's guesses of which
90 % are right: its probability of the first class is drawn from Beta(9, 1), and the guess is right as often as that
says; of the wrong ones, seven in ten have the truth as second guess. A simulated person sees what is wrong and clicks
it away. Seconds are the machine's: a person's looking comes on top. They include the 0.4 seconds for which a new grid
takes no press. Then people who overlook what is wrong, by the same rule of grouping, without a browser; then a server
that is killed with the signal KILL while answers are on their way. `--pictures`: keeps screenshots. `--quick` tries it
at a size too small to quote.
"""

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd

ROOT = Path(__file__).parents[1]
sys.path.append(str(ROOT / "tests"))  # the browser

from pt4al.annotation.grouping import next_best, surest_group  # noqa: E402
from pt4al.annotation.log import AnswerLog  # noqa: E402
from pt4al.images.sources.idx import FASHION  # noqa: E402
from support.browser import Browser  # noqa: E402

CASE = Path(__file__).with_name("grid_case.py")
RIGHT, SECOND = 9, 0.7  # Beta(9, 1) has mean 0.9; how often a wrong guess's second is right
SIZE = 20  # images of a grid
OVERLOOKED, SLIP = (0.0, 0.05, 0.1), 0.01
# What stands on the page once it can take a press: the grid, a picture, or the end.
STATE = """new Promise(done => {
  const look = () => {
    if (busy) return setTimeout(look, 4);
    if (group && performance.now() - group.since > SIGHT)
      return done({ kind: "grid", label: group.label, images: group.images });
    if (!group && shown)
      return done({ kind: "single", image: shown.id, likely: shown.likely, keys });
    if (!group && !document.getElementById("end").hidden) return done({ kind: "end" });
    setTimeout(look, 4);
  };
  look();
})"""
MIDDLES = """Object.fromEntries([...document.querySelectorAll('#cells button')].map(one => {
  const box = one.getBoundingClientRect();
  return [one.title, [box.x + box.width / 2, box.y + box.height / 2]];
}))"""


@dataclass
class Server:
    """The page, in a process of its own; started again, it has the link that it had."""

    folder: Path

    def __enter__(self) -> "Server":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    def start(self) -> None:
        command = [sys.executable, str(CASE), str(self.folder)]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        self.url = self._process.stdout.readline().strip()

    def kill(self) -> None:
        os.kill(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self._process.stdout.close()


@dataclass
class Person:
    """Presses keys and clicks, and counts them; sees everything, and says the truth."""

    browser: Browser
    truth: dict[str, str]
    keys: int = 0
    clicks: int = 0
    grids: int = 0
    said: dict[str, str] = field(default_factory=dict)

    def press(self, *keys: str) -> None:
        for key in keys:
            self.browser.press(key)
            self.keys += 1

    def group(self, state: dict, before: Callable[[], None]) -> None:
        """Click away what is something else, and confirm the others."""
        self.grids += 1
        wrong = [image for image in state["images"] if self.truth[image] != state["label"]]
        places = self.browser.run(MIDDLES) if wrong else {}
        for image in wrong:
            x, y = places[image]
            for kind in ("mousePressed", "mouseReleased"):
                self.browser.send("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)
            self.clicks += 1
        self.said |= {image: state["label"] for image in state["images"] if image not in wrong}
        before()
        self.press("Enter")

    def single(self, state: dict) -> None:
        """Accept the guess, or take the class by its digit, or by as many letters as find it."""
        label = self.truth[state["image"]]
        self.said[state["image"]] = label
        if state["likely"] and state["likely"][0][0] == label:
            self.press("Enter")
        elif label in state["keys"][:9]:
            self.press(str(state["keys"].index(label) + 1))
        else:
            for letter in label:
                self.press(letter)
                first = "document.querySelector('#classes .first span')?.textContent"
                if self.browser.run(first) == label:
                    break
            self.press("Enter")


def simulate(images: int, rng: np.random.Generator) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return a query (`id`, `picture`, `truth`) and a model's guesses."""
    table = pd.read_parquet(ROOT / "data/01_raw/fashion_mnist/train.parquet").head(images)
    rows = []
    for number, label in enumerate(table["label"]):
        truth = FASHION[int(label)]
        others = [name for name in FASHION if name != truth]
        sure = rng.beta(RIGHT, 1)
        order = [str(name) for name in rng.permutation(others)]
        if rng.random() < sure:
            order = [truth, *order]
        else:
            order.insert(1 if rng.random() < SECOND else 2, truth)
        shares = [sure, 0.6 * (1 - sure), 0.3 * (1 - sure)]
        likely = [[name, round(share, 4)] for name, share in zip(order, shares, strict=False)]
        rows.append({"id": f"{number:05}.png", "label": order[0], "probability": sure, "likely": json.dumps(likely)})
    guesses = pd.DataFrame(rows)
    pictures = [image["bytes"] for image in table["image"]]
    truth = [FASHION[int(label)] for label in table["label"]]
    return pd.DataFrame({"id": guesses["id"], "picture": pictures, "truth": truth}), guesses


def lay_out(folder: Path, query: pd.DataFrame, guesses: pd.DataFrame) -> None:
    folder.mkdir()
    query[["id", "picture"]].to_parquet(folder / "query.parquet")
    guesses.to_parquet(folder / "suggestions.parquet")
    (folder / "classes.json").write_text(json.dumps(list(FASHION)))


def label_all(person: Person, url: str, grid: bool, before: Callable[[], None], shots: Path | None) -> float:
    """Label the whole query; return the seconds from the first picture to the end."""
    browser = person.browser
    browser.open(url)
    browser.until("document.querySelector('dialog[open]') !== null")
    browser.type("Ada")
    browser.press("Enter")
    browser.run(STATE)
    if grid:
        browser.send("Input.dispatchKeyEvent", type="keyDown", key="G", text="G", modifiers=8)
        browser.until("group !== null")
    if shots:
        screenshots(browser, shots)
    start = time.perf_counter()
    while (state := browser.run(STATE))["kind"] != "end":
        if state["kind"] == "grid":
            person.group(state, before)
        else:
            person.single(state)
    return time.perf_counter() - start


def screenshots(browser: Browser, folder: Path) -> None:
    """Keep what the grid looks like, light and dark, with two pictures marked."""
    folder.mkdir(parents=True, exist_ok=True)
    browser.run(STATE)
    browser.picture(folder / "grid.png")
    browser.run("group.images.slice(2, 4).forEach(toggle)")
    dark = [{"name": "prefers-color-scheme", "value": "dark"}]
    browser.send("Emulation.setEmulatedMedia", features=dark)
    browser.picture(folder / "dark.png")
    browser.send("Emulation.setEmulatedMedia", features=[])
    browser.run("[...group.marked].forEach(toggle)")


def drive(folder: Path, query: pd.DataFrame, guesses: pd.DataFrame, grid: bool, shots: Path | None) -> dict:
    """Return presses and seconds of one way to label the query."""
    lay_out(folder, query, guesses)
    truth = dict(zip(query["id"], query["truth"], strict=True))
    with Server(folder) as server, Browser() as browser:
        person = Person(browser, truth)
        seconds = label_all(person, server.url, grid, lambda: None, shots if grid else None)
    check(folder, person.said, len(query))
    presses = person.keys + person.clicks
    return {
        "way": "grid" if grid else "one at a time",
        "images": len(query),
        "grids": person.grids,
        "keys": person.keys,
        "clicks": person.clicks,
        "presses an image": round(presses / len(query), 3),
        "machine, s": round(seconds, 1),
    }


def check(folder: Path, said: dict[str, str], images: int) -> None:
    """Raise unless the log holds each answer that was given, once."""
    history = AnswerLog(folder).read()
    logged = dict(zip(history["id"], history["label"], strict=True))
    if logged != said or len(history) != images or history["key"].duplicated().any():
        raise AssertionError(f"{len(history)} answers to {len(logged)} of {images} images are in the log")


def killed(folder: Path, query: pd.DataFrame, guesses: pd.DataFrame, delays: list[float]) -> int:
    """Label by grids while the server is killed, so long after a confirmation each time; return how often it was."""
    lay_out(folder, query, guesses)
    truth = dict(zip(query["id"], query["truth"], strict=True))
    left = list(delays)
    restarts: list[threading.Thread] = []

    with Server(folder) as server, Browser() as browser:

        def again(delay: float) -> None:
            time.sleep(delay)
            server.kill()
            server.start()

        def kill_soon() -> None:
            for thread in restarts:
                thread.join()
            if left:
                restarts.append(threading.Thread(target=again, args=[left.pop(0)]))
                restarts[-1].start()

        person = Person(browser, truth)
        label_all(person, server.url, True, kill_soon, None)
        for thread in restarts:
            thread.join()
    check(folder, person.said, len(query))
    return len(delays) - len(left)


def wrong_labels(query: pd.DataFrame, guesses: pd.DataFrame, overlooked: float, rng: np.random.Generator) -> float:
    """Return the share of wrong labels of a person who overlooks some, and slips one at a time."""
    truth = dict(zip(query["id"], query["truth"], strict=True))
    likely = {image: json.loads(pairs) for image, pairs in zip(guesses["id"], guesses["likely"], strict=True)}
    left = {image: next_best(pairs) for image, pairs in likely.items()}
    excluded: dict[str, set[str]] = {image: set() for image in likely}
    wrong = 0
    while (group := surest_group({image: best for image, best in left.items() if best}, SIZE)) is not None:
        for image in group.images:
            mistaken = truth[image] != group.label
            if mistaken and rng.random() >= overlooked:
                excluded[image].add(group.label)
                left[image] = next_best(likely[image], excluded[image])
            else:
                wrong += mistaken
                del left[image]
    wrong += sum(rng.random() < SLIP for _ in left)
    return wrong / len(truth)


def inattention(query: pd.DataFrame, guesses: pd.DataFrame, repeats: int) -> pd.DataFrame:
    """Return the shares of wrong labels, by how much is overlooked."""
    rows = []
    for overlooked in OVERLOOKED:
        shares = [wrong_labels(query, guesses, overlooked, np.random.default_rng(seed)) for seed in range(repeats)]
        row = {"way": f"grid, {overlooked:.0%} overlooked", "wrong labels": f"{100 * np.mean(shares):.2f} %"}
        rows.append(row | {"spread": f"{100 * np.std(shares):.2f}"})
    rng = np.random.default_rng(0)
    shares = (rng.random((repeats, len(query))) < SLIP).mean(axis=1)
    row = {"way": f"one at a time, {SLIP:.0%} slips", "wrong labels": f"{100 * np.mean(shares):.2f} %"}
    rows.append(row | {"spread": f"{100 * np.std(shares):.2f}"})
    return pd.DataFrame(rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, default=1000)
    parser.add_argument("--pictures", type=Path, help="folder of screenshots")
    parser.add_argument("--quick", action="store_true")
    arguments = parser.parse_args()
    images = 60 if arguments.quick else arguments.images
    delays = [0.002] if arguments.quick else [0.0, 0.001, 0.002, 0.004, 0.008]
    query, guesses = simulate(images, np.random.default_rng(0))
    right = (guesses["label"] == query["truth"]).mean()
    print(f"{images:,} images; {right:.1%} of the guesses are right\n")
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        rows = [drive(folder / name, query, guesses, name == "grid", arguments.pictures) for name in ("grid", "single")]
        print(pd.DataFrame(rows).to_markdown(index=False), "\n")
        print(inattention(query, guesses, 2 if arguments.quick else 100).to_markdown(index=False), "\n")
        few = 40 if arguments.quick else 200
        times = killed(folder / "killed", query.head(few), guesses.head(few), delays)
        print(f"{few} answers, the server killed {times} times in the middle: none lost, none twice")


if __name__ == "__main__":
    main()
