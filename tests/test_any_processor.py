"""Whatever asks for `fast` asks `limner.processor` first: nowhere is there bfloat16 where that does not pay."""

from contextlib import contextmanager

import pytest
import torch
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from benchmarks.runtime import peak
from limner import processor
from limner.data.pairs import Pair
from limner.features.squeezenet import SqueezeNet
from limner.features.vgg16 import VGG
from limner.loops.fit import Fit, FitConfig
from limner.loops.optimize import RunControl
from limner.loops.priors import begin
from limner.runtime.run_options import RunOptions
from limner.runtime.runner import Runner
from limner.systems.adversarial.srgan import SRGAN, SRGANConfig
from limner.systems.feedforward.srresnet import SRResNetConfig
from limner.systems.feedforward.vdsr import VDSR, VDSRConfig
from limner.systems.optimize import deep_image_prior, style, texture
from limner.systems.optimize.style import Reference
from limner.verbs import imagine, restore
from limner.verbs import texture as texture_verb

CPU = torch.device("cpu")
CPU_OPTIONS = RunOptions(device="cpu")
STOP_AT_ONCE = RunControl(lambda _: True)
PHOTO = torch.rand(1, 3, 48, 48, generator=torch.Generator().manual_seed(0))
PACKS = torch.ops.mkldnn._is_mkldnn_bf16_supported()


class Dtypes(TorchDispatchMode):
    """Notes the types of all tensors that are made."""

    def __init__(self):
        super().__init__()
        self.seen = set()

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        made = func(*args, **(kwargs or {}))
        self.seen |= {leaf.dtype for leaf in tree_leaves(made) if isinstance(leaf, torch.Tensor)}
        return made


@contextmanager
def dtypes():
    with Dtypes() as mode:
        yield mode.seen


def measure_the_peak():
    with torch.inference_mode():
        for dtype in peak.dtypes().values():
            peak._convolution(64, 16, dtype)()


def prepare_and_run():
    Runner(VDSR(VDSRConfig(num_layers=3, channels=8)), RunOptions(device="cpu"))(PHOTO[:, :1])


def train():
    Fit(VDSR(VDSRConfig(num_layers=3, channels=8)), FitConfig(precision="bfloat16")).step(
        [Pair(PHOTO[:, :1], PHOTO[:, :1])]
    )


def train_with_a_loss_network():
    config = SRGANConfig(
        generator=SRResNetConfig(num_blocks=1, channels=4), crop=32, discriminator_channels=4, dense=8, content="vgg22"
    )
    Fit(SRGAN(config), FitConfig(precision="bfloat16")).step([Pair(PHOTO[..., :8, :8], PHOTO[..., :32, :32])])


def stylize():
    style.stylize(PHOTO, [Reference(PHOTO.flip(3))], style.STYLE_QUICK, precision="fast", control=STOP_AT_ONCE)


WAYS = {
    "VGG": lambda: VGG(["relu2_1"], precision="fast")(PHOTO),
    "SqueezeNet": lambda: SqueezeNet(["fire2"], precision="fast")(PHOTO),
    "the prior of a network": lambda: begin(
        "dip", (48, 48), deep_image_prior.DENOISE.network, seed=0, precision="fast"
    )(),
    "the deep image prior": lambda: deep_image_prior.restore(
        deep_image_prior.denoising(PHOTO),
        (48, 48),
        deep_image_prior.DENOISE,
        precision="fast",
        control=STOP_AT_ONCE,
    ),
    "restore": lambda: restore.restore_image(
        PHOTO, "denoise", deep_image_prior.DENOISE, options=CPU_OPTIONS, control=STOP_AT_ONCE
    ),
    "style.stylize": stylize,
    "texture.synthesize": lambda: texture.synthesize(
        PHOTO.repeat(1, 1, 4, 4),
        (192, 192),
        texture.TEXTURE_QUICK,
        precision="fast",
        control=STOP_AT_ONCE,
    ),
    "imagine": lambda: imagine.imagine_subject(
        imagine.find_subject("fire2:1", options=CPU_OPTIONS),
        (48, 48),
        imagine.preset("dip"),
        options=CPU_OPTIONS,
        control=STOP_AT_ONCE,
    ),
    "a sample of a texture network": lambda: texture_verb.draw_texture("texture-starry-night", 64, options=CPU_OPTIONS),
    "a runner": prepare_and_run,
    "training": train,
    "training by a loss network": train_with_a_loss_network,
    "the machine's peak": measure_the_peak,
}


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_nothing_is_bfloat16_where_that_does_not_pay(way, monkeypatch):
    monkeypatch.setattr(processor, "processor_class", lambda: "AVX2")
    with dtypes() as seen:
        way()
    assert torch.float32 in seen
    assert torch.bfloat16 not in seen


@pytest.mark.skipif(not PACKS, reason="oneDNN packs no bfloat16 here")
@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_all_of_it_is_bfloat16_where_that_pays(way, monkeypatch):
    monkeypatch.setattr(processor, "bfloat16_pays", lambda device: True)
    with dtypes() as seen:
        way()
    assert torch.bfloat16 in seen


@pytest.mark.parametrize(("here", "layout"), [("AVX2", torch.contiguous_format), ("AVX-512", torch.channels_last)])
def test_weights_learn_in_the_layout_of_the_processor(here, layout, monkeypatch):
    monkeypatch.setattr(processor, "processor_class", lambda: here)
    laid_out = set()

    class Watched(nn.Conv2d):
        def forward(self, x):
            laid_out.add((x.is_contiguous(memory_format=layout), self.weight.is_contiguous(memory_format=layout)))
            return super().forward(x)

    picture = begin("dip", (48, 48), deep_image_prior.DENOISE.network, seed=0, noise=0.1)
    training = Fit(VDSR(VDSRConfig(num_layers=3, channels=8)), FitConfig())
    for convolution in [one for net in (picture, training.system) for one in net.modules() if type(one) is nn.Conv2d]:
        convolution.__class__ = Watched
    picture().sum().backward()
    training.step([Pair(PHOTO[:, :1], PHOTO[:, :1])])
    assert laid_out == {(True, True)}


def test_the_noise_of_a_prior_is_that_of_its_seed_in_either_layout(monkeypatch):
    painted = []
    for here in ("AVX2", "AVX-512"):
        monkeypatch.setattr(processor, "processor_class", lambda here=here: here)
        picture = begin("dip", (48, 48), deep_image_prior.DENOISE.network, seed=0, noise=0.1)
        torch.manual_seed(1)
        painted.append(picture().detach())
    torch.testing.assert_close(*painted, rtol=0, atol=1e-4)
