import pytest
import torch
from torch import nn

from limner.data.stylization import Stylization
from limner.layers.style_norm import StyleNorm
from limner.losses.total_variation import total_variation
from limner.systems.feedforward.fast_style import (
    JOHNSON_2016,
    JOHNSON_IN,
    JOHNSON_RELEASED_CODE,
    SLIM,
    FastStyle,
)
from limner.types import Progress

TINY = SLIM.model_copy(update={"channels": (4, 6, 8), "num_blocks": 1})


def shapes_of(system, image):
    """What each convolution makes, in the order in which they run."""
    seen = []
    for module in system.modules():
        if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
            module.register_forward_hook(lambda _, __, output: seen.append(tuple(output.shape[1:])))
    with torch.inference_mode():
        result = system(image)
    return seen, result


def test_the_papers_network_is_the_table_of_its_supplement_layer_by_layer():
    seen, result = shapes_of(FastStyle(JOHNSON_2016).eval(), torch.rand(1, 3, 256, 256))
    blocks = [(128, side, side) for block in (80, 76, 72, 68, 64) for side in (block + 2, block)]
    ends = [(64, 128, 128), (32, 256, 256), (3, 256, 256)]
    assert seen == [(32, 336, 336), (64, 168, 168), (128, 84, 84), *blocks, *ends]
    assert result.shape == (1, 3, 256, 256)


def test_the_papers_network_reflects_forty_pixels_on_each_side():
    assert FastStyle(JOHNSON_2016)._padded(torch.rand(1, 3, 256, 256)).shape == (1, 3, 336, 336)


def test_the_resize_variant_has_as_many_weights_as_its_widely_used_implementation():
    # pytorch/examples, fast_neural_style: TransformerNet
    assert sum(parameter.numel() for parameter in FastStyle(JOHNSON_IN).parameters()) == 1_679_235


def test_the_slim_network_has_less_than_a_third_of_the_weights():
    full, slim = (
        sum(module.weight.numel() for module in FastStyle(config).modules() if isinstance(module, nn.Conv2d))
        for config in (JOHNSON_IN, SLIM)
    )
    assert slim < full / 3


@pytest.mark.parametrize(
    ("config", "low", "high"),
    [(JOHNSON_2016, 0, 1), (JOHNSON_RELEASED_CODE, (103.939 - 150) / 255, (123.68 + 150) / 255)],
)
def test_the_output_is_in_the_range_of_its_tanh(config, low, high):
    system = FastStyle(config.model_copy(update={"channels": (4, 4, 4), "num_blocks": 1})).eval()
    with torch.inference_mode():
        next(system.last.parameters()).mul_(1000)
        result = system(torch.rand(1, 3, 64, 64))
    assert result.min() >= low - 1e-6
    assert result.max() <= high + 1e-6
    assert result.max() - result.min() > 0.9 * (high - low)


@pytest.mark.parametrize("size", [(64, 64), (48, 80)])
@pytest.mark.parametrize("config", [JOHNSON_2016, JOHNSON_RELEASED_CODE, SLIM], ids=["paper", "released", "slim"])
def test_a_painting_is_as_large_as_its_photo(config, size):
    system = FastStyle(config.model_copy(update={"channels": (4, 4, 4)})).eval()
    with torch.inference_mode():
        assert system(torch.rand(1, 3, *size)).shape == (1, 3, *size)


def several(num_styles=3):
    system = FastStyle(TINY.model_copy(update={"styles": tuple("abcdef"[:num_styles])}))
    for module in system.modules():
        if isinstance(module, StyleNorm):
            torch.nn.init.normal_(module.weight, 1, 0.3)
            torch.nn.init.normal_(module.bias, 0, 0.3)
    return system.eval()


@pytest.mark.parametrize("mixture", [[0.0, 1.0, 0.0], [0.2, 0.3, 0.5]])
def test_the_network_of_a_mixture_paints_as_the_one_that_knows_all_styles(mixture):
    system, image, mixture = several(), torch.rand(2, 3, 16, 24), torch.tensor(mixture)
    alone = system.at(mixture)
    assert any(isinstance(module, nn.InstanceNorm2d) for module in alone.modules())
    assert not any(isinstance(module, StyleNorm) for module in alone.modules())
    with torch.inference_mode():
        torch.testing.assert_close(alone(image), system.paint(image, mixture.expand(2, 3)), atol=1e-5, rtol=1e-4)


