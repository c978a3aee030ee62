"""The colours of pictures, on light and on dark paper."""

from typing import NamedTuple


class Colour(NamedTuple):
    """A colour's name in a page's style sheet, and what it is on light and on dark paper."""

    name: str
    light: str
    dark: str


INK = "#1d2229"
FAINT = "#dfe3e8"
SOFT = "#5b6470"
PAPER = "#ffffff"
# Whatever the paper's colour is, a page sets it: these are what it is on light paper.
GROUND = {
    INK: "currentColor",
    FAINT: f"var(--line, {FAINT})",
    SOFT: f"var(--soft, {SOFT})",
    PAPER: f"var(--card, {PAPER})",
    "#000000": "currentColor",
}
# After Okabe and Ito 2008 and Tol's muted ones, with a contrast of at least 3 to their paper; told
# apart with any colour vision, from the eighth on with their markers.
LINES = [
    Colour("blue", "#0072b2", "#5eb0e8"),
    Colour("orange", "#b86a00", "#f0a830"),
    Colour("green", "#00805f", "#35c79c"),
    Colour("pink", "#b8528f", "#e6a0ca"),
    Colour("red", "#c44a00", "#ff8a55"),
    Colour("violet", "#6a4fc0", "#b09cf5"),
    Colour("grey", "#6b6f76", "#a3abb5"),
    Colour("wine", "#882255", "#d8709f"),
    Colour("olive", "#77771f", "#c4c45a"),
    Colour("teal", "#1f857c", "#50ccc0"),
    Colour("brown", "#6e3a12", "#c99468"),
    Colour("navy", "#332288", "#8f8ff0"),
    Colour("moss", "#117733", "#6fc389"),
]
PALETTE = [colour.light for colour in LINES]
MAIN, *OTHERS = PALETTE[:7]
ALARM = PALETTE[4]
# What a page's style sheet calls them; a file that is opened alone has no style sheet.
THEME = GROUND | {colour.light: f"var(--{colour.name}, {colour.light})" for colour in LINES}
