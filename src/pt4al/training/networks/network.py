"""A network: a trunk for features or maps, a neck, and a head in full precision."""

import torch
from torch import nn
from torch.nn.functional import dropout, interpolate, pad

from pt4al.errors import InputError
from pt4al.training.networks import from_open_clip, from_timm, probe, small, unet
from pt4al.training.networks.heads import HEADS
from pt4al.training.networks.parts import Parts, Pool

# Mean and standard deviation of each channel, or of each feature.
Moments = tuple[list[float], list[float]]


class Network(nn.Module):
    """Raw uint8 images in, outputs out: the pool's normalisation is part of the network.

    A dense network answers (B, outputs, H, W) to images (B, C, H, W), any other (B, outputs). A
    probe takes features (B, D) where others take images; `moments` are then of each of them.
    `head` names what an undense one ends with (`heads.HEADS`).

    Attributes
    ----------
    size
        Height and width that images are scaled to first, grey ones to three channels too; None
        takes them as they are.
    dropout
        Share of the features that the head does without in training (Srivastava et al. 2014); not
        saved.
    still
        Whether batch norms keep their statistics in training, as they were learnt from many more
        images; not saved.
    loss_head
        Guesses the network's own loss from its features (`training.learning_loss`); usually None.
    """

    def __init__(
        self,
        name: str,
        outputs: int,
        moments: Moments,
        dense: bool = False,
        seed: int = 0,
        head: str = "linear",
        size: tuple[int, int] | None = None,
    ):
        super().__init__()
        mean, std = moments
        self.name = name
        self.outputs = outputs
        self.dense = dense
        self.kind = head
        self.size = size
        # Libraries draw every new layer's weights from torch's global generator, which is not ours
        # to move.
        with torch.random.fork_rng(devices=[]):
            torch.default_generator.manual_seed(seed)
            parts = _parts(name, len(mean), dense, size)
            self.trunk = parts.trunk
            self.neck = parts.neck
            self.multiple = parts.multiple
            self.drawn = parts.drawn
            if dense:
                self.head = nn.Conv2d(parts.width, outputs, parts.kernel, padding=parts.kernel // 2)
            else:
                self.head = HEADS[head](parts.width, outputs)
        self.pool = Pool()
        self.dropout = 0.0
        self.still = False
        self.loss_head = None
        self.register_buffer("mean", torch.tensor(mean, dtype=torch.float32).view(1, -1, 1, 1))
        self.register_buffer("std", torch.tensor(std, dtype=torch.float32).view(1, -1, 1, 1))

    def train(self, mode: bool = True) -> "Network":
        """See nn.Module."""
        super().train(mode)
        for module in self.trunk.modules() if self.still else ():
            if isinstance(module, nn.modules.batchnorm._BatchNorm):
                module.eval()
        return self

    def features(self, images: torch.Tensor) -> torch.Tensor:
        """Pooled features of the trunk (B, width), float32, of images (B, C, H, W)."""
        return self.pool(self.trunk(self._normalised(images))).float()

    def answer(self, features: torch.Tensor) -> torch.Tensor:
        """Return the head's outputs for features (..., width) or maps; with dropout in training."""
        # In full precision: rounded outputs would tie losses that differ.
        with torch.autocast(features.device.type, enabled=False):
            return self.head(dropout(features, self.dropout, self.training))

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Return the outputs, (B, outputs) or (B, outputs, H, W)."""
        normalised = self._normalised(images)
        outputs = self.answer(self.neck(self.trunk(normalised)).float())
        if not self.dense:
            return outputs
        if outputs.shape[2:] != normalised.shape[2:]:
            with torch.autocast(outputs.device.type, enabled=False):
                # Contiguous: a softmax over channels that come last would copy them, after they
                # have grown.
                outputs = interpolate(
                    outputs.contiguous(), normalised.shape[2:], mode="bilinear", align_corners=False
                )
        return outputs[:, :, : images.shape[2], : images.shape[3]]

    def _normalised(self, images: torch.Tensor) -> torch.Tensor:
        if self.name == probe.NAME:
            return (images.float() - self.mean.flatten()) / self.std.flatten()
        images = images.to(torch.float32, memory_format=torch.channels_last)
        if self.size is not None:
            images = self._scaled(images)
        normalised = (images - self.mean) / self.std
        right = -images.shape[3] % self.multiple
        below = -images.shape[2] % self.multiple
        return pad(normalised, (0, right, 0, below)) if right or below else normalised

    def _scaled(self, images: torch.Tensor) -> torch.Tensor:
        if images.shape[2:] != self.size:
            images = interpolate(
                images, self.size, mode="bilinear", align_corners=False, antialias=True
            )
        return images.expand(-1, self.mean.numel(), -1, -1).contiguous(
            memory_format=torch.channels_last
        )


def _parts(name: str, channels: int, dense: bool, size: tuple[int, int] | None) -> Parts:
    foreign = name.startswith((from_timm.PREFIX, from_open_clip.PREFIX))
    if size is not None and (dense or not foreign):
        raise InputError(
            f"{name} takes images as they are: a size is for networks timm/... that answer "
            "once an image"
        )
    if name == probe.NAME:
        return probe.make(channels)
    if name in small.TRUNKS:
        return small.make(name, channels, dense)
    if foreign:
        library = from_timm if name.startswith(from_timm.PREFIX) else from_open_clip
        return library.make(name, channels, dense, size)
    return unet.make(name, channels, dense)
