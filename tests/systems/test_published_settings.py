"""The settings that are named after a paper, or after its authors' code, are those that stand there."""

import math

import pytest

from limner.loops.fit import FitConfig
from limner.systems.adversarial import srgan
from limner.systems.feedforward import (
    adain,
    any_style,
    fast_style,
    perceptual_super_resolution,
    srresnet,
    texture_network,
    vdsr,
)
from limner.systems.optimize import deep_image_prior as dip
from limner.systems.optimize import style, texture, video_style

FIVE = ["relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1"]


def optimizer(kind: str, **settings: float) -> dict[str, object]:
    return {
        "kind": kind,
        "learning_rate": 1e-4,
        "betas": (0.9, 0.999),
        "momentum": 0.0,
        "weight_decay": 0.0,
        **settings,
    }


def rates(config: FitConfig, *steps: int) -> list[float]:
    """The learning rates of these steps, from 0."""
    assert config.schedule.warmup_steps == 0
    return [config.optimizer.learning_rate * config.schedule.factor_at(step, step / config.steps) for step in steps]


@pytest.mark.parametrize(
    ("config", "steps", "batch_size", "moves"),
    [
        # arXiv:1511.04587, "Training Parameters"; weights decay and momentum: section 4.2
        (vdsr.FIT_2016, 9_960, 64, optimizer("sgd", learning_rate=0.1, momentum=0.9, weight_decay=1e-4)),
        # arXiv:1603.08155, section 4.1; two epochs of 80,000 photos
        (fast_style.FIT_2016, 40_000, 4, optimizer("adam", learning_rate=1e-3)),
        # arXiv:1603.08155, section 4.2
        (perceptual_super_resolution.FIT_2016, 200_000, 4, optimizer("adam", learning_rate=1e-3)),
        # arXiv:1603.03417, section 4
        (texture_network.FIT_2016, 2_000, 16, optimizer("adam", learning_rate=0.1)),
        # DmitryUlyanov/texture_nets, train.lua, but for its batches of one, in which nothing is diverse
        (texture_network.FIT_2017, 50_000, 4, optimizer("adam", learning_rate=1e-3)),
        # arXiv:1609.04802, section 3.2
        (srresnet.FIT_2017, 1_000_000, 16, optimizer("adam", learning_rate=1e-4)),
        (srgan.FIT_2017, 200_000, 16, optimizer("adam", learning_rate=1e-4)),
        # xunhuang1995/AdaIN-style, train.lua; batches: arXiv:1703.06868, section 6.2
        (adain.FIT_2017, 160_000, 8, optimizer("adam", learning_rate=1e-4)),
        # magenta/magenta, arbitrary_image_stylization_train.py
        (any_style.FIT_2017, 8_000_000, 8, optimizer("adam", learning_rate=1e-5)),
    ],
)
def test_how_networks_are_trained(config: FitConfig, steps: int, batch_size: int, moves: dict[str, object]) -> None:
    assert (config.steps, config.batch_size) == (steps, batch_size)
    assert config.optimizer.model_dump() == moves
    assert (config.players, config.precision, config.ema_decay, config.accumulation) == ({}, "float32", None, 1)
    assert config.clip.kind == ("adjustable" if config is vdsr.FIT_2016 else "none")


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        (vdsr.FIT_2016, {0: 0.1, 2489: 0.1, 2490: 0.01, 4980: 1e-3, 7470: 1e-4, 9959: 1e-4}),
        (fast_style.FIT_2016, {0: 1e-3, 39_999: 1e-3}),
        (perceptual_super_resolution.FIT_2016, {0: 1e-3, 199_999: 1e-3}),
        (texture_network.FIT_2016, {0: 0.1, 999: 0.1, 1000: 0.07, 1199: 0.07, 1200: 0.049, 1999: 0.1 * 0.7**5}),
        (texture_network.FIT_2017, {0: 1e-3, 1999: 1e-3, 2000: 8e-4, 4000: 6.4e-4, 49_999: 1e-3 * 0.8**24}),
        (srresnet.FIT_2017, {0: 1e-4, 999_999: 1e-4}),
        (srgan.FIT_2017, {0: 1e-4, 99_999: 1e-4, 100_000: 1e-5, 199_999: 1e-5}),
        (any_style.FIT_2017, {0: 1e-5, 7_999_999: 1e-5}),
        (adain.FIT_2017, {0: 1e-4, 20_000: 5e-5, 159_999: 1e-4 / (1 + 5e-5 * 159_999)}),  # learningRateDecay: 5e-5
    ],
)
def test_how_fast_they_learn(config: FitConfig, expected: dict[int, float]) -> None:
    assert rates(config, *expected) == pytest.approx(list(expected.values()), rel=1e-9)


