"""The link to a run's labelling page, stored so that a restarted page has the same one."""

import json
import logging
import os
from dataclasses import asdict, dataclass
from pathlib import Path

from pt4al.files.whole import replacing

logger = logging.getLogger(__name__)

SHORTEST = 20  # characters of a token


@dataclass(frozen=True)
class Link:
    """Port and token of a page."""

    port: int
    token: str


def read(file: Path) -> Link | None:
    """Return the stored link; None if there is none that can be used."""
    try:
        link = Link(**json.loads(file.read_text("utf-8")))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError, RecursionError) as error:
        logger.warning(
            "%s can't be read (%s): the page gets a new link", file, type(error).__name__
        )
        return None
    if not _usable(link):
        logger.warning("%s holds no link: the page gets a new one", file)
        return None
    return link


def keep(file: Path, link: Link) -> None:
    """Store a link, readable for its owner alone: who has it may label."""
    with replacing(file) as temporary:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as opened:
            os.fchmod(descriptor, 0o600)  # also of a file that a killed process left
            opened.write(json.dumps(asdict(link)) + "\n")


def _usable(link: Link) -> bool:
    if type(link.port) is not int or not 0 < link.port < 2**16:
        return False
    if not isinstance(link.token, str) or len(link.token) < SHORTEST:
        return False
    return link.token.isascii() and link.token.isprintable()
