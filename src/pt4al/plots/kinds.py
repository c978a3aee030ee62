"""What a picture's bytes are: charts are SVG, sheets are parts of a page, anything else is PNG."""

KINDS = ("svg", "html", "png")


def kind(picture: bytes) -> str:
    """Return a picture's kind, which is how its file's name ends."""
    if picture.startswith(b"<svg"):
        return "svg"
    return "html" if picture.startswith(b"<div") else "png"
