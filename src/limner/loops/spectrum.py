"""A picture as what `optimize` changes: its Fourier coefficients, in colours that vary apart from each other.

Olah, Mordvintsev and Schubert, "Feature visualization", Distill, 2017, doi:10.23915/distill.00007, the section on
preconditioning: the same picture, the same losses, but each step goes as far at all frequencies and in all colours as
photographs vary there.
"""

import torch
from jaxtyping import Float
from torch import Tensor, nn

# A square root of the covariance of the colours of ImageNet's photographs, as published with the article (Lucid), over
# the norm of its longest column: RGB of brightness, of red against blue, and of green against purple.
_COLOURS = ((0.26, 0.09, 0.02), (0.27, 0.00, -0.05), (0.27, -0.09, 0.03))
_LONGEST = 0.4619
_GAIN = 0.25  # of all frequencies, so that learning rates for pixels fit


class Spectrum(nn.Module):
    """A picture in (0, 1) that is its Fourier coefficients; it begins as faint noise on gray.

    Args of the constructor:
        height: Of the picture, in pixels.
        width: Of the picture, in pixels.
        decay: The power of the frequency that a coefficient is divided by; photographs have about 1.
        deviation: Of the coefficients at the beginning.
        generator: Of the noise; None takes torch's global one.
    """

    scale: Tensor
    colours: Tensor

    def __init__(
        self,
        height: int,
        width: int,
        *,
        decay: float = 1.0,
        deviation: float = 0.01,
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__()
        self.size = (height, width)
        frequency = torch.hypot(torch.fft.fftfreq(height)[:, None], torch.fft.rfftfreq(width)[None])
        scale = _GAIN / frequency.clamp(min=1 / max(height, width)) ** decay
        self.coefficients = nn.Parameter(deviation * torch.randn(1, 3, *frequency.shape, 2, generator=generator))
        self.register_buffer("scale", scale, persistent=False)
        self.register_buffer("colours", torch.tensor(_COLOURS) / _LONGEST, persistent=False)

    def forward(self) -> Float[Tensor, "1 3 h w"]:
        """The picture, in (0, 1)."""
        spectrum = torch.view_as_complex(self.coefficients) * self.scale
        planes = torch.fft.irfft2(spectrum, s=self.size, norm="ortho")
        return torch.einsum("dc,nchw->ndhw", self.colours, planes).sigmoid()
