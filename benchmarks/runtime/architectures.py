"""Networks that others publish, written plainly: eager, channels first, padding as modules, nothing fused.

They are what a maker has before Limner prepares it, so that the timings compare with what is in use. Each is the
network of its paper in the form of its widely used public implementation, with that one's number of weights.
"""

import itertools

import torch
from torch import Tensor, nn

from limner.ports import Port


def _padded(in_channels: int, out_channels: int, kernel: int, stride: int = 1) -> list[nn.Module]:
    return [nn.ReflectionPad2d(kernel // 2), nn.Conv2d(in_channels, out_channels, kernel, stride)]


def _affine(channels: int) -> nn.InstanceNorm2d:
    return nn.InstanceNorm2d(channels, affine=True)


class Residual(nn.Module):
    """x + body(x)."""

    def __init__(self, *body: nn.Module) -> None:
        super().__init__()
        self.body = nn.Sequential(*body)

    def forward(self, x: Tensor) -> Tensor:
        """(n, c, h, w) -> (n, c, h, w)."""
        return x + self.body(x)


class JohnsonNet(nn.Module):
    """The image transformation network for style transfer: 1,679,235 weights, sides a multiple of 4.

    Johnson, Alahi, Fei-Fei, "Perceptual losses for real-time style transfer and super-resolution", ECCV 2016,
    arXiv:1603.08155, with the instance norm of Ulyanov et al., arXiv:1607.08022, and resize-convolutions, as in
    PyTorch's example `fast_neural_style`: 9x9 to 32, two 3x3 of stride 2 to 64 and 128, five residual blocks, twice
    nearest upsampling and 3x3 to 64 and 32, 9x9 to 3.
    """

    inputs = (Port("image", "photo", multiple=4),)
    outputs = (Port("result", "photo"),)

    def __init__(self, channels: tuple[int, int, int] = (32, 64, 128)) -> None:
        super().__init__()
        narrow, middle, wide = channels
        layers: list[nn.Module] = []
        for in_channels, out_channels, kernel, stride in (
            (3, narrow, 9, 1),
            (narrow, middle, 3, 2),
            (middle, wide, 3, 2),
        ):
            layers += [*_padded(in_channels, out_channels, kernel, stride), _affine(out_channels), nn.ReLU()]
        for _ in range(5):
            first, second = ([*_padded(wide, wide, 3), _affine(wide)] for _ in range(2))
            layers.append(Residual(*first, nn.ReLU(), *second))
        for in_channels, out_channels in ((wide, middle), (middle, narrow)):
            layers += [
                nn.Upsample(scale_factor=2),
                *_padded(in_channels, out_channels, 3),
                _affine(out_channels),
                nn.ReLU(),
            ]
        self.layers = nn.Sequential(*layers, *_padded(narrow, 3, 9))

    def forward(self, image: Tensor) -> Tensor:
        """(n, 3, h, w) -> (n, 3, h, w)."""
        return self.layers(image)


class ResNetGenerator(nn.Module):
    """The ResNet generator of CycleGAN with nine blocks: 11,378,179 weights, sides a multiple of 4.

    Zhu et al., "Unpaired image-to-image translation using cycle-consistent adversarial networks", ICCV 2017,
    arXiv:1703.10593, appendix 7.2: c7s1-64, d128, d256, nine R256, u128, u64, c7s1-3; instance norm without weights.
    """

    inputs = (Port("image", "photo", multiple=4),)
    outputs = (Port("result", "photo"),)

    def __init__(self) -> None:
        super().__init__()
        layers: list[nn.Module] = [*_padded(3, 64, 7), nn.InstanceNorm2d(64), nn.ReLU(True)]
        for channels in (64, 128):
            down = nn.Conv2d(channels, 2 * channels, 3, stride=2, padding=1)
            layers += [down, nn.InstanceNorm2d(2 * channels), nn.ReLU(True)]
        for _ in range(9):
            first = [*_padded(256, 256, 3), nn.InstanceNorm2d(256), nn.ReLU(True)]
            layers += [Residual(*first, *_padded(256, 256, 3), nn.InstanceNorm2d(256))]
        for channels in (256, 128):
            up = nn.ConvTranspose2d(channels, channels // 2, 3, stride=2, padding=1, output_padding=1)
            layers += [up, nn.InstanceNorm2d(channels // 2), nn.ReLU(True)]
        self.layers = nn.Sequential(*layers, *_padded(64, 3, 7), nn.Tanh())

    def forward(self, image: Tensor) -> Tensor:
        """(n, 3, h, w) in [-1, 1] -> (n, 3, h, w) in [-1, 1]."""
        return self.layers(image)


class Skip(nn.Module):
    """x and body(x) beside each other; a body that begins with an activation in place changes x too, as theirs does."""

    def __init__(self, *body: nn.Module) -> None:
        super().__init__()
        self.body = nn.Sequential(*body)

    def forward(self, x: Tensor) -> Tensor:
        """(n, c, h, w) -> (n, 2 c, h, w)."""
        return torch.cat([x, self.body(x)], 1)


class UNet256(nn.Module):
    """The U-Net generator of pix2pix with eight halvings: 54,413,955 weights, sides a multiple of 256.

    Isola et al., "Image-to-image translation with conditional adversarial networks", CVPR 2017, arXiv:1611.07004,
    appendix 6.1: C64-C128-C256-C512-C512-C512-C512-C512 and back, 4x4 convolutions, dropout in three decoder layers.
    """

    inputs = (Port("image", "photo", multiple=256),)
    outputs = (Port("result", "photo"),)

    def __init__(self) -> None:
        super().__init__()
        widths = [64, 128, 256, 512, 512, 512, 512, 512]
        body: list[nn.Module] = []
        for level in range(7, 0, -1):
            outer, inner = widths[level - 1], widths[level]
            down = [nn.LeakyReLU(0.2, True), nn.Conv2d(outer, inner, 4, 2, 1, bias=False)]
            up = nn.ConvTranspose2d(2 * inner if body else inner, outer, 4, 2, 1, bias=False)
            if body:
                down.append(nn.BatchNorm2d(inner))
            dropout = [nn.Dropout(0.5)] if level in (4, 5, 6) else []
            body = [Skip(*down, *body, nn.ReLU(True), up, nn.BatchNorm2d(outer), *dropout)]
        first, last = nn.Conv2d(3, 64, 4, 2, 1, bias=False), nn.ConvTranspose2d(128, 3, 4, 2, 1)
        self.layers = nn.Sequential(first, *body, nn.ReLU(True), last, nn.Tanh())

    def forward(self, image: Tensor) -> Tensor:
        """(n, 3, h, w) in [-1, 1] -> (n, 3, h, w) in [-1, 1]."""
        return self.layers(image)


def _double(in_channels: int, out_channels: int) -> nn.Sequential:
    layers: list[nn.Module] = []
    for channels in (in_channels, out_channels):
        convolution = nn.Conv2d(channels, out_channels, 3, padding=1, bias=False)
        layers += [convolution, nn.BatchNorm2d(out_channels), nn.ReLU(inplace=True)]
    return nn.Sequential(*layers)


class UNet(nn.Module):
    """The U-Net for segmentation: 31,037,698 weights, sides a multiple of 16.

    Ronneberger, Fischer, Brox, "U-Net: convolutional networks for biomedical image segmentation", MICCAI 2015,
    arXiv:1505.04597, figure 1, as it is used today: padded convolutions and batch norm, RGB in, two classes out.
    """

    inputs = (Port("image", "photo", multiple=16),)
    outputs = (Port("result", "photo"),)

    def __init__(self) -> None:
        super().__init__()
        widths = (64, 128, 256, 512, 1024)
        self.encoder = nn.ModuleList(_double(a, b) for a, b in zip((3, *widths), widths, strict=False))
        self.pool = nn.MaxPool2d(2)
        self.up = nn.ModuleList(nn.ConvTranspose2d(2 * width, width, 2, stride=2) for width in widths[-2::-1])
        self.decoder = nn.ModuleList(_double(2 * width, width) for width in widths[-2::-1])
        self.classify = nn.Conv2d(64, 2, 1)

    def forward(self, image: Tensor) -> Tensor:
        """(n, 3, h, w) -> (n, 2, h, w), logits."""
        x, skips = image, []
        for level, encode in enumerate(self.encoder):
            x = encode(self.pool(x) if level else x)
            skips.append(x)
        for up, decode, skip in zip(self.up, self.decoder, skips[-2::-1], strict=True):
            x = decode(torch.cat([skip, up(x)], dim=1))
        return self.classify(x)


class AdaINNet(nn.Module):
    """Style transfer by adaptive instance norm, for one style: 7,010,959 weights, sides a multiple of 8.

    Huang, Belongie, "Arbitrary style transfer in real-time with adaptive instance normalization", ICCV 2017,
    arXiv:1703.06868: VGG-19 (arXiv:1409.1556) up to relu4_1 with reflection padding and a 1x1 convolution before it,
    the statistics of one style (buffers), and the mirrored decoder with nearest upsampling.
    """

    inputs = (Port("image", "photo", multiple=8),)
    outputs = (Port("result", "photo"),)

    style_mean: Tensor
    style_std: Tensor

    def __init__(self) -> None:
        super().__init__()
        encoder: list[nn.Module] = [nn.Conv2d(3, 3, 1)]
        down: tuple[tuple[int, ...], ...] = ((3, 64, 64), (64, 128, 128), (128, 256, 256, 256, 256))
        up: tuple[tuple[int, ...], ...] = ((512, 256), (256, 256, 256, 256, 128), (128, 128, 64), (64, 64))
        for widths in down:
            for in_channels, out_channels in itertools.pairwise(widths):
                encoder += [*_padded(in_channels, out_channels, 3), nn.ReLU()]
            encoder.append(nn.MaxPool2d(2, 2, ceil_mode=True))
        self.encoder = nn.Sequential(*encoder, *_padded(256, 512, 3), nn.ReLU())
        decoder: list[nn.Module] = []
        for widths in up:
            decoder += [nn.Upsample(scale_factor=2)] if decoder else []
            for in_channels, out_channels in itertools.pairwise(widths):
                decoder += [*_padded(in_channels, out_channels, 3), nn.ReLU()]
        self.decoder = nn.Sequential(*decoder, *_padded(64, 3, 3))
        self.register_buffer("style_mean", torch.zeros(1, 512, 1, 1))
        self.register_buffer("style_std", torch.ones(1, 512, 1, 1))

    @torch.no_grad()
    def take_style(self, style: Tensor) -> None:
        """Keep the statistics of a style picture (1, 3, h, w)."""
        features = self.encoder(style)
        self.style_mean, self.style_std = features.mean((2, 3), keepdim=True), _deviation(features)

    def forward(self, image: Tensor) -> Tensor:
        """(n, 3, h, w) -> (n, 3, h, w)."""
        content = self.encoder(image)
        normal = (content - content.mean((2, 3), keepdim=True)) / _deviation(content)
        return self.decoder(normal * self.style_std + self.style_mean)


def _deviation(features: Tensor) -> Tensor:
    return (features.var((2, 3), keepdim=True) + 1e-5).sqrt()