def batch(num_photos=2, style=(0, 0), size=32):
    crops = torch.rand(max(style) + 1, 2, 3, 32, 32)
    return Stylization(torch.rand(num_photos, 3, size, size), torch.tensor(style), crops[list(style)])


@pytest.mark.parametrize(("leak", "learns"), [(0.0, False), (0.2, True)])
def test_a_leak_lets_a_network_whose_last_relus_are_off_learn(leak, learns):
    system = FastStyle(TINY.model_copy(update={"leak": leak}))
    nn.init.constant_(system.get_parameter("up.1.norm.bias"), -100)
    photo = torch.rand(1, 3, 16, 16)
    (system(photo) * photo).sum().backward()
    slopes = system.get_parameter("up.0.convolution.2.weight").grad
    assert slopes is not None and bool(slopes.any()) == learns


def test_a_picture_that_is_its_content_has_no_content_loss():
    system = FastStyle(TINY.model_copy(update={"features": "exact"}))
    given = batch()
    losses = system._losses(given.source, given)
    assert losses["content"].item() == pytest.approx(0, abs=1e-9)
    assert losses["variation"].item() == pytest.approx(TINY.tv_weight * total_variation(given.source).item())


def test_a_picture_that_is_its_style_has_no_style_loss():
    system = FastStyle(TINY.model_copy(update={"features": "exact", "windows": 1}))
    style = torch.rand(3, 32, 32)
    given = Stylization(torch.rand(1, 3, 32, 32), torch.tensor([0]), torch.stack([style, style])[None])
    assert system._losses(style[None], given)["style"].item() == pytest.approx(0, abs=1e-9)
    assert system._losses(given.source, given)["style"].item() > 0.01


def test_windows_make_a_bare_place_dearer():
    """A tenth of a painting that is bare costs little as a whole, but the window in which it lies all."""
    style = torch.rand(1, 3, 96, 96)
    given = Stylization(style, torch.tensor([0]), torch.stack([style[0], style[0]])[None])
    bare = style.clone()
    bare[..., :32, :32] = 0.5
    costs = {}
    for windows in (1, 3):
        system = FastStyle(TINY.model_copy(update={"features": "exact", "windows": windows}))
        whole, spared = (system._losses(one, given)["style"].item() for one in (style, bare))
        costs[windows] = spared - whole
    assert costs[3] > 1.5 * costs[1] > 0


def test_each_photo_is_held_against_its_own_style():
    config = TINY.model_copy(update={"features": "exact", "styles": ("a", "b")})
    both, given = FastStyle(config), batch(style=(1, 0))
    together = both._losses(given.source, given)["style"].item()
    apart = [
        FastStyle(config)._losses(given.source[[one]], Stylization(*(part[[one]] for part in given)))["style"].item()
        for one in (0, 1)
    ]
    assert together == pytest.approx(sum(apart) / 2, rel=1e-5)


def test_the_losses_are_single_precision_under_autocast():
    system = FastStyle(TINY)
    with torch.autocast("cpu", torch.bfloat16):
        (turn,) = system.turns(batch(), Progress())
    assert {loss.dtype for loss in turn.losses.values()} == {torch.float32}


def test_what_the_network_is_given_is_noisy_and_what_it_is_held_against_is_not(monkeypatch):
    system, given = FastStyle(TINY.model_copy(update={"noise": 0.5, "spike_weight": 0.0})), batch()
    seen: list[torch.Tensor] = []

    def paint(self, photos, mixture):
        seen.append(photos)
        return given.source

    monkeypatch.setattr(FastStyle, "paint", paint)
    (turn,) = system.turns(given, Progress())
    assert (seen[0] - given.source).std().item() == pytest.approx(0.5, rel=0.1)
    assert turn.losses["content"].item() == pytest.approx(0, abs=1e-4)


def test_the_features_are_no_part_of_the_weights():
    system = FastStyle(TINY)
    before = set(system.state_dict())
    list(system.turns(batch(), Progress()))
    assert set(system.state_dict()) == before
    assert not any("vgg" in name for name in before)
