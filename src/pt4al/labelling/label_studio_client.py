"""Talk to a Label Studio server by plain HTTP, with either kind of its tokens."""

import re
import time
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from urllib3.util import Retry

from pt4al.errors import InputError

PATIENCE = (10, 120)  # seconds to connect, to answer
VALID = 240  # seconds that an access token is used for; it is valid for 300
REFRESH = re.compile(r"[\w-]+\.[\w-]+\.[\w-]+")  # a JSON web token; of the other kind any text without spaces is one
MAJOR = "1"  # version; 1.23 was tried
RETRIES = Retry(
    total=3,
    backoff_factor=0.2,
    status_forcelist=[502, 503, 504],
    allowed_methods=["GET"],  # what changes nothing
    raise_on_status=False,
    redirect=False,
)


class LabelStudio:
    """A server, and the right to talk to it. The token is in no message of ours."""

    def __init__(self, url: str, token: str):
        """Take the server's address, and a token: the legacy kind, or what an account's page gives people.

        Raises
        ------
        InputError
            If the address is none, or holds a password; if the token can't be one.
        """
        parts = urlsplit(url.strip())
        if "@" in parts.netloc:
            raise InputError(
                f"Label Studio's address at {parts.hostname!r} holds a name or password: a token is enough"
            )
        if parts.scheme not in ("http", "https") or not parts.netloc:
            raise InputError(f"Label Studio's address is {url!r}: something like http://127.0.0.1:8080 was expected")
        self.url, self._token = url.strip().rstrip("/"), token.strip()
        if not re.fullmatch(r"[!-~]+", self._token):
            raise InputError(
                f"Label Studio's token ({len(self._token)} characters) is empty, or holds spaces or letters that no "
                "token has: copy it again from the page of your account"
            )
        self._access, self._until = "", 0.0
        self._session = requests.Session()
        # Within one machine no proxy is asked: it would see the token, and not find the server.
        self._session.trust_env = parts.hostname not in ("127.0.0.1", "localhost", "::1")
        for scheme in ("http://", "https://"):
            self._session.mount(scheme, HTTPAdapter(max_retries=RETRIES))

    def __repr__(self) -> str:
        """Name the server alone."""
        return f"LabelStudio({self.url!r})"

    def __enter__(self) -> "LabelStudio":
        return self

    def __exit__(self, *_: object) -> None:
        self._session.close()

    def check(self) -> None:
        """Raise InputError if what answers at the address is no Label Studio that we know how to talk to."""
        found = self.get("/api/version")
        release = str(found.get("release", "")) if isinstance(found, dict) else ""
        if not release:
            raise InputError(f"{self.url} does not answer as Label Studio does: is the address right?")
        if release.split(".")[0] != MAJOR:
            raise InputError(f"Label Studio at {self.url} has version {release}: {MAJOR}.x was expected")

    def get(self, path: str, **query: Any) -> Any:
        """Return what a path answers."""
        return self._ask("GET", path, params=query)

    def post(self, path: str, body: Any, **query: Any) -> Any:
        """Send something new; return what is answered."""
        return self._ask("POST", path, json=body, params=query)

    def patch(self, path: str, body: Any) -> Any:
        """Change something; return what is answered."""
        return self._ask("PATCH", path, json=body)

    def _ask(self, method: str, path: str, **kwargs: Any) -> Any:
        reply = self._send(method, path, auth=self._signed, **kwargs)
        if reply.status_code == 401 and self._access:  # it ended earlier than we thought: nothing was done
            self._access = ""
            reply = self._send(method, path, auth=self._signed, **kwargs)
        return self._read(method, path, reply)

    def _signed(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """Add the token. As `auth`, since requests would let a .netrc file take the place of a mere header."""
        if REFRESH.fullmatch(self._token):
            request.headers["Authorization"] = f"Bearer {self._current()}"
        else:
            request.headers["Authorization"] = f"Token {self._token}"
        return request

    def _current(self) -> str:
        """Return an access token that is valid still."""
        if not self._access or time.monotonic() > self._until:
            path = "/api/token/refresh/"
            # Without `auth`, but not by .netrc either.
            reply = self._send("POST", path, json={"refresh": self._token}, auth=lambda request: request)
            self._access = self._read("POST", path, reply)["access"]
            self._until = time.monotonic() + VALID
        return self._access

    def _send(self, method: str, path: str, **kwargs: Any) -> requests.Response:
        try:
            return self._session.request(method, self.url + path, timeout=PATIENCE, allow_redirects=False, **kwargs)
        except requests.RequestException as error:
            why = type(error).__name__
            raise InputError(f"Label Studio at {self.url} can't be reached ({why}): is it running there?") from None

    def _read(self, method: str, path: str, reply: requests.Response) -> Any:
        status = reply.status_code
        if status in (401, 403):
            raise InputError(f"Label Studio at {self.url} refuses the token (status {status}): is it current?")
        if not reply.ok or reply.is_redirect:
            told = self._without_secrets(reply.text)[:300]
            raise InputError(f"Label Studio at {self.url}: {method} {path} gave status {status}: {told}")
        try:
            return reply.json()
        except ValueError:
            raise InputError(f"{self.url}{path} does not answer as Label Studio does: is the address right?") from None

    def _without_secrets(self, text: str) -> str:
        for secret in filter(None, (self._token, self._access)):
            text = text.replace(secret, "...")
        return text
