"""Write figures as SVG: in the colours of its page, with words on what the pointer rests on."""

import io
import json
import re
import warnings
from collections.abc import Sequence
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

import numpy as np
from matplotlib import rc_context
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.text import Text

from pt4al.plots.palette import THEME

XMLNS = "http://www.w3.org/2000/svg"
HREF = "{http://www.w3.org/1999/xlink}href"
# The same figure gives the same bytes; letters stay letters.
AS_TEXT = {"svg.fonttype": "none", "svg.hashsalt": "pt4al"}
NOT_XML = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f]")
# Artists are marked by their ids, which come back as the ids of their elements.
TOLD = "told:"
HALO = "halo"
THROUGH = "through"
AROUND = "paint-order: stroke; stroke: var(--card, #ffffff); stroke-width: 3px"
REACH = 200  # square points around a point in which the pointer meets it


def tell(artist: Artist, *texts: str) -> None:
    """Say what an artist is when the pointer rests on it: one text, or one for each of its parts.

    Parts are the points of a scatter and the cells of a mesh, in the order given.
    """
    artist.set_gid(TOLD + json.dumps(texts))


def tell_points(axes: Axes, across: Sequence[float], up: Sequence[float], texts: list[str]) -> None:
    """Say what each point of a curve is, somewhat around it, too; none is drawn anew."""
    known = np.isfinite(np.asarray(up, float))
    points = axes.scatter(
        np.asarray(across)[known], np.asarray(up)[known], REACH, alpha=0, zorder=9
    )
    tell(points, *[text for text, is_known in zip(texts, known, strict=True) if is_known])


def add_halo(text: Text) -> None:
    """Keep lines behind a text away from its letters."""
    text.set_gid(HALO)


def let_through(text: Text) -> None:
    """Let the pointer rest on what is behind a text."""
    text.set_gid(THROUGH)


def svg(figure: Figure) -> bytes:
    """Return a figure as an SVG file; the same figure gives the same bytes.

    Its colours are the page's style sheet's, where there is one. It has no size of its own: it is
    as wide as the place where it stands.
    """
    buffer = io.BytesIO()
    with rc_context(AS_TEXT), warnings.catch_warnings():
        # The widths of signs that the font lacks are guessed: a browser has other fonts.
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        figure.savefig(buffer, format="svg", transparent=True, metadata={"Date": None})
    root = ElementTree.fromstring(NOT_XML.sub(b"?", buffer.getvalue()))
    _bare(root)
    _name_parts(root)
    box = root.attrib["viewBox"]
    root.attrib = {
        "xmlns": XMLNS,
        "viewBox": box,
        "font-family": "system-ui, sans-serif",
        "stroke-linejoin": "round",
    }
    return ElementTree.tostring(root)  # in ASCII: the same in a page of any encoding


def _bare(root: Element) -> None:
    """Remove what a page has no use for: names of spaces, facts on the file, fonts, digits."""
    for element in root.iter():
        element.tag = element.tag.rpartition("}")[2]
        if HREF in element.attrib:
            element.attrib["href"] = element.attrib.pop(HREF)
        for name in ("d", "x", "y", "transform", "points"):
            if name in element.attrib:
                element.attrib[name] = _short(element.attrib[name])
        if element.tag == "text":
            element.attrib["style"] = _fontless(element.attrib.get("style", ""))
        if "style" in element.attrib:
            element.attrib["style"] = _themed(element.attrib["style"])
        if not (element.text or "").strip():
            element.text = None
        element.tail = None
    for child in list(root):
        if child.tag == "metadata" or child.find("style") is not None:
            root.remove(child)


def _themed(style: str) -> str:
    return re.sub(r"#[0-9a-f]{6}\b", lambda found: THEME.get(found[0], found[0]), style)


def _short(numbers: str) -> str:
    rounded = re.sub(r"-?\d+\.\d+", lambda found: f"{float(found[0]):.2f}", numbers)
    return re.sub(r"\s+", " ", rounded).strip()


def _fontless(style: str) -> str:
    """Return a text's style with its size and weight, and its page's letters and colour."""
    style = re.sub(r"font: (?:(\w+) )?([\d.]+px) [^;]*", r"font-weight: \1; font-size: \2", style)
    style = re.sub(r"font-family: [^;]*;? *|font-weight: ; *", "", style).rstrip("; ")
    return style if "fill:" in style else f"{style}; fill: currentColor"


def _name_parts(root: Element) -> None:
    """Put each text in the part that it is about, and remove ids that nothing refers to."""
    referred = set()
    for element in root.iter():
        referred.update(re.findall(r"url\(#([^)]*)\)", " ".join(element.attrib.values())))
        referred.add(element.attrib.get("href", "")[1:])
    for element in list(root.iter()):
        name = element.attrib.get("id", "")
        if name in referred:
            continue
        element.attrib.pop("id", None)
        if name.startswith(TOLD):
            _title(element, json.loads(name.removeprefix(TOLD)))
        elif name == THROUGH:
            element.attrib["pointer-events"] = "none"
        elif name == HALO:
            for text in element.iter("text"):
                text.attrib["style"] = f"{text.attrib['style']}; {AROUND}"


def _title(element: Element, texts: list[str]) -> None:
    parts = [element]
    if len(texts) != 1:
        shapes = {id(shape) for defs in element.iter("defs") for shape in defs.iter()}
        drawn = [part for part in element.iter() if part.tag in ("path", "use")]
        parts = [part for part in drawn if id(part) not in shapes]
    for part, text in zip(parts, texts, strict=True):
        title = Element("title")
        title.text = text
        part.insert(0, title)
