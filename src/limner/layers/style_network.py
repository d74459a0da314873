"""The network that paints a photo in a mixture of styles: all share its convolutions.

Dumoulin, Shlens and Kudlur, "A learned representation for artistic style", ICLR 2017, arXiv:1610.07629: the appendix's
table of the network.
"""

from torch import Tensor, nn

from limner.layers.style_norm import Layer, Mixture, ResidualBlock, style_norm
from limner.types import Image

STRIDE = 4
"""Pixels between two places of the smallest maps."""

_DEVIATION = 0.01  # of fresh convolutions: the appendix's table


class StyleNetwork(nn.Module):
    """The style transfer network T: a photo and a mixture of styles in, a painting of the photo's size out.

    Args of the constructor:
        num_styles: How many scales and shifts each norm has.
        channels: At full, half and quarter size, going down.
        num_blocks: Residual blocks.
        up_channels: At half and full size, going up.
    """

    def __init__(
        self, num_styles: int, channels: tuple[int, int, int], num_blocks: int, up_channels: tuple[int, int]
    ) -> None:
        super().__init__()
        self.num_styles = num_styles
        narrow, middle, wide = channels
        half, full = up_channels
        self.down = nn.ModuleList(
            [self._layer(3, narrow, 9), self._layer(narrow, middle, 3, 2), self._layer(middle, wide, 3, 2)]
        )
        self.blocks = nn.ModuleList(
            ResidualBlock(self._layer(wide, wide, 3), self._layer(wide, wide, 3, activation=None), crop=0)
            for _ in range(num_blocks)
        )
        self.up = nn.ModuleList([self._layer(wide, half, 3, up=True), self._layer(half, full, 3, up=True)])
        self.last = self._layer(full, 3, 9, activation=nn.Sigmoid())

    def _layer(
        self,
        inputs: int,
        outputs: int,
        kernel: int,
        stride: int = 1,
        *,
        up: bool = False,
        activation: nn.Module | None = nn.ReLU(),  # noqa: B008  # it has no state
    ) -> Layer:
        convolution = nn.Conv2d(inputs, outputs, kernel, stride, bias=False)
        nn.init.normal_(convolution.weight, std=_DEVIATION)
        parts: list[nn.Module] = [nn.ReflectionPad2d(kernel // 2), convolution]
        if up:
            parts.insert(0, nn.Upsample(scale_factor=2))
        return Layer(nn.Sequential(*parts), style_norm(outputs, self.num_styles), activation)

    @property
    def norms(self) -> nn.ModuleList:
        """What tells styles apart, from the photo to the painting."""
        layers = [part for part in self.modules() if isinstance(part, Layer)]
        return nn.ModuleList([layer.norm for layer in layers if layer.norm is not None])

    def paint(self, image: Image, mixture: Mixture | None) -> Image:
        """RGB (n, 3, h, w) in [0, 1], sides multiples of 4 and at least 8 -> RGB of the same size, in [0, 1].

        Args:
            image: Photos.
            mixture: Of styles, for each photo; None is the first style.
        """
        x = image
        for layer in self.down:
            x = layer(x, mixture)  # (n, 128, h/4, w/4)
        for block in self.blocks:
            x = block(x, mixture)
        for layer in self.up:
            x = layer(x, mixture)
        painted: Tensor = self.last(x, mixture)
        return painted
