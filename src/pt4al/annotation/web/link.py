"""The link to a run's labelling page, kept beside the run: a page that is started again is found where it was."""

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
    """Where a page is, and what lets somebody in."""

    port: int
    token: str


def read(file: Path) -> Link | None:
    """Return the link that was kept; None if there is none that can be used."""
    try:
        link = Link(**json.loads(file.read_text("utf-8")))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError, RecursionError) as error:
        logger.warning(
            "%s can't be read (%s): the page gets a new link", file, type(error).__name__
        )
        return None
    usable = type(link.port) is int and 0 < link.port < 2**16 and isinstance(link.token, str)
    if (
        not usable
        or len(link.token) < SHORTEST
        or not link.token.isascii()
        or not link.token.isprintable()
    ):
        logger.warning("%s holds no link: the page gets a new one", file)
        return None
    return link


def keep(file: Path, link: Link) -> None:
    """Keep a link, readable for its owner alone: who has it may label."""
    with replacing(file) as temporary:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as opened:
            os.fchmod(descriptor, 0o600)  # of a file that a killed process left, too
            opened.write(json.dumps(asdict(link)) + "\n")
