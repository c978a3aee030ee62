"""The labelling page, served to a browser that is driven by keys."""

import io
import json
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pandas as pd
from PIL import Image

from pt4al.annotation.log import AnswerLog
from pt4al.annotation.web.server import Page
from support.browser import Browser

READY = "typeof shown !== 'undefined' && !busy"


def picture(image: str, size: str = "screen") -> bytes:
    if image == "broken":
        raise OSError("gone")
    file = io.BytesIO()
    Image.new("L", (28, 28), 40 * int(image[1:]) % 256).save(file, "png")
    return file.getvalue()


@contextmanager
def served(page: Page) -> Iterator[None]:
    thread = threading.Thread(target=page.run)
    thread.start()
    try:
        yield
    finally:
        page.stop()
        thread.join()


def enter(browser: Browser, page: Page, name: str = "Ada") -> None:
    browser.open(page.url)
    browser.until("document.querySelector('dialog[open]') !== null")
    browser.type(name)
    browser.press("Enter")
    browser.until(READY)


def press(browser: Browser, *keys: str) -> None:
    for key in keys:
        browser.press(key)
        browser.until(READY)


def presses(browser: Browser, keys: Iterable[str]) -> None:
    """Press keys without waiting for anything."""
    for key in keys:
        browser.press(key)


def text(browser: Browser, name: str) -> str:
    return browser.run(f"document.getElementById('{name}').innerText")


def labels(folder: Path) -> list[str | None]:
    return [label if isinstance(label, str) else None for label in AnswerLog(folder).read()["label"]]


def mouse(browser: Browser, kind: str, x: float, y: float, **more) -> None:
    browser.send("Input.dispatchMouseEvent", type=kind, x=x, y=y, **more)


def guesses_of(likely: dict[str, list[tuple[str, float]]]) -> pd.DataFrame:
    """Return the model's guesses, most likely class first, by image."""
    best = [classes[0] for classes in likely.values()]
    return pd.DataFrame(
        {
            "id": list(likely),
            "label": [label for label, _ in best],
            "probability": [probability for _, probability in best],
            "likely": [json.dumps(classes) for classes in likely.values()],
        }
    )
