"""A small network that reads the classes of pictures, learnt from real ones alone: it judges what generators make."""

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor, nn

from limner.data.labelled import LabelledPictures
from limner.data.sampler import batches
from limner.loops.checkpoint import seed_everything
from limner.ops.diff_augment import translation

_AT_ONCE = 500
_BATCH = 100
_LEAST_STEPS = 100  # however few pictures there are


class Classifier(nn.Module):
    """Three convolutions, each half as large, and one linear layer."""

    def __init__(self, channels: int, num_classes: int) -> None:
        super().__init__()
        widths = (channels, 32, 64, 128)
        self.layers = nn.Sequential()
        for before, after in ((widths[0], widths[1]), (widths[1], widths[2]), (widths[2], widths[3])):
            self.layers += nn.Sequential(
                nn.Conv2d(before, after, 3, padding=1), nn.BatchNorm2d(after), nn.ReLU(), nn.MaxPool2d(2)
            )
        self.layers += nn.Sequential(nn.AdaptiveAvgPool2d(3), nn.Flatten(), nn.Linear(9 * widths[-1], num_classes))

    def forward(self, image: Float[Tensor, "n c h w"]) -> Float[Tensor, "n k"]:
        """Pictures in [0, 1] -> the logits of their classes."""
        logits: Tensor = self.layers(2 * image - 1)
        return logits

    @torch.inference_mode()
    def classes(self, image: Float[Tensor, "n c h w"]) -> Int[Tensor, " n"]:
        """The likeliest class of each picture."""
        return torch.cat([self(some).argmax(1) for some in image.split(_AT_ONCE)])

    def accuracy(self, image: Float[Tensor, "n c h w"], label: Int[Tensor, " n"]) -> float:
        """The share of pictures that are read as these classes."""
        return (self.classes(image) == label).float().mean().item()


def trained_classifier(pictures: LabelledPictures, *, epochs: int = 6, seed: int = 0) -> Classifier:
    """Learn the classes of real pictures, each moved a little; Adam, its rate falling to 0 as a line.

    Args:
        pictures: To learn from.
        epochs: How often each is seen, at least.
        seed: Of weights and order.
    """
    seed_everything(seed)
    network = Classifier(pictures.images.shape[1], int(pictures.labels.max()) + 1)
    size = min(_BATCH, len(pictures))
    steps, drawn = max(epochs * len(pictures) // size, _LEAST_STEPS), batches(pictures, size, seed)
    optimizer = torch.optim.Adam(network.parameters(), 2e-3)
    for step in range(steps):
        batch = next(drawn)
        for group in optimizer.param_groups:
            group["lr"] = 2e-3 * (1 - step / steps)
        optimizer.zero_grad()
        F.cross_entropy(network(translation(batch.image)), batch.label).backward()
        optimizer.step()
    return network.eval()
