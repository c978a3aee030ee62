"""Hook of mkdocs: a link to a file of the repository, which no page is, becomes its path.

On a page that is read in the repository the link works; the site stands alone, and names the file.
"""

import posixpath
import re
from pathlib import Path, PurePosixPath
from typing import Any

LINK = re.compile(r"(?<!!)\[(?P<text>[^\]]*)\]\((?P<target>\.\./[^)\s#]+)\)")


def on_page_markdown(markdown: str, page: Any, config: Any, **_: Any) -> str:
    """Return the page without links that leave the docs folder; a missing file is an error."""
    folder = Path(config["docs_dir"])
    here = PurePosixPath(page.file.src_uri).parent

    def replaced(link: re.Match) -> str:
        target = posixpath.normpath(here / link["target"])
        if not target.startswith("../"):
            return link[0]
        if not (folder / target).exists():
            raise FileNotFoundError(f"{page.file.src_uri} links to {link['target']}, which is not there")
        path = target.removeprefix("../")
        text = link["text"].strip("`")
        return f"`{path}`" if text == path else f"{link['text']} (`{path}`)"

    return LINK.sub(replaced, markdown)
