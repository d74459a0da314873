import torch

from limner.features.style_targets import StyleTargets
from limner.features.vgg16 import VGG


def test_targets_are_the_mean_gram_matrices_of_crops_and_made_once():
    vgg = VGG(["relu1_2"])
    crops = torch.rand(2, 2, 3, 16, 16, generator=torch.Generator().manual_seed(0))
    targets = StyleTargets(["relu1_2"])
    found = targets.of(vgg, torch.tensor([4, 1]), crops)["relu1_2"]
    for target, shown in zip(found, crops, strict=True):
        maps = vgg(shown)["relu1_2"].double().flatten(2)
        slow = sum(one @ one.T / one.numel() for one in maps) / 2
        torch.testing.assert_close(target.double(), slow, rtol=1e-4, atol=1e-6)
    again = targets.of(vgg, torch.tensor([1, 4, 1]), torch.zeros(3, 2, 3, 16, 16))["relu1_2"]
    assert torch.equal(again, found[[1, 0, 1]])
