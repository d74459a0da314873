"""How far the logits of a segmentation are from the true classes."""

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Int
from torch import Tensor

from limner import processes

Logits = Float[Tensor, "n k h w"]
Labels = Int[Tensor, "n 1 h w"]


def weighted_cross_entropy(logits: Logits, labels: Labels, weight: Float[Tensor, "n 1 h w"]) -> Tensor:
    """E = sum w(x) log p_l(x)(x) of Ronneberger et al. 2015, arXiv:1505.04597, equation 1, over the sum of w.

    Args:
        logits: Of the soft-max.
        labels: l(x), in [0, k).
        weight: w(x) >= 0; pixels of weight 0 take no part.
    """
    each = F.cross_entropy(logits, labels[:, 0], reduction="none")
    share = processes.total(weight.sum()).clamp(min=1e-8) / processes.place().size
    return (weight[:, 0] * each).sum() / share


def soft_dice(logits: Logits, labels: Labels, counted: Bool[Tensor, "n 1 h w"]) -> Tensor:
    """The mean over the classes of 2 sum p t / (sum p + sum t), p the soft-max and t the truth, over the batch.

    Milletari, Navab and Ahmadi 2016, arXiv:1606.04797, has squares below; these are those of most who follow it.
    Classes that are neither there nor foreseen count as 1.

    Args:
        logits: Of the soft-max.
        labels: In [0, k).
        counted: Which pixels take part.
    """
    truth = torch.zeros_like(logits).scatter_(1, labels, 1.0) * counted
    foreseen = logits.softmax(1) * counted
    both, sums = (one.sum((0, 2, 3)) for one in (truth * foreseen, truth + foreseen))
    return ((2 * processes.total(both) + 1) / (processes.total(sums) + 1)).mean()
