"""Active learning that says when it helps. The core's functions by name, imported when they are used."""

from importlib import import_module
from typing import Any

__version__ = "0.1.0"

_PLACES = {
    "choose": "pt4al.selection.choose",
    "open_run": "pt4al.project.runs.finished_run",
    "pretext_losses": "pt4al.pretext.scoring",
}
__all__ = ["__version__", *sorted(_PLACES)]


def __getattr__(name: str) -> Any:
    if name not in _PLACES:
        raise AttributeError(f"pt4al has no {name!r}; it has {', '.join(sorted(_PLACES))}")
    return getattr(import_module(_PLACES[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *_PLACES})
