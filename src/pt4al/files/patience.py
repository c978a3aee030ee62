"""Ask a server again that does not answer, for a while; say at once what asking again won't change."""

import errno
import logging
import time
from collections.abc import Callable
from typing import TypeVar

from pt4al.errors import InputError

logger = logging.getLogger(__name__)

Result = TypeVar("Result")

SHORTEST = 0.2  # seconds until it is asked for the second time
LONGEST = 15.0  # seconds between two times
# Errors of this machine's own disk, which have sentences of their own.
OWN = {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EFBIG, errno.ENAMETOOLONG}
# What a server answers again, as s3fs tells it.
REFUSED = {errno.EINVAL, errno.EPERM, errno.ENOSYS, getattr(errno, "EREMCHG", -1)}
# Packages whose errors are a network's or a server's.
REMOTE = {"aiobotocore", "aiohttp", "asyncio", "botocore", "fsspec", "gcsfs", "google", "requests"}


class Unreachable(InputError):
    """A server has not answered for as long as it was to be asked."""


def patiently(do: Callable[[], Result], address: str, patience: float, kept: str) -> Result:
    """Return what `do` returns, which is called again while the server at `address` is away.

    Parameters
    ----------
    patience
        Seconds for which it is called again.
    kept
        What is not lost if that does not help, and how to go on.

    Raises
    ------
    Unreachable
        If the server stays away.
    InputError
        If it refuses: names the key that lacks the right.
    FileNotFoundError, FileExistsError
        As `do` does.
    """
    until = time.monotonic() + patience
    wait = SHORTEST
    while True:
        try:
            return do()
        except (FileNotFoundError, FileExistsError):
            raise
        except Exception as error:
            _raise_final(error, address)
            if time.monotonic() + wait > until:
                raise Unreachable(
                    f"{address} has not answered for {patience:.0f} seconds ({_words(error)}): "
                    f"{kept}"
                ) from None
            if wait == SHORTEST:
                logger.warning("%s does not answer, and is asked again", address)
        time.sleep(wait)
        wait = min(2 * wait, LONGEST)


def _raise_final(error: Exception, address: str) -> None:
    """Raise what would be the same the next time."""
    if "Credentials" in type(error).__name__:
        raise InputError(
            f"{address}: no key was found ({_words(error)}): set AWS_ACCESS_KEY_ID and "
            "AWS_SECRET_ACCESS_KEY, or write an entry `storage` in conf/local/credentials.yml"
        ) from None
    if isinstance(error, PermissionError):
        raise InputError(
            f"{address}: the key that was given may not do this ({_words(error)}): give it the "
            "right to list, read, write and delete there, or use another one"
        ) from None
    if isinstance(error, OSError):
        if error.errno in OWN:
            raise error
        if error.errno in REFUSED:
            raise InputError(f"{address} refuses a request: {_words(error)}") from None
    elif type(error).__module__.partition(".")[0] not in REMOTE:
        raise error


def _words(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).partition("\n")[0]