def test_vdsr_is_twenty_layers_of_64_channels() -> None:
    """arXiv:1511.04587, section 3.1."""
    assert vdsr.VDSR_2016.model_dump() == {"num_layers": 20, "channels": 64, "fold": 1}


def test_super_resolution_networks() -> None:
    """arXiv:1609.04802, figure 4, equation 3 and section 3.2; arXiv:1603.08155, section 4.2 and its supplement."""
    network = {"scale": 4, "num_blocks": 16, "channels": 64, "skip": False}
    layers = {"norm": "batch", "activation": "prelu", "output": "signed"}
    assert srresnet.SRRESNET_2017.model_dump() == network | layers
    game = srgan.SRGAN_2017
    assert game.generator == srresnet.SRRESNET_2017
    assert (game.crop, game.discriminator_channels, game.dense) == (96, 64, 1024)
    assert (game.content, game.adversarial_weight) == ("vgg54", 1e-3)
    assert game.pixel_weight == game.fine_weight == game.lattice_weight == 0
    for config, loss, scale in [
        (perceptual_super_resolution.FEATURE_2016, "feature", 4),
        (perceptual_super_resolution.PIXEL_2016, "pixel", 4),
        (perceptual_super_resolution.FEATURE_2016_X8, "feature", 8),
        (perceptual_super_resolution.PIXEL_2016_X8, "pixel", 8),
    ]:
        assert (config.loss, config.scale, config.channels, config.num_blocks) == (loss, scale, 64, 4)
        assert (config.upsampling, config.skip, config.match_histogram) == ("transposed", False, True)
        assert config.fine_weight == 0
    assert perceptual_super_resolution.LAYER == "relu2_2"


def test_fast_style() -> None:
    """arXiv:1603.08155, section 4.1 and table 1 of its supplement; jcjohnson/fast-neural-style, train.lua.

    In its VGG-16, layer 16 of `-content_layers` is relu3_3, and 4, 9, 16, 23 of `-style_layers` are these four. The
    models that it comes with have half the channels.
    """
    styles = {"relu1_2": 1.0, "relu2_2": 1.0, "relu3_3": 1.0, "relu4_3": 1.0}
    paper, code = fast_style.JOHNSON_2016, fast_style.JOHNSON_RELEASED_CODE
    assert (paper.content_layers, code.content_layers) == ({"relu2_2": 1.0}, {"relu3_3": 1.0})
    assert (paper.norm, code.norm) == ("batch", "instance")
    assert (paper.output, code.output) == ("tanh", "tanh150")
    for config in (paper, code):
        assert (config.channels, config.num_blocks) == ((32, 64, 128), 5)
        assert (config.padding, config.upsampling) == ("once", "transposed")
        assert config.style_layers == styles
        assert (config.content_weight, config.style_weight) == (1.0, 5.0)
        assert config.tv_weight == pytest.approx(1e-6 * 255**2 * 3 * 256**2)  # a sum, over values up to 255
        ours = (config.leak, config.noise, config.spike_weight, config.lattice_weight, config.windows, config.relative)
        assert ours == (0, 0, 0, 0, 1, False)


def test_adain() -> None:
    """arXiv:1703.06868, section 6.1 and equation 13; the decoder's channels mirror those of VGG."""
    config = adain.ADAIN_2017
    assert config.channels == (256, 128, 64)
    assert (config.content_weight, config.style_weight) == (1.0, 10.0)
    assert (config.inversion_weight, config.pairings, config.palette, config.lattice_weight) == (0, 1, False, 0)
    assert adain.STYLE_LAYERS == ("relu1_1", "relu2_1", "relu3_1", "relu4_1")


