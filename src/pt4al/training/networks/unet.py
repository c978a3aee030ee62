"""U-Nets for segmentation (Ronneberger et al. 2015): an encoder is the trunk, a decoder the neck.

The decoder is that of segmentation_models_pytorch, which is imported where it is used: that takes a
second.
"""

import importlib.util
from itertools import pairwise

import torch
from torch import nn

from pt4al.errors import InputError
from pt4al.training.networks.parts import Parts, Pool
from pt4al.training.networks.small import Block, stem

LIBRARY = "segmentation_models_pytorch"
SMALL = "unet_small"
# its channels: finest first; coarsest first
ENCODER = (24, 32, 64, 128)
DECODER = (64, 32, 32)
PREFIX = "unet/"
ALIASES = {"unet_resnet18": "unet/resnet18"}


class SmallEncoder(nn.Module):
    """One residual block a stage after a stem of stride 4; returns maps of strides 4 to 32.

    Without maps of stride 2: on a processor, after one or two minutes on CamVid, encoders that had
    them had seen fewer images and were no better, at thin classes neither.
    """

    def __init__(self, channels: int):
        super().__init__()
        first = ENCODER[0]
        self.stem = nn.Sequential(*stem(channels, first, 2), *stem(first, first, 2))
        self.stages = nn.ModuleList(
            [Block(inputs, outputs, 2) for inputs, outputs in pairwise(ENCODER)]
        )

    def forward(self, images: torch.Tensor) -> list[torch.Tensor]:
        """Return the maps of each stage, the finest first."""
        maps = [self.stem(images)]
        for stage in self.stages:
            maps.append(stage(maps[-1]))
        return [images, *maps]


def check_library() -> None:
    """Raise InputError if the library is not installed."""
    if importlib.util.find_spec(LIBRARY) is None:
        raise InputError(
            f"U-Nets need the package {LIBRARY}, which is not installed: pip install {LIBRARY}"
        )


def encoders() -> list[str]:
    """Return the names of the library's encoders."""
    check_library()
    from segmentation_models_pytorch.encoders import get_encoder_names

    # Names that begin with timm- are deprecated.
    return [name for name in get_encoder_names() if not name.startswith("timm-")]


def encoder_name(name: str) -> str:
    """Return what the library calls the encoder of a network."""
    return ALIASES.get(name, name).removeprefix(PREFIX)


def make(name: str, channels: int, dense: bool) -> Parts:
    """Return the parts of a U-Net; a plain one is its encoder alone."""
    check_library()
    import segmentation_models_pytorch as library
    from segmentation_models_pytorch.decoders.unet.decoder import UnetDecoder

    if name == SMALL:
        # the coarser maps may be of any size
        encoder = SmallEncoder(channels)
        multiple = 4
        decoder = UnetDecoder((channels, *ENCODER), DECODER, len(DECODER)) if dense else None
        width = DECODER[-1] if dense else ENCODER[-1]
    else:
        whole = library.Unet(encoder_name(name), encoder_weights=None, in_channels=channels)
        encoder = whole.encoder
        decoder = whole.decoder
        multiple = whole.encoder.output_stride
        width = whole.segmentation_head[0].in_channels if dense else encoder.out_channels[-1]
    neck = decoder if dense else Pool()
    return Parts(encoder, neck, width, kernel=3, multiple=multiple, drawn=name == SMALL)
