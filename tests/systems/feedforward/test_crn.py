"""What only this paper has: modules of refinement, balanced terms, and the best of several by classes."""

import pytest
import torch
from torch import nn

from limner.data.label_maps import LabelMapped
from limner.layers.label_condition import by_channels
from limner.systems.feedforward.crn import (
    BALANCE,
    CITYSCAPES_BALANCE,
    CRN,
    CRN_512,
    CRN_1024,
    CRN_2017,
    NINE_CHOICES,
    CRNConfig,
    Refinement,
    by_class,
    of_choices,
)
from limner.types import Progress

SMALL = CRNConfig(num_classes=3, channels=(6, 5, 4), choices=2)


def count(module: nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


@pytest.mark.parametrize(
    ("config", "parameters"),
    [(CRN_2017, 97_863_171), (NINE_CHOICES, 97_875_483), (CRN_512, 98_622_851), (CRN_1024, 98_674_531)],
)
def test_sizes_of_the_networks_are_the_published_ones(config: CRNConfig, parameters: int) -> None:
    """Counted in the authors' code, with 20 labels."""
    with torch.device("meta"):
        assert count(CRN(config)) == parameters


def test_layer_norm_is_over_all_of_a_map() -> None:
    module, x = Refinement(2, 3), torch.randn(2, 2, 5, 4)
    first = module.layers[0](x)
    mean, var = first.mean((1, 2, 3), keepdim=True), first.var((1, 2, 3), unbiased=False, keepdim=True)
    torch.testing.assert_close(module.layers[1](first), (first - mean) / (var + 1e-5).sqrt())
    assert module.layers[0].bias is None
    assert module.layers[1].weight.shape == (3,)


def test_each_module_sees_the_map_at_its_size() -> None:
    system = CRN(SMALL)
    seen = []
    for module in system.modules_by_size:
        module.register_forward_hook(lambda _, given, made: seen.append((given[0], made)))
    labels = torch.randint(3, (1, 1, 16, 32))
    system(labels)
    condition = by_channels(labels, 3)
    assert [made.shape[1:] for _, made in seen] == [(6, 4, 8), (5, 8, 16), (4, 16, 32)]
    by_hand = condition.reshape(1, 3, 4, 4, 8, 4).mean((3, 5))
    torch.testing.assert_close(seen[0][0], by_hand)
    torch.testing.assert_close(seen[2][0][:, -3:], condition)
    assert seen[1][0].shape[1] == 6 + 3


def test_outputs_are_as_many_as_choices() -> None:
    system = CRN(SMALL).eval()
    labels = torch.randint(3, (1, 1, 16, 16))
    made = system(labels)
    assert [port.name for port in system.outputs] == ["picture_0", "picture_1"]
    assert [tuple(one.shape) for one in made] == [(1, 3, 16, 16)] * 2
    assert not torch.allclose(*made)
    assert CRN(SMALL.model_copy(update={"choices": 1}))(labels).shape == (1, 3, 16, 16)


def test_errors_by_class_are_means_over_all_pixels() -> None:
    """Two choices of a layer of 1x2 whose mask at full size is 2x4: the left half is class 0, the right one class 1."""
    error = torch.tensor([[[[0.4, 0.8]], [[0.2, 1.0]]]])
    masks = torch.zeros(1, 2, 2, 4)
    masks[:, 0, :, :2] = 1
    masks[:, 1, :, 2:] = 1
    torch.testing.assert_close(by_class(error, masks), torch.tensor([[[0.2, 0.4], [0.1, 0.5]]]))


def test_of_each_class_the_best_choice_counts() -> None:
    errors = {"a": torch.tensor([[[0.2, 0.4], [0.1, 0.5]]]), "b": torch.tensor([[[0.1, 0.1], [0.4, 0.1]]])}
    # added up: choice 0: 0.3, 0.5; choice 1: 0.5, 0.6; the best: 0.3 + 0.5; means: 0.4 + 0.55
    assert of_choices(errors).item() == pytest.approx(0.999 * 0.8 + 0.001 * 0.95)


class Halves(nn.Module):
    """Stands for a loss network: pictures at half of their sides, doubled."""

    def forward(self, image: torch.Tensor) -> dict[str, torch.Tensor]:
        small = nn.functional.avg_pool2d(image, 2)
        return {layer: 2 * small for layer in BALANCE if layer != "picture"}


@pytest.mark.parametrize("choices", [1, 3])
def test_the_loss_is_the_balanced_sum(choices: int) -> None:
    """Of photos of one gray, every layer misses the same everywhere."""
    system = CRN(SMALL.model_copy(update={"choices": choices}))
    vars(system)["_loss_network"] = Halves()
    with torch.no_grad():
        system.last.weight.zero_()
        system.last.bias.copy_(torch.arange(choices).repeat_interleave(3) / 5)  # 0, 0.2, 0.4: grays 0.5, 0.6, 0.7
    batch = LabelMapped(torch.randint(3, (1, 1, 16, 16)), torch.zeros(1, 0, 16, 16), torch.full((1, 3, 16, 16), 0.6))
    (turn,) = system.turns(batch, Progress())
    scales = {layer: (1 if layer == "picture" else 2) / divisor for layer, divisor in BALANCE.items()}
    if choices == 1:
        assert {name: loss.item() for name, loss in turn.losses.items()} == pytest.approx(
            {layer: 0.1 * scale for layer, scale in scales.items()}, rel=1e-4
        )
    else:  # the second is right, and of the mean a thousandth counts
        assert turn.total.item() == pytest.approx(0.001 * (0.1 + 0 + 0.1) / 3 * sum(scales.values()), rel=1e-3)


def test_the_loss_network_has_its_own_balance() -> None:
    assert SMALL.divisors == BALANCE
    assert CRNConfig(features="vgg19.pth").divisors == CITYSCAPES_BALANCE
    assert CRNConfig(balance={"picture": 2.0}).divisors == {"picture": 2.0}
