"""Read sheets and charts, which are parts of a page, as their readers do."""

import base64
import io
import re
from html import unescape
from html.parser import HTMLParser
from xml.etree import ElementTree

import numpy as np
from PIL import Image


class Sheet(HTMLParser):
    """A sheet's images, captions and text; each element must be closed."""

    def __init__(self, content: bytes):
        super().__init__()
        self.images: list[np.ndarray] = []
        self.names: list[str] = []
        self.sizes: list[tuple[int, int]] = []
        self.captions: list[str] = []
        self.text = ""
        self._open: list[str] = []
        self.feed(content.decode("ascii"))
        assert self._open == []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        if tag == "img":
            given = dict(attributes)
            kind, _, code = given["src"].partition(";base64,")
            assert kind in ("data:image/png", "data:image/jpeg")
            self.images.append(np.asarray(Image.open(io.BytesIO(base64.b64decode(code)))))
            self.names.append(given["alt"])
            self.sizes.append((int(given["height"]), int(given["width"])))
        elif tag == "br":
            self.handle_data("\n")
        else:
            self._open.append(tag)
            if tag == "figcaption":
                self.captions.append("")

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data
        if "figcaption" in self._open:
            self.captions[-1] += data


def titles(chart: bytes) -> list[str]:
    """What a chart says where the pointer rests, in the order drawn."""
    return [title.text or "" for title in ElementTree.fromstring(chart).iter() if title.tag.endswith("}title")]


def words(chart: bytes) -> list[str]:
    """What is written in a chart."""
    return [unescape(text) for text in re.findall(r"<text[^>]*>(.*?)</text>", chart.decode("ascii"))]
