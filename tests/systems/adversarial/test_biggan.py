"""What only this paper has: its widths, classes and parts of z in every norm, orthogonal filters, two steps."""

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils import parametrize

from limner.data.labelled import Labelled, LabelledPictures
from limner.errors import LimnerError
from limner.loops.checkpoint import seed_everything
from limner.loops.fit import FitConfig, fit
from limner.systems.adversarial import biggan
from limner.systems.adversarial.biggan import (
    BIGGAN_256,
    BIGGAN_512,
    BIGGAN_2018,
    CIFAR_PORT,
    FIT_2018,
    Attention,
    BigGAN,
    BigGANConfig,
    ConditionalNorm,
    Discriminator,
    Down,
    Generator,
    Up,
    unorthogonality,
)
from limner.types import Progress

SMALL = BigGANConfig(
    num_classes=3, side=32, base_channels=2, discriminator_channels=2, latent_channels=8, class_channels=4,
    attention_side=16,
)  # fmt: skip


def count(module: nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


def batch(number: int = 4) -> Labelled:
    return Labelled(torch.rand(number, 3, 32, 32), torch.arange(number) % 3)


@pytest.fixture
def on_paper(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Networks without values, so that the large ones take no time."""
    monkeypatch.setattr(biggan, "spectral", lambda module: module)
    monkeypatch.setattr(nn.init, "orthogonal_", lambda weight: weight)
    with torch.device("meta"):
        yield


@pytest.mark.usefixtures("on_paper")
@pytest.mark.parametrize(
    ("config", "generator", "discriminator"),
    [
        (BIGGAN_2018, 70_433_988, 87_982_370),
        (BigGANConfig(base_channels=64, discriminator_channels=64), 31_978_628, 39_448_258),
        (
            BigGANConfig(side=64, base_channels=64, discriminator_channels=64, latent_channels=100, attention_side=32),
            31_866_116,
            20_571_842,
        ),
        (CIFAR_PORT, 4_668_163, 4_207_361),
    ],
)
def test_weights_are_as_many_as_in_the_authors_code(config: BigGANConfig, generator: int, discriminator: int) -> None:
    """At 128 pixels both together have 158.4 million; table 1 of the paper says 158.3."""
    config = config.model_copy(update={"num_classes": 10 if config.side == 32 else 1000})
    assert (count(Generator(config)), count(Discriminator(config))) == (generator, discriminator)


@pytest.mark.usefixtures("on_paper")
def test_the_generator_by_table_4() -> None:
    ch, z, shared = 96, 20, 128
    widths = [16 * ch, 16 * ch, 8 * ch, 4 * ch, 2 * ch, ch]
    expected = 1000 * shared + (z + 1) * 16 * widths[0]
    for before, after in itertools.pairwise(widths):
        norms = 2 * (shared + z) * (before + after)
        expected += norms + 9 * (before + after) * after + 2 * after + (before + 1) * after
    attended = 2 * ch
    expected += 2 * attended * attended // 8 + 2 * attended * attended // 2 + 1
    expected += 2 * ch + 9 * ch * 3 + 3
    assert count(Generator(BIGGAN_2018)) == expected


@pytest.mark.usefixtures("on_paper")
@pytest.mark.parametrize(("config", "blocks"), [(BIGGAN_256, 6), (BIGGAN_512, 7)])
def test_larger_pictures_have_more_blocks_and_parts_of_z(config: BigGANConfig, blocks: int) -> None:
    generator, discriminator = Generator(config), Discriminator(config)
    assert config.latent_parts == [20] * (blocks + 1)
    assert len(generator.blocks) == blocks
    assert list(generator.attention) == ["3"]  # 64 pixels
    downs = [block for block in discriminator.blocks if isinstance(block, Down)]
    assert [block.halves for block in downs] == [True] * blocks + [False]


def test_how_it_is_trained() -> None:
    """Appendix C: Adam of beta_1 = 0, 5e-5 and 2e-4, batches of 2048, two steps of the discriminator."""
    assert (FIT_2018.optimizer.learning_rate, FIT_2018.optimizer.betas) == (5e-5, (0.0, 0.999))
    assert FIT_2018.players["discriminator"].learning_rate == 2e-4
    assert FIT_2018.batch_size == BIGGAN_2018.discriminator_steps * 2048
    assert FIT_2018.ema_decay == 0.9999


@pytest.mark.parametrize("config", [SMALL, SMALL.model_copy(update={"split_latent": False, "attention_side": 0})])
def test_pictures_are_of_their_side_and_in_their_range(config: BigGANConfig) -> None:
    system = BigGAN(config)
    made = system(torch.randn(3, 8), torch.tensor([0, 1, 2]))
    assert made.shape == (3, 3, 32, 32)
    assert 0 <= made.min() < made.max() <= 1
    assert system.discriminator(made, torch.tensor([0, 1, 2])).shape == (3, 1)


def test_norms_hang_on_the_class_and_on_their_part_of_z() -> None:
    norm, x, condition = ConditionalNorm(5, 4).eval(), torch.randn(2, 4, 3, 3), torch.randn(2, 5)
    gain, bias = condition @ norm.gain.weight.T, condition @ norm.bias.weight.T
    expected = x / (1 + 1e-5) ** 0.5 * (1 + gain)[:, :, None, None] + bias[:, :, None, None]
    torch.testing.assert_close(norm(x, condition), expected)


def test_each_block_sees_its_own_part_of_z() -> None:
    generator = Generator(SMALL).eval()
    seen: list[Tensor] = []
    for block in generator.blocks:
        block.register_forward_pre_hook(lambda module, given: seen.append(given[1]))
    latent, label = torch.randn(2, 8), torch.tensor([0, 2])
    generator(latent, label)
    for number, condition in enumerate(seen):
        part = latent[:, 2 * number + 2 : 2 * number + 4]
        assert torch.equal(condition, torch.cat([generator.embedding(label), part], 1))


def test_attention_by_hand() -> None:
    torch.manual_seed(0)
    layer, x = Attention(16).eval(), torch.randn(2, 16, 4, 4)
    assert torch.equal(layer(x), x)
    layer.share.data.fill_(0.7)
    query, key, value = (F.conv2d(x, part.weight) for part in (layer.query, layer.key, layer.value))
    key, value = F.max_pool2d(key, 2), F.max_pool2d(value, 2)
    expected = x.clone()
    for picture in range(2):
        for place in range(16):
            own = query[picture, :, place // 4, place % 4]
            weights = torch.softmax(own @ key[picture].flatten(1), 0)
            found = value[picture].flatten(1) @ weights
            expected[picture, :, place // 4, place % 4] += 0.7 * layer.out.weight[:, :, 0, 0] @ found
    torch.testing.assert_close(layer(x), expected)


def test_shortcuts_commute_with_what_changes_the_side() -> None:
    up, x, condition = Up(4, 6, 5).eval(), torch.randn(2, 4, 3, 3), torch.randn(2, 5)
    inner = up.first(F.interpolate(F.relu(up.first_norm(x, condition)), scale_factor=2.0))
    inner = up.second(F.relu(up.second_norm(inner, condition)))
    torch.testing.assert_close(up(x, condition), inner + up.shortcut(F.interpolate(x, scale_factor=2.0)))
    down, y = Down(4, 6, first=False, halves=True).eval(), torch.randn(2, 4, 6, 6)
    inner = F.avg_pool2d(down.second(F.relu(down.first(F.relu(y)))), 2)
    torch.testing.assert_close(down(y), inner + F.avg_pool2d(down.shortcut(y), 2))


def test_a_logit_is_that_of_the_picture_and_the_projection_of_its_class() -> None:
    judge, image, label = Discriminator(SMALL).eval(), torch.rand(3, 3, 32, 32), torch.tensor([0, 2, 2])
    seen = F.relu(judge.blocks(2 * image - 1)).sum((2, 3))
    alone = seen @ judge.logit.weight.T + judge.logit.bias
    projected = (judge.embedding(label) * seen).sum(1, keepdim=True)
    torch.testing.assert_close(judge(image, label), alone + projected)


def test_unorthogonality_by_hand() -> None:
    class Few(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer = nn.Linear(2, 3)  # rows (1, 0), (0, 2), (3, 4): products 0, 3, 8
            self.layer.weight.data.copy_(torch.tensor([[1.0, 0.0], [0.0, 2.0], [3.0, 4.0]]))
            self.embedding = nn.Embedding(4, 4)

    assert unorthogonality(Few()).item() == pytest.approx(2 * (9 + 64))


@pytest.mark.parametrize("shape", [(40, 6), (6, 40)])
def test_unorthogonality_is_exact_whatever_the_shape_and_precision(shape: tuple[int, int]) -> None:
    """Under autocast its products were of half precision, which is more than orthogonal filters have left."""
    layer = nn.Linear(shape[1], shape[0])
    nn.init.orthogonal_(layer.weight)
    filters = layer.weight.detach().double()
    expected = (filters @ filters.T).fill_diagonal_(0).square().sum().item()
    with torch.autocast("cpu", torch.bfloat16):
        assert unorthogonality(layer).item() == pytest.approx(expected, abs=1e-5)


def test_a_layer_of_many_filters_is_judged_by_little_memory() -> None:
    """A million filters of two numbers: all their products would take 4 TB."""
    assert unorthogonality(nn.Linear(2, 1_000_000)).isfinite()


def test_filters_begin_orthogonal() -> None:
    begun = [one for name, one in Generator(SMALL).named_parameters() if "second.param" in name and "original" in name]
    assert len(begun) == 3
    for weight in begun:
        filters = weight.flatten(1)
        torch.testing.assert_close(filters @ filters.T, torch.eye(len(filters)), atol=1e-5, rtol=0)


def test_the_turns_are_two_of_the_discriminator_and_one_of_the_generator() -> None:
    """Each of the first two has its half of the real pictures; hinge losses by hand."""
    torch.manual_seed(0)
    system, own = BigGAN(SMALL), batch(4)
    seen: list[tuple[Tensor, Tensor]] = []
    system.discriminator.register_forward_hook(lambda module, given, made: seen.append((given[0], made)))
    turns = list(system.turns(own, Progress()))
    assert [turn.player for turn in turns] == ["discriminator", "discriminator", "generator"]
    for part, turn in enumerate(turns[:2]):
        image, logits = seen[part]
        assert torch.equal(image[:2], own.image[2 * part : 2 * part + 2])
        expected = F.relu(1 - logits[:2]).mean() + F.relu(1 + logits[2:]).mean()
        torch.testing.assert_close(turn.losses["adversarial"], expected)
    torch.testing.assert_close(turns[2].losses["adversarial"], -seen[2][1].mean())
    torch.testing.assert_close(turns[2].losses["orthogonality"], 1e-4 * unorthogonality(system.generator))


def test_a_resumed_run_equals_one_without_a_pause(tmp_path: Path) -> None:
    samples = LabelledPictures((255 * batch(12).image).to(torch.uint8), batch(12).label)
    states = []
    for pieces in ([8], [4, 8]):
        for last in pieces:
            seed_everything(0)
            config = FitConfig(steps=last, batch_size=4, ema_decay=0.9)
            folder = tmp_path / str(len(pieces))
            result = fit(BigGAN(SMALL), samples, config, run=folder, resume=last != pieces[0])
        states.append(result.system.state_dict())
    for name, tensor in states[0].items():
        assert torch.equal(states[1][name], tensor), name


@pytest.mark.slow
def test_it_learns_what_classes_look_like() -> None:
    """Dark ones and bright ones."""
    seed_everything(0)
    label = torch.arange(12) % 2
    image = torch.tensor([30, 220], dtype=torch.uint8)[label].view(12, 1, 1, 1).expand(-1, 3, 32, 32)
    optimizer = FIT_2018.optimizer.model_copy(update={"learning_rate": 1e-3})
    config = FitConfig(steps=300, batch_size=12, optimizer=optimizer, ema_decay=0.95)
    system = fit(BigGAN(SMALL.model_copy(update={"num_classes": 2})), LabelledPictures(image, label), config).system
    dark, bright = (system(torch.randn(20, 8), torch.full((20,), number)).mean().item() for number in (0, 1))
    assert bright - dark > 0.3


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"side": 48}, "side must be one of 32, 64, 128, 256, 512, got 48"),
        ({"side": 64, "latent_channels": 64}, "latent_channels must be a multiple of 5, got 64"),
    ],
)
def test_what_does_not_fit_is_refused(values: dict[str, int], message: str) -> None:
    with pytest.raises(LimnerError, match=message):
        BigGANConfig.parse(values)


def test_every_weight_of_both_is_normalised_but_the_shared_classes() -> None:
    system = BigGAN(SMALL)
    for name, module in system.named_modules():
        if isinstance(module, nn.Conv2d | nn.Linear | nn.Embedding):
            assert parametrize.is_parametrized(module) == (name != "generator.embedding"), name
