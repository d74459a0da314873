"""What `optimize` changes: modules that are called without arguments and give the current picture."""

import torch
from torch import Tensor, nn

from limner.processor import layout_on, precision_on
from limner.types import Precision


class Pixels(nn.Module):
    """A picture that is its pixels.

    Args of the constructor:
        start: (n, c, h, w), where it begins.
        box: The least and the largest value that a pixel may have; None sets no bounds.
    """

    def __init__(self, start: Tensor, box: tuple[float, float] | None = (0.0, 1.0)) -> None:
        super().__init__()
        self.image = nn.Parameter(start.detach().clone(memory_format=torch.contiguous_format))  # as L-BFGS must have it
        self.box = box

    def forward(self) -> Tensor:
        """(n, c, h, w)."""
        return self.image

    @torch.no_grad()
    def constrain(self) -> None:
        """Put what has left the box back on its side."""
        if self.box:
            self.image.clamp_(*self.box)

    @torch.no_grad()
    def hold(self) -> None:
        """Let the gradient push no pixel out of the box that is at its side already."""
        if self.box and self.image.grad is not None:
            low, high = self.box
            gradient = self.image.grad
            gradient[((self.image <= low) & (gradient > 0)) | ((self.image >= high) & (gradient < 0))] = 0


class NetworkPrior(nn.Module):
    """A picture that a network paints from an input that stays: f_theta(z), whose theta is what is changed.

    The network's weights and z should come from the seed that the run has; the noise is drawn from torch's global
    random numbers, which a saved state holds, as it holds z.

    Args of the constructor:
        network: From z to (n, c, h, w); it is moved and laid out in place.
        z: (n, k, h, w).
        noise: The deviation of the normal noise that is added to z anew wherever a gradient is wanted, so that the
            network does not memorise one z; without gradient it paints z itself.
        precision: `exact` is float32; `fast` computes in bfloat16 where that pays, and gives float32.
        device: Where it is painted.
    """

    z: Tensor

    def __init__(
        self,
        network: nn.Module,
        z: Tensor,
        *,
        noise: float = 0.0,
        precision: Precision = "exact",
        device: torch.device | str = "cpu",
    ) -> None:
        super().__init__()
        place = torch.device(device)
        self.layout = layout_on(place, "weights")
        self.network = network.to(device=place, memory_format=self.layout)  # type: ignore[call-overload]  # torch's stub lacks it
        self.register_buffer("z", z.detach().to(place).clone(memory_format=self.layout))
        self.noise, self.precision = noise, precision_on(place, precision)
        self._painted: Tensor | None = None

    def forward(self) -> Tensor:
        """(n, c, h, w), float32."""
        z = self.z
        if self.noise and torch.is_grad_enabled():
            n, k, h, w = z.shape
            drawn = torch.randn(n, h, w, k, device=z.device)  # ten times as fast as into channels that come last
            z = drawn.permute(0, 3, 1, 2).mul_(self.noise).add_(z).contiguous(memory_format=self.layout)
        with torch.autocast(z.device.type, torch.bfloat16, enabled=self.precision == "fast"):
            image = self.network(z).float()
        self._painted = image.detach()
        return image

    def latest(self) -> Tensor:
        """What it painted last, without another pass."""
        return self() if self._painted is None else self._painted
