import pytest
import torch
import torch.nn.functional as F
from torch import nn

from limner.data.stylization import Stylization
from limner.layers.style_norm import StyleNorm
from limner.loops.fit import Fit
from limner.losses.lattice import lattice
from limner.losses.total_variation import total_variation
from limner.runtime.plan import Grid, Plan
from limner.runtime.tiling import Tiled
from limner.systems.feedforward.many_styles import DUMOULIN_2017, FIT_MODERN, RELEASED_SLIM, ManyStyles
from limner.types import Progress

TINY = RELEASED_SLIM.model_copy(update={"channels": (4, 6, 8), "num_blocks": 1, "features": "exact"})


def several(config=TINY, num_styles=3):
    torch.manual_seed(0)
    system = ManyStyles(config.model_copy(update={"styles": tuple("abcdefghijklmnopqrstuvwxyz"[:num_styles])}))
    for module in system.modules():
        if isinstance(module, StyleNorm):
            nn.init.normal_(module.weight, 1, 0.3)
            nn.init.normal_(module.bias, 0, 0.3)
    return system.eval()


def test_the_papers_network_is_the_table_of_its_appendix_layer_by_layer():
    seen, system = [], ManyStyles(DUMOULIN_2017).eval()
    for module in system.modules():
        if isinstance(module, nn.Conv2d):
            module.register_forward_hook(lambda _, __, output: seen.append(tuple(output.shape[1:])))
    with torch.inference_mode():
        result = system(torch.rand(1, 3, 256, 256))
    blocks = [(128, 64, 64)] * 10
    assert seen == [
        *[(32, 256, 256), (64, 128, 128), (128, 64, 64)],
        *blocks,
        *[(64, 128, 128), (32, 256, 256), (3, 256, 256)],
    ]
    assert result.shape == (1, 3, 256, 256)


def test_fresh_convolutions_deviate_by_a_hundredth():
    weights = ManyStyles(DUMOULIN_2017).get_parameter("blocks.0.first.convolution.1.weight")
    assert weights.std().item() == pytest.approx(0.01, rel=0.02)
    assert weights.mean().item() == pytest.approx(0, abs=1e-4)


def test_the_slim_network_of_26_styles_has_as_many_weights_as_the_released_file():
    assert sum(p.numel() for p in several(RELEASED_SLIM, 26).parameters()) == 166_104


def by_functions(system, image, mixture):
    """The network again, of plain functions: reflection, convolution, norm by equation 5, ReLU."""
    tensors = system.state_dict()

    def layer(x, name, place=1, stride=1):
        kernel = tensors[f"{name}.convolution.{place}.weight"]
        x = F.conv2d(F.pad(x, (kernel.shape[-1] // 2,) * 4, mode="reflect"), kernel, stride=stride)
        scale, shift = (mixture @ tensors[f"{name}.norm.{part}"] for part in ("weight", "bias"))
        mean, variance = x.mean((2, 3), keepdim=True), x.var((2, 3), correction=0, keepdim=True)
        return (x - mean) / (variance + 1e-5).sqrt() * scale[:, None, None] + shift[:, None, None]

    x = layer(image, "down.0").relu()
    x = layer(x, "down.1", stride=2).relu()
    x = layer(x, "down.2", stride=2).relu()
    for block in range(system.config.num_blocks):
        x = x + layer(layer(x, f"blocks.{block}.first").relu(), f"blocks.{block}.second")
    for up in range(2):
        x = layer(x.repeat_interleave(2, -1).repeat_interleave(2, -2), f"up.{up}", place=2).relu()
    return layer(x, "last").sigmoid()


def test_it_is_what_the_paper_describes():
    system, image, mixture = several(), torch.rand(1, 3, 24, 32), torch.tensor([0.2, 0.3, 0.5])
    with torch.inference_mode():
        torch.testing.assert_close(
            system.paint(image, mixture[None]), by_functions(system, image, mixture), atol=1e-5, rtol=1e-4
        )


@pytest.mark.parametrize("mixture", [[0.0, 1.0, 0.0], [0.2, 0.3, 0.5]])
def test_the_network_of_a_mixture_paints_as_the_one_that_knows_all_styles(mixture):
    system, image, mixture = several(), torch.rand(2, 3, 16, 24), torch.tensor(mixture)
    alone = system.at(mixture)
    assert not any(isinstance(module, StyleNorm) for module in alone.modules())
    with torch.inference_mode():
        torch.testing.assert_close(alone(image), system.paint(image, mixture.expand(2, 3)), atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("size", [(8, 8), (36, 60)])
def test_a_painting_is_as_large_as_its_photo_and_in_range(size):
    painted = several()(torch.rand(1, 3, *size)).detach()
    assert painted.shape == (1, 3, *size)
    assert painted.min() >= 0
    assert painted.max() <= 1


def test_in_parts_it_paints_as_in_one():
    system, image = several().at(torch.tensor([0.5, 0.5, 0.0])).eval(), torch.rand(1, 3, 64, 96)
    with torch.inference_mode():
        parts = Tiled(system, tuple(image.shape))(image, plan=Plan(Grid(3, 2)))
        assert (parts - system(image)).abs().max() < 1e-5


def batch(size=32):
    crops = torch.rand(2, 2, 3, 32, 32)
    return Stylization(torch.rand(2, 3, size, size), torch.tensor([0, 1]), crops)


def test_a_style_is_learnt_while_the_convolutions_stay_as_they_are():
    system = several(TINY.model_copy(update={"train_trunk": False}), 2).train()
    before = {name: tensor.clone() for name, tensor in system.state_dict().items()}
    Fit(system, FIT_MODERN).step([batch()])
    moved = {name for name, tensor in system.state_dict().items() if not torch.equal(tensor, before[name])}
    assert moved == {name for name in before if ".norm." in name}


def test_a_style_that_is_not_in_the_batch_stays_as_it_is():
    system = several(num_styles=3).train()
    before = system.get_parameter("down.0.norm.weight").clone()
    Fit(system, FIT_MODERN).step([batch()])
    changed = (system.get_parameter("down.0.norm.weight") != before).any(1)
    assert changed.tolist() == [True, True, False]


def test_a_picture_that_is_its_content_has_no_content_loss():
    system, given = several(num_styles=2), batch()
    losses = system._losses(given.source, given)
    assert losses["content"].item() == pytest.approx(0, abs=1e-9)
    assert losses["variation"].item() == pytest.approx(TINY.tv_weight * total_variation(given.source).item())
    assert losses["lattice"].item() == pytest.approx(TINY.lattice_weight * lattice(given.source).item())


def test_photos_get_noise_in_training():
    system, given = several(TINY.model_copy(update={"noise": 0.1}), 2), batch()
    one, other = (next(system.turns(given, Progress())).losses["content"].item() for _ in range(2))
    assert one != other
    assert system.inputs[0].noise == 0.1


def test_a_picture_that_is_its_style_has_no_style_loss():
    system, style = several(num_styles=2), torch.rand(3, 32, 32)
    given = Stylization(torch.rand(1, 3, 32, 32), torch.tensor([0]), torch.stack([style, style])[None])
    assert system._losses(style[None], given)["style"].item() == pytest.approx(0, abs=1e-9)
    assert system._losses(given.source, given)["style"].item() > 0.01
