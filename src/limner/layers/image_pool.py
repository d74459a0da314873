"""Generated pictures of earlier steps, so that a discriminator does not forget what it has learnt to tell.

Shrivastava et al., "Learning from simulated and unsupervised images through adversarial training", CVPR 2017,
arXiv:1612.07828, section 2.3, as CycleGAN's authors use it: picture by picture.
"""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from limner import processes


class ImagePool(nn.Module):
    """Up to `size` pictures; they are saved with the weights of the system that they belong to.

    Args of the constructor:
        size: Pictures; 0 keeps none.
    """

    def __init__(self, size: int) -> None:
        super().__init__()
        self.size = size
        self.images: list[Tensor] = []

    @torch.no_grad()
    def forward(self, fresh: Float[Tensor, "n c h w"]) -> Float[Tensor, "n c h w"]:
        """As many pictures as came, without gradients: each itself or, half of the time, one that it replaces.

        Until the pool is full, all are kept and given back.
        """
        everything = processes.gathered(fresh.detach())  # the pool of all processes is one
        return processes.own_part(torch.stack([self._exchanged(image) for image in everything]))

    def _exchanged(self, image: Tensor) -> Tensor:
        if len(self.images) < self.size:
            self.images.append(image.clone())
            return image
        if not self.size or torch.rand(()) < 0.5:
            return image
        place = int(torch.randint(self.size, ()))
        kept, self.images[place] = self.images[place], image.clone()
        return kept.to(image)

    def get_extra_state(self) -> Tensor:
        """All pictures (k, c, h, w)."""
        return torch.stack(self.images) if self.images else torch.empty(0)

    def set_extra_state(self, state: Tensor) -> None:
        """Bring back what `get_extra_state` gave."""
        self.images = list(state.clone().unbind()) if len(state) else []
