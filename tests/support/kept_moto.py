"""moto's server, whose journal of requests is whole: several threads write it, and any may be killed."""

import threading
from typing import Any

from moto import server
from moto.moto_api._internal.recorder import models

lock = threading.Lock()
record = models.Recorder._record_request


def record_alone(recorder: Any, request: Any, body: bytes | None = None) -> None:
    if request.method in ("PUT", "POST", "DELETE"):  # the others change nothing
        with lock:
            record(recorder, request, body)


if __name__ == "__main__":
    models.Recorder._record_request = record_alone
    server.main()
