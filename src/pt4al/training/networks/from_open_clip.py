"""Image towers of the library open_clip as trunks; an extra, imported where it is used."""

import contextlib
import copy
import importlib.util
import logging
from collections.abc import Iterator
from typing import Any

import torch
from torch import nn

from pt4al.errors import InputError, did_you_mean
from pt4al.training.networks.from_timm import check_patches, misfit
from pt4al.training.networks.parts import Parts, Pool

PREFIX = "open_clip/"
LIBRARY = "open_clip"


def validated_name(name: str) -> str:
    """Return a name, `open_clip/<network>[/<weights>]`; InputError if there is none of it."""
    library = _library()
    network, tag = split(name)
    if network not in library.list_models():
        raise InputError(
            f"open_clip has no network {network!r}: {did_you_mean(network, library.list_models())}"
        )
    tags = library.list_pretrained_tags_by_model(network)
    if tag is not None and tag not in tags:
        raise InputError(
            f"open_clip has no weights {tag!r} of {network}: {did_you_mean(tag, tags)}"
        )
    return name


def split(name: str) -> tuple[str, str | None]:
    """Return the library's name of a network, and that of its weights, if it is said."""
    network, _, tag = name.removeprefix(PREFIX).partition("/")
    return network, tag or None


def data_config(name: str) -> dict[str, Any]:
    """Return `mean`, `std` (0 to 1), `input_size` (channels, height, width), `interpolation`."""
    library = _library()
    network, tag = split(name)
    tags = [tag] if tag else library.list_pretrained_tags_by_model(network)[:1]
    settings = library.get_pretrained_cfg(network, tags[0]) if tags else {}
    side = library.get_model_config(network)["vision_cfg"]["image_size"]
    return {
        "mean": settings.get("mean") or library.OPENAI_DATASET_MEAN,
        "std": settings.get("std") or library.OPENAI_DATASET_STD,
        "input_size": (3, side, side),
        "interpolation": settings.get("interpolation", "bicubic"),
    }


def make(name: str, channels: int, dense: bool, size: tuple[int, int] | None) -> Parts:
    """Return the parts of an image tower."""
    if dense or channels != 3:
        raise InputError(f"network {name} answers once an image of three channels")
    side = data_config(name)["input_size"][1:] if size is None else size
    try:
        tower = _model(name, side, None).visual
        check_patches(name, side, getattr(tower, "patch_size", None))
        tower.output_tokens = False
        with torch.inference_mode():
            width = copy.deepcopy(tower).eval()(torch.zeros(1, channels, *side)).shape[1]
    except (RuntimeError, AssertionError) as error:
        raise InputError(misfit(name, side, f"{error}".partition("\n")[0])) from error
    return Parts(tower, Pool(), width, drawn=False)


def load(network: nn.Module, weights: str | None) -> None:
    """Load weights into the trunk: of a file of the whole model, or downloaded by name."""
    tag = split(network.name)[1]
    if weights is None and tag is None:
        tags = _library().list_pretrained_tags_by_model(split(network.name)[0])
        raise InputError(
            f"{network.name} has several weights: say {network.name}/<weights>, of "
            f"{', '.join(tags)}"
        )
    size = network.size or data_config(network.name)["input_size"][1:]
    network.trunk.load_state_dict(_model(network.name, size, weights or tag).visual.state_dict())


def _model(name: str, size: tuple[int, int], weights: str | None) -> nn.Module:
    library = _library()
    with _without_warning() if weights is None else contextlib.nullcontext():
        return library.create_model(
            split(name)[0],
            pretrained=weights,
            load_weights=weights is not None,
            force_image_size=size[0]
            if size[0] == size[1]
            else size,  # its ResNets know squares alone
            pretrained_text=False,  # what reads texts is built with the rest, and not used
        )


@contextlib.contextmanager
def _without_warning() -> Iterator[None]:
    """Keep the library from telling that weights are drawn, which are replaced soon."""
    logger = logging.getLogger()

    def quiet(record: logging.LogRecord) -> bool:
        return record.levelno > logging.WARNING

    logger.addFilter(quiet)
    try:
        yield
    finally:
        logger.removeFilter(quiet)


def _library() -> Any:
    if importlib.util.find_spec(LIBRARY) is None:
        raise InputError(
            "networks of open_clip need the package open-clip-torch: pip install 'pt4al[open_clip]'"
        )
    import open_clip

    return open_clip
