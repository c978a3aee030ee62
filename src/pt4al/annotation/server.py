"""Talk to a server that people label on, by plain HTTP: one sentence for whatever goes wrong.

A proxy's page, half a reply, or JSON of another shape is such a failure too. Redirects are never
followed, since another host would see the token.
"""

import json
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import requests
from pydantic import TypeAdapter, ValidationError
from requests.adapters import HTTPAdapter
from urllib3.exceptions import HTTPError
from urllib3.util import Retry

from pt4al.errors import InputError

PATIENCE = (10, 120)  # seconds to connect, to answer
LONGEST = 600  # seconds for a whole reply
LARGEST = 512 * 2**20  # bytes of a reply: two hundred tasks with masks have some tens of MB
CHUNK = 2**16
PAGE = 100  # entries of a list in one reply
RETRIES = Retry(
    total=3,
    backoff_factor=0.2,
    status_forcelist=[502, 503, 504],
    allowed_methods=["GET"],  # which changes nothing
    raise_on_status=False,
    redirect=False,
)
ANYTHING = TypeAdapter(Any)


@dataclass(frozen=True)
class Reply:
    """A server's whole reply."""

    status: int
    body: bytes
    location: str | None

    @property
    def ok(self) -> bool:
        """Whether the request succeeded."""
        return 200 <= self.status < 300


@dataclass(frozen=True)
class Glance:
    """The beginning of a reply, as a browser would get it.

    Attributes
    ----------
    location
        Where the reply sends the browser; None: nowhere.
    origin
        Which pages may read the reply (`Access-Control-Allow-Origin`); None: it doesn't say.
    beginning
        Some bytes of its body.
    """

    status: int
    content_type: str
    location: str | None
    origin: str | None
    beginning: bytes