def test_texture_networks() -> None:
    """arXiv:1603.03417, figure 2 and section 4; arXiv:1701.02096; DmitryUlyanov/texture_nets, train.lua."""
    first, second, painter = texture_network.TEXTURE_2016, texture_network.TEXTURE_2017, texture_network.STYLE_2017
    assert [config.num_scales for config in (first, second, painter)] == [5, 5, 6]
    assert [config.norm for config in (first, second, painter)] == ["batch", "instance", "instance"]
    assert [config.content_weight for config in (first, second, painter)] == [0, 0, 1]
    assert [config.diversity_weight > 0 for config in (first, second, painter)] == [False, True, False]
    assert first.layers == second.layers == dict.fromkeys(FIVE, 1.0)
    assert painter.layers == dict.fromkeys(FIVE[:4], 1.0)
    for config in (first, second, painter):
        assert (config.channels, config.noise_channels) == (8, 3)
        assert (config.relative, config.pooling) == (False, "average")
    assert texture_network.CONTENT_LAYER == "relu4_2"


def test_style_transfer() -> None:
    """CVPR 2016, sections 2 and 3: w_l = 1/5, alpha / beta = 1e-3 (figure 3 B), L-BFGS from noise."""
    config = style.STYLE_GATYS_2016
    assert config.content_layers == {"relu4_2": 1.0}
    assert config.style_layers == dict.fromkeys(FIVE, 0.2)
    assert config.content_weight / config.style_weight == 1e-3
    assert (config.tv_weight, config.relative, config.mean_content) == (0, False, False)
    assert (config.pooling, config.start, config.scaled_filters) == ("average", "noise", True)
    (only,) = config.passes
    assert (only.scale, only.optimize.method, only.optimize.steps) == (1, "lbfgs", 500)


def test_style_transfer_as_released() -> None:
    """leongatys/PytorchNeuralStyleTransfer: from the photo, max pooling, VGG's own responses, 500 evaluations.

    The weights are those of the test that compares the losses.
    """
    config = style.STYLE_GATYS_RELEASED_CODE
    assert (list(config.style_layers), config.content_layers) == (FIVE, {"relu4_2": 1.0})
    assert (config.tv_weight, config.relative, config.scaled_filters) == (0, False, False)
    assert (config.pooling, config.start) == ("max", "content")
    (only,) = config.passes
    assert (only.scale, only.optimize.method, only.optimize.steps) == (1, "lbfgs", 500)


def test_texture_synthesis() -> None:
    """arXiv:1505.07376, sections 2 and 3."""
    config = texture.TEXTURE_GATYS_2015
    assert config.layers == dict.fromkeys(["conv1_1", "pool1", "pool2", "pool3", "pool4"], 1.0)
    assert (config.relative, config.pooling, config.tv_weight, config.margin) == (False, "average", 0, 0)
    (only,) = config.passes
    assert (only.scale, only.optimize.method, only.optimize.steps) == (1, "lbfgs", 2000)


def test_style_transfer_of_videos() -> None:
    """arXiv:1604.08610, sections 5.3 and 6; steps: manuelruder/artistic-videos, whose content loss is a mean."""
    single, several = video_style.VIDEO_STYLE_RUDER_2016, video_style.VIDEO_STYLE_MULTI_PASS
    for config in (single, several):
        assert config.style.style_layers == dict.fromkeys(FIVE, 0.2)
        assert config.style.content_layers == {"relu4_2": 1.0}
        assert (config.style.mean_content, config.style.pooling) == (True, "max")
        (first,) = config.style.passes
        assert (first.optimize.method, first.optimize.steps) == ("lbfgs", 2000)
        assert (first.optimize.patience, first.optimize.least_gain) == (50, 1e-4)
        assert config.held.method == "lbfgs"
        assert (config.long_term, config.blend) == ((1,), 0.5)
    assert (single.num_passes, several.num_passes) == (1, 15)
    assert (single.held.steps, single.held.patience, single.held.least_gain) == (1000, 50, 1e-4)
    assert several.held.steps == 100


