"""What only this paper has: the norm, the networks' sizes, the losses of both, and the style vector."""

from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from limner.data.label_maps import LabelMapped
from limner.errors import LimnerError
from limner.layers.label_condition import by_channels
from limner.systems.adversarial.spade import (
    SPADE,
    SPADE_2019,
    STYLED_2019,
    Block,
    Discriminator,
    Encoder,
    Generator,
    SPADEConfig,
    SPADEGame,
    feature_matching,
    hinge_loss,
)
from limner.types import Progress

SMALL = SPADEConfig(
    num_classes=3, base_channels=2, hidden_channels=4, norm="instance", style="everywhere", latent_channels=5,
    encoder_side=64, encoder_channels=2, discriminator_channels=4,
)  # fmt: skip


def count(module: nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


@pytest.mark.parametrize(
    ("config", "generator", "discriminator"),
    [
        (SPADE_2019, 96_492_483, 5_836_930),  # ADE20K
        (SPADE_2019.model_copy(update={"num_classes": 183, "instance_edges": True}), 97_480_899, 5_904_514),  # COCO
        (
            SPADE_2019.model_copy(update={"num_classes": 35, "instance_edges": True, "num_ups": 6}),
            93_048_003, 5_601_410,
        ),  # Cityscapes
    ],
)  # fmt: skip
def test_sizes_of_the_networks_are_the_published_ones(config: SPADEConfig, generator: int, discriminator: int) -> None:
    """Counted in the authors' code."""
    with torch.device("meta"):
        assert count(Generator(config)) == generator
        assert count(Discriminator(config)) == discriminator


def test_sizes_with_a_style_vector_are_the_published_ones() -> None:
    with torch.device("meta"):
        assert count(Encoder(STYLED_2019)) == 10_463_424
        assert count(Generator(STYLED_2019)) == 111_942_595 + 10_463_424


def test_the_map_modulates_each_place() -> None:
    """Equation 1: gamma and beta are those of the class that a place and its neighbours have."""
    layer, x = SPADE(2, SMALL.model_copy(update={"style": "none"})).eval(), torch.randn(1, 2, 6, 6)
    with torch.no_grad():
        for convolution, value in ((layer.gamma, 0.5), (layer.beta, -2.0)):
            convolution.weight.zero_()
            convolution.bias.fill_(value)
        made = layer(x, by_channels(torch.zeros(1, 1, 6, 6, dtype=torch.int64), 3))
        normed = (x - x.mean((2, 3), keepdim=True)) / (x.var((2, 3), unbiased=False, keepdim=True) + 1e-5).sqrt()
        torch.testing.assert_close(made, 1.5 * normed - 2)
        nn.init.normal_(layer.gamma.weight)
        labels = torch.zeros(1, 1, 6, 6, dtype=torch.int64)
        labels[..., 3:] = 2
        two = layer(x, by_channels(labels, 3))
        assert torch.equal(two[..., 0], layer(x, by_channels(torch.zeros_like(labels), 3))[..., 0])  # sees 2 pixels
        assert not torch.allclose(two[..., 5], layer(x, by_channels(torch.zeros_like(labels), 3))[..., 5])


def test_a_block_of_one_width_keeps_its_shortcut() -> None:
    assert Block(4, 4, SMALL).shortcut is None
    wide = Block(4, 2, SMALL)
    assert wide.shortcut is not None
    assert wide.convolutions[0].weight.shape == (2, 4, 3, 3)  # through the smaller width


@pytest.mark.parametrize(("num_ups", "factor"), [(5, 32), (6, 64), (7, 128)])
def test_doublings_lead_to_the_size_of_the_map(num_ups: int, factor: int) -> None:
    system = Generator(SMALL.model_copy(update={"num_ups": num_ups})).eval()
    assert system.inputs[0].multiple == factor
    labels = torch.zeros(1, 1, 2 * factor, 2 * factor, dtype=torch.int64)
    assert system(labels, torch.zeros(1, 5)).shape == (1, 3, 2 * factor, 2 * factor)


def test_the_style_vector_becomes_the_first_map_where_it_is_published() -> None:
    config = SMALL.model_copy(update={"style": "start", "start": (2, 3)})
    system = Generator(config).eval()
    labels = torch.randint(3, (1, 1, 64, 96))
    one, other = system(labels, torch.zeros(1, 5)), system(labels, torch.ones(1, 5))
    assert one.shape == (1, 3, 64, 96)
    assert not torch.allclose(one, other)


@pytest.mark.parametrize("norm", ["batch", "instance"])
def test_a_style_vector_outlives_all_norms(norm: str) -> None:
    """As large a change as that of a label, once scale and bias hang on both."""
    system = Generator(SMALL.model_copy(update={"norm": norm})).eval()
    with torch.no_grad():
        for module in system.modules():
            if isinstance(module, SPADE):
                for convolution in (module.shared, module.gamma, module.beta):
                    convolution.reset_parameters()
        labels, styles = torch.zeros(2, 1, 64, 64, dtype=torch.int64), torch.randn(2, 5)
        one, other = system(labels, styles)
    assert (one - other).abs().max() > 1e-3


def test_a_style_of_a_photo_goes_with_any_layout() -> None:
    system = Generator(SMALL).eval()
    photo = torch.rand(2, 3, 80, 70)
    style = system.style_of(photo)
    assert style.shape == (2, 5)
    assert not torch.allclose(style[0], style[1])
    assert system.encoder is not None
    torch.testing.assert_close(style, system.encoder(photo)[0])
    with pytest.raises(LimnerError, match="this model knows no styles"):
        Generator(SMALL.model_copy(update={"style": "none"})).style_of(photo)


def test_losses_worked_out_by_hand() -> None:
    real, fake = [torch.tensor([2.0, 0.5]), torch.tensor([0.0])], [torch.tensor([-2.0, 0.0]), torch.tensor([1.0])]
    # scale 1: (0 + 0.5) / 2 + (0 + 1) / 2 = 0.75; scale 2: 1 + 2 = 3
    assert hinge_loss(real, fake).item() == pytest.approx((0.75 + 3) / 2)
    zeros, ones = torch.zeros(1, 1, 2, 2), torch.ones(1, 1, 2, 2)
    found, wanted = [[zeros, zeros, ones]] * 2, [[2 * ones, ones, 5 * ones]] * 2
    assert feature_matching(found, wanted).item() == pytest.approx(3.0)  # without the logits


def test_the_turns_are_those_of_the_paper() -> None:
    game = SPADEGame(SMALL.model_copy(update={"perceptual_weight": 0.0})).eval()  # without steps of power iteration
    batch = LabelMapped(torch.randint(3, (2, 1, 64, 64)), torch.zeros(2, 0, 64, 64), torch.rand(2, 3, 64, 64))
    torch.manual_seed(2)
    first, second = game.turns(batch, Progress())
    torch.manual_seed(2)
    encoder: Any = game.generator.encoder
    mean, log_variance = encoder(batch.photo)
    fake = game(batch.label, mean + torch.randn(2, 5) * (log_variance / 2).exp())
    condition = by_channels(batch.label, 3)
    real_maps, fake_maps = game.discriminator(condition, batch.photo), game.discriminator(condition, fake)
    assert (first.player, second.player) == ("discriminator", "generator")
    logits = [[maps[-1] for maps in one] for one in (real_maps, fake_maps)]
    torch.testing.assert_close(first.total, hinge_loss(*logits))
    torch.testing.assert_close(second.losses["adversarial"], -(logits[1][0].mean() + logits[1][1].mean()) / 2)
    torch.testing.assert_close(second.losses["features"], 10 * feature_matching(fake_maps, real_maps))
    expected = 0.05 * 0.5 * (mean.square() + log_variance.exp() - 1 - log_variance).sum()
    torch.testing.assert_close(second.losses["divergence"], expected)


def test_the_perceptual_loss_weighs_deep_layers_most(monkeypatch: pytest.MonkeyPatch) -> None:
    class Seen(nn.Module):
        def forward(self, image: torch.Tensor) -> dict[str, torch.Tensor]:
            return {f"relu{number}_1": image * number for number in range(1, 6)}

    game = SPADEGame(SMALL)
    monkeypatch.setitem(vars(game), "_loss_network", Seen())
    found = game._perceptual(torch.full((1, 3, 4, 4), 0.5), torch.full((1, 3, 4, 4), 0.75))
    expected = 0.25 * (1 / 32 + 2 / 16 + 3 / 8 + 4 / 4 + 5 / 1)
    assert found.item() == pytest.approx(expected)


def test_discriminators_see_ever_fewer_pixels() -> None:
    network = Discriminator(SMALL)
    found = network(by_channels(torch.zeros(1, 1, 64, 64, dtype=torch.int64), 3), torch.rand(1, 3, 64, 64))
    assert [len(maps) for maps in found] == [5, 5]
    assert [[maps.shape[1] for maps in scale] for scale in found] == [[4, 8, 16, 32, 1]] * 2
    # 4x4 and padding of 2: n -> n / 2 + 1 thrice, then two of stride 1 that add one each
    assert [scale[-1].shape[-1] for scale in found] == [11, 7]


def test_edges_of_objects_are_a_channel_more() -> None:
    system = Generator(SMALL.model_copy(update={"instance_edges": True})).eval()
    assert [port.name for port in system.inputs] == ["labels", "edges", "style"]
    labels, edges, style = torch.zeros(1, 1, 64, 64, dtype=torch.int64), torch.zeros(1, 1, 64, 64), torch.zeros(1, 5)
    changed = F.pad(torch.ones(1, 1, 32, 32), (16, 16, 16, 16))
    with torch.no_grad():
        for module in system.modules():
            if isinstance(module, SPADE):
                nn.init.normal_(module.gamma.weight)
    assert not torch.allclose(system(labels, edges, style), system(labels, changed, style))