class Server:
    """A server and a token for it, which is in no message.

    Attributes
    ----------
    product
        Name of the program that runs there, as messages say it.
    """

    product = "the server"

    def __init__(self, url: str, token: str):
        """Take the server's address, and a token.

        Raises
        ------
        InputError
            If the address or the token can't be one, or the address holds a password.
        """
        url = str(url).strip()
        token = str(token).strip()
        try:
            parts = urlsplit(url)
        except ValueError:
            parts = urlsplit("")
        if "@" in parts.netloc:
            raise InputError(
                f"{self.product}'s address at {parts.hostname!r} holds a name or password: "
                "a token is enough"
            )
        if parts.scheme not in ("http", "https") or not parts.netloc:
            raise InputError(
                f"{self.product}'s address is {url!r}: "
                "something like http://127.0.0.1:8080 was expected"
            )
        self.url = url.rstrip("/")
        self._token = token
        if not re.fullmatch(r"[!-~]+", self._token):
            raise InputError(
                f"{self.product}'s token ({len(self._token)} characters) is empty, "
                "or holds spaces or letters that no token has: "
                "copy it again from the page of your account"
            )
        self._session = requests.Session()
        # No proxy within one machine: it would see the token, and not find the server.
        self._session.trust_env = parts.hostname not in ("127.0.0.1", "localhost", "::1")
        for scheme in ("http://", "https://"):
            self._session.mount(scheme, HTTPAdapter(max_retries=RETRIES))

    @property
    def origin(self) -> str:
        """Where pages of the server come from: its address without a path."""
        parts = urlsplit(self.url)
        return f"{parts.scheme}://{parts.netloc}"

    def __repr__(self) -> str:
        """Name the server, without its token."""
        return f"{type(self).__name__}({self.url!r})"

    def __enter__(self):
        return self

    def __exit__(self, *_: object) -> None:
        self._session.close()

    def get(self, path: str, shape: TypeAdapter = ANYTHING, /, **query: Any) -> Any:
        """Return the answer of a path; InputError if it has another shape than expected."""
        return self._ask("GET", path, shape, params=query)

    def post(self, path: str, body: Any, shape: TypeAdapter = ANYTHING, /, **query: Any) -> Any:
        """Create something; return the answer."""
        return self._ask("POST", path, shape, json=body, params=query)

    def patch(self, path: str, body: Any) -> Any:
        """Change something; return the answer."""
        return self._ask("PATCH", path, ANYTHING, json=body)

    def listed(self, path: str, shape: TypeAdapter, /, **query: Any) -> Iterator[dict]:
        """Yield the entries of a list that comes in pages: `results`, each with an `id`, `next`."""
        page = 1
        seen: set[int] = set()
        while True:
            answer = self.get(path, shape, page=page, page_size=PAGE, **query)
            yield from answer["results"]
            if not answer.get("next"):
                return
            page += 1
            seen = self.more(path, seen, answer["results"])

    def more(self, path: str, seen: set[int], page: list[dict]) -> set[int]:
        """Return the ids seen so far; InputError if a page repeats, or reading would never end."""
        extended = seen | {one["id"] for one in page}
        if extended == seen:
            raise self.odd(path, "the same page again and again")
        return extended

    def glance(self, address: str) -> Glance:
        """Ask for any address as a browser on the server's pages would; read no more than needed.

        Only the server itself gets the token. Redirects are not followed.

        Raises
        ------
        InputError
            If nobody answers there.
        """
        own = address.startswith(self.origin + "/")
        headers = {} if own else {"Origin": self.origin}
        try:
            with self._session.get(
                address,
                timeout=PATIENCE,
                allow_redirects=False,
                stream=True,
                headers=headers,
                auth=self._signed if own else unsigned,
            ) as reply:
                return Glance(
                    reply.status_code,
                    reply.headers.get("Content-Type", ""),
                    reply.headers.get("Location"),
                    reply.headers.get("Access-Control-Allow-Origin"),
                    next(reply.iter_content(CHUNK), b""),
                )
        except (requests.RequestException, HTTPError, OSError, ValueError) as error:
            raise InputError(
                f"nothing answers at {self.shown(address)} ({type(error).__name__})"
            ) from None

    def shown(self, address: str) -> str:
        """Return an address as messages show it: short, and without keys of other servers."""
        if not address.startswith((self.origin + "/", "/")):
            address = address.partition("?")[0]
        return repr(self._without_secrets(address)[:200])

    def odd(self, path: str, what: str) -> InputError:
        """Return the error for an answer that this program would not give."""
        return InputError(
            f"{self.url}{path} does not answer as {self.product} does ({what}): "
            "is the address right?"
        )

    def _signed(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """Add the token; as `auth`, since a .netrc file would replace a header."""
        raise NotImplementedError(f"{self.product} has no tokens")

    def _secrets(self) -> list[str]:
        """Return what no message may hold."""
        return [self._token]

    def _ask(self, method: str, path: str, shape: TypeAdapter, **kwargs: Any) -> Any:
        reply = self._send(method, path, auth=self._signed, **kwargs)
        return self._read(method, path, reply, shape)

    def _send(self, method: str, path: str, **kwargs: Any) -> Reply:
        try:
            with self._session.request(
                method,
                self.url + path,
                timeout=PATIENCE,
                allow_redirects=False,
                stream=True,
                **kwargs,
            ) as reply:
                body = self._received(path, reply)
                return Reply(reply.status_code, body, reply.headers.get("Location"))
        except (requests.RequestException, HTTPError, OSError) as error:
            raise InputError(
                f"{self.product} at {self.url} can't be reached, or hangs up "
                f"({type(error).__name__}): is it running there?"
            ) from None

    def _received(self, path: str, reply: requests.Response) -> bytes:
        end = time.monotonic() + LONGEST
        parts = []
        size = 0
        for part in reply.iter_content(CHUNK):
            size += len(part)
            if size > LARGEST:
                raise self.odd(path, f"more than {LARGEST} bytes")
            if time.monotonic() > end:
                raise self.odd(path, f"no end within {LONGEST} seconds")
            parts.append(part)
        return b"".join(parts)

    def _check(self, method: str, path: str, reply: Reply) -> None:
        """Raise InputError unless the request succeeded."""
        if reply.status in (401, 403):
            raise InputError(
                f"{self.product} at {self.url} refuses the token (status {reply.status}): "
                "is it current?"
            )
        if not reply.ok:
            result = f"status {reply.status}: {self._summary(reply)}"
            raise InputError(f"{self.product} at {self.url}: {method} {path} gave {result}")

    def _read(self, method: str, path: str, reply: Reply, shape: TypeAdapter) -> Any:
        self._check(method, path, reply)
        try:
            content = json.loads(reply.body)
        except (ValueError, RecursionError):
            raise self.odd(path, f"no JSON, but {self._summary(reply)}") from None
        try:
            shape.validate_python(content, strict=True)
        except ValidationError as error:
            raise self.odd(path, describe(error)) from None
        return content

    def _summary(self, reply: Reply) -> str:
        """Return the beginning of a reply, in one line and without secrets."""
        if reply.location is not None and 300 <= reply.status < 400:
            return f"it sends us to {self._without_secrets(reply.location)[:200]!r}"
        text = self._without_secrets(reply.body[:10_000].decode("utf-8", "replace"))
        text = " ".join(text.split())
        if re.match(r"(?i)<(!doctype|html)", text):
            title = re.search(r"(?i)<title>(.{1,200}?)</title>", text)
            return f"a web page, {title[1].strip()!r}" if title else "a web page"
        return text[:300] if text else "nothing"

    def _without_secrets(self, text: str) -> str:
        for secret in filter(None, self._secrets()):
            text = text.replace(secret, "...")
        return text


def describe(error: ValidationError) -> str:
    """Return the first place that has another shape than expected, and what is wrong there."""
    first = error.errors(include_url=False)[0]
    where = ".".join(str(part) for part in first["loc"])
    message = first["msg"][:1].lower() + first["msg"][1:200]
    return f"`{where}`: {message}" if where else message


def unsigned(request: requests.PreparedRequest) -> requests.PreparedRequest:
    """Add no token; as `auth`, since a .netrc file would be used without any."""
    return request