@pytest.mark.parametrize(
    ("config", "steps", "rate", "noise", "average"),
    [
        (dip.DENOISE_2018, 1800, 0.01, 1 / 30, 0.99),  # arXiv:1711.10925, "Denoising"
        # DmitryUlyanov/deep-image-prior, by notebook; only that of denoising averages
        (dip.DENOISE_RELEASED_CODE, 3000, 0.01, 1 / 30, 0.99),
        (dip.DEBLOCK, 2400, 0.01, 1 / 30, 0.99),
        (dip.UPSCALE_X4, 2000, 0.01, 0.03, 0),
        (dip.UPSCALE_X8, 4000, 0.01, 0.05, 0),
        (dip.INPAINT_TEXT, 6001, 0.01, 0.03, 0),
        (dip.INPAINT_HOLE, 5001, 0.01, 0.03, 0),
        (dip.INPAINT_REGION, 3001, 0.01, 0, 0),
        (dip.INPAINT_HALF, 11_000, 0.001, 0.03, 0),
        (dip.INPAINT_SPARSE, 1000, 0.01, 0, 0),
    ],
)
def test_deep_image_prior(
    config: dip.DeepImagePriorConfig, steps: int, rate: float, noise: float, average: float
) -> None:
    assert (config.optimize.method, config.optimize.steps, config.optimize.learning_rate) == ("adam", steps, rate)
    assert (config.noise, config.average) == (noise, average)
    assert config.optimize.schedule.kind == "constant"
    assert (config.stopping, config.most_pixels, config.back_projections, config.runs) == (None, None, 0, 1)
    assert config.bicubic_within == 0
    assert config.input == ("grid" if config is dip.INPAINT_HOLE else "noise")
    assert math.isclose(config.input_range, 0.1)


@pytest.mark.parametrize(
    ("config", "depth", "down", "skips", "kernels", "modes"),
    [
        (dip.DENOISE_2018, 32, (128,) * 5, (4,) * 5, (3,) * 10, ("bilinear", "stride", "reflect")),
        (dip.DENOISE_RELEASED_CODE, 32, (128,) * 5, (4,) * 5, (3,) * 10, ("bilinear", "stride", "reflect")),
        (dip.DEBLOCK, 3, (8, 16, 32, 64, 128), (0, 0, 0, 4, 4), (3,) * 10, ("bilinear", "stride", "reflect")),
        (dip.UPSCALE_X4, 32, (128,) * 5, (4,) * 5, (3,) * 10, ("bilinear", "stride", "reflect")),
        (dip.UPSCALE_X8, 32, (128,) * 5, (4,) * 5, (3,) * 10, ("bilinear", "stride", "reflect")),
        (dip.INPAINT_TEXT, 32, (128,) * 5, (128,) * 5, (3,) * 10, ("nearest", "stride", "reflect")),
        (dip.INPAINT_HOLE, 2, (128,) * 5, (0,) * 5, (3,) * 10, ("nearest", "stride", "reflect")),
        (
            dip.INPAINT_REGION,
            1,
            (16, 32, 64, 128, 128, 128),
            (0,) * 6,
            (5,) * 6 + (3,) * 6,
            ("nearest", "stride", "reflect"),
        ),
        (dip.INPAINT_HALF, 32, (128,) * 5, (4,) * 5, (3,) * 10, ("bilinear", "stride", "reflect")),
        (dip.INPAINT_SPARSE, 32, (16, 32, 64, 128, 128), (0,) * 5, (3,) * 10, ("bilinear", "average", "reflect")),
    ],
)
def test_the_networks_of_the_deep_image_prior(
    config: dip.DeepImagePriorConfig,
    depth: int,
    down: tuple[int, ...],
    skips: tuple[int, ...],
    kernels: tuple[int, ...],
    modes: tuple[str, str, str],
) -> None:
    """As in its authors' notebooks, which have as many channels on the way up as on the way down."""
    network = config.network
    assert (network.in_channels, network.down_channels, network.up_channels) == (depth, down, down)
    assert network.skip_channels == skips
    assert network.down_kernels + network.up_kernels == kernels
    assert (network.upsampling, network.downsampling, network.padding) == modes
    assert network.pointwise == (config is not dip.INPAINT_REGION)
