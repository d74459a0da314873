"""Styles, their mixtures, noise and directions, by a network whose pictures say what it was given."""

import math
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from limner.catalog.models import build_product
from limner.errors import LimnerError
from limner.files.weights import Header, save_weights
from limner.ports import Port
from limner.tasks.generate import Styled
from limner.verbs.generate import generate
from limner.verbs.styles import Styles, along, directions, latents_of, layers_of, line_of, mixture, noise_variation

SIDES = (4, 4, 16, 16)
CONFIG = {
    "side": 16, "channels": 1, "latent_channels": 6, "mapping_layers": 2, "channels_at_64": 2, "most_channels": 8,
    "growth": {"phase_share": 0},
}  # fmt: skip


class Told(nn.Module):
    """Its pictures hold the styles of the four layers, each of two numbers, and the sum of its noise."""

    has_styles, layer_sides = True, SIDES
    center: Tensor
    inputs = (Port("latent", "latent", 2), Port("noise", "latent", 3))
    outputs = (Port("picture", "photo", 1, scale=3),)

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.tensor([0.1, 0.02]))
        self.register_buffer("center", torch.tensor([0.5, 0.5]))

    def styles_of(self, latent: Tensor) -> Tensor:
        return (self.center + self.scale * latent)[:, None].expand(-1, 4, -1)

    def picture_of(self, styles: Tensor, noise: Tensor | None = None) -> Tensor:
        told = styles.new_zeros(len(styles), 9)
        told[:, :8] = styles.flatten(1)
        if noise is not None:
            told[:, 8] = 0.5 + 0.05 * noise.sum(1)
        return told.view(-1, 1, 3, 3)

    def forward(self, latent: Tensor, noise: Tensor) -> Tensor:
        return self.picture_of(self.styles_of(latent), noise)


def told(made: Tensor) -> Tensor:
    """The styles that pictures hold, (n, l, z)."""
    return made.flatten(1)[:, :8].unflatten(1, (4, 2))


def test_a_seed_has_the_style_and_noise_that_it_draws() -> None:
    styles = latents_of("told", Told())
    assert isinstance(styles, Styles)
    rng = torch.Generator().manual_seed(5)
    latent, noise = torch.randn(1, 2, generator=rng), torch.randn(1, 3, generator=rng)
    made = styles.pictures_of(styles.of_seed(5)[None], styles.noises_of([5]))
    torch.testing.assert_close(made, Told()(latent, noise).detach())


def test_truncation_draws_the_early_styles_to_the_center() -> None:
    """Of layers up to 32 pixels, so of all of these; of a wider network the later ones stay."""
    system = Told()
    whole, near = (
        told(latents_of("told", system, one).pictures_of(torch.tensor([[0.7, 0.4]]), [])) for one in (1.0, 0.5)
    )
    torch.testing.assert_close(near, 0.5 + 0.5 * (whole - 0.5))
    system.layer_sides = (4, 32, 64, 64)
    mixed = told(latents_of("told", system, 0.5).pictures_of(torch.tensor([[0.7, 0.4]]), []))
    torch.testing.assert_close(mixed[:, :2], near[:, :2])
    torch.testing.assert_close(mixed[:, 2:], whole[:, 2:])


def test_a_way_between_styles_is_straight() -> None:
    styles = latents_of("told", Told())
    way = styles.way(1, 2, 5)
    torch.testing.assert_close(way[2], (styles.of_seed(1) + styles.of_seed(2)) / 2)


def test_a_mixture_has_the_layers_of_a_scale_from_the_first_column() -> None:
    styles = latents_of("told", Told())
    assert isinstance(styles, Styles)
    made = mixture(styles, [0, 1], [7], "coarse").unflatten(0, (2, 3))
    assert torch.equal(made[0, 0], torch.ones(1, 3, 3))
    for column, seed in enumerate((0, 1)):
        own, other = told(made[0, column + 1][None]), told(made[1, 0][None])
        torch.testing.assert_close(own[0, 0], styles.of_seed(seed))
        mixed = told(made[1, column + 1][None])
        torch.testing.assert_close(mixed[:, :2], other[:, :2])
        torch.testing.assert_close(mixed[:, 2:], own[:, 2:])
        assert made[1, column + 1, 0, 2, 2] == made[0, column + 1, 0, 2, 2]  # the noise of the row's picture


def test_scales_are_those_of_the_paper_at_1024_pixels() -> None:
    """Table of figure 3: coarse 4 to 8, middle 16 to 32, fine 64 to 1024 pixels."""
    sides = [4 * 2 ** (layer // 2) for layer in range(18)]
    assert layers_of("coarse", sides).nonzero().flatten().tolist() == [0, 1, 2, 3]
    assert layers_of("middle", sides).nonzero().flatten().tolist() == [4, 5, 6, 7]
    assert layers_of("fine", sides).nonzero().flatten().tolist() == list(range(8, 18))
    with pytest.raises(LimnerError, match="pictures of 16 pixels have no layers that are fine"):
        layers_of("fine", SIDES)


def test_noise_moves_one_pixel_alone() -> None:
    styles = latents_of("told", Told())
    assert isinstance(styles, Styles)
    rows = noise_variation(styles, [3, 4], 5).unflatten(0, (2, 6))
    deviation = rows[:, 5, 0]
    assert torch.equal(deviation.flatten(1)[:, 8], torch.ones(2))
    assert deviation.flatten(1)[:, :8].abs().max() < 1e-4
    assert told(rows[0, :5]).std(0).max() < 1e-6


def test_directions_are_the_axes_of_variance() -> None:
    """Numbers deviate by 0.1 and 0.02."""
    styles = latents_of("told", Told())
    assert isinstance(styles, Styles)
    found = directions(styles)
    torch.testing.assert_close(found, torch.diag(torch.tensor([0.1, 0.02])), atol=3e-3, rtol=0)
    made = told(through(styles, 9, line_of(styles, 2, 5)))[:, 0]
    expected = styles.of_seed(9) + torch.linspace(-2, 2, 5)[:, None] * found[1]
    torch.testing.assert_close(made, expected)
    with pytest.raises(LimnerError, match="a direction is one from 1 to 2, got 3"):
        line_of(styles, 3, 5)


def through(styles: Styles, seed: int, line: Tensor) -> Tensor:
    """Pictures on a line through the style of a seed."""
    return along(styles, styles.of_seed(seed)[None], styles.noises_of([seed]), line)


def test_a_direction_may_be_a_difference_of_means() -> None:
    styles = latents_of("told", Told())
    assert isinstance(styles, Styles)
    difference = (styles.of_seed(3) + styles.of_seed(7)) / 2 - styles.of_seed(4)
    made = told(through(styles, 9, line_of(styles, "3,7 - 4", 3)))[:, 0]
    torch.testing.assert_close(made, styles.of_seed(9) + torch.tensor([[-1.0], [0.0], [1.0]]) * difference)
    torch.testing.assert_close(line_of(styles, "2", 3), line_of(styles, 2, 3))
    with pytest.raises(
        LimnerError, match=r"a direction is a number, or a difference such as '3,7 - 4', got '3,7 [+] 4'"
    ):
        line_of(styles, "3,7 + 4", 3)


def test_a_line_is_laid_through_the_styles_of_all_layers() -> None:
    styles = latents_of("told", Told())
    assert isinstance(styles, Styles)
    own = torch.stack([styles.of_seed(seed) for seed in range(4)])
    line = line_of(styles, 1, 3)
    made = told(along(styles, own[None], styles.noises_of([1]), line))
    torch.testing.assert_close(made, own + line[:, None])


def test_styles_are_counted_from_the_mean_one_in_deviations() -> None:
    """Numbers deviate by 0.1 and 0.02, together by the root of their mean square."""
    center, deviation = latents_of("told", Told()).unit
    assert torch.equal(center, torch.tensor([0.5, 0.5]))
    assert deviation.item() == pytest.approx(math.sqrt((0.1**2 + 0.02**2) / 2), rel=0.02)


@pytest.fixture
def model(tmp_path: Path) -> str:
    torch.manual_seed(0)
    state = build_product("stylegan", CONFIG).state_dict()
    save_weights(tmp_path / "a.safetensors", state, Header(system="stylegan", config=CONFIG))
    return str(tmp_path / "a.safetensors")


def test_a_stylegan_offers_all_of_it(model: str) -> None:
    assert isinstance(build_product("stylegan", CONFIG), Styled)
    assert generate(model, mix="coarse", count=9).shape == (16, 1, 16, 16)
    assert generate(model, noise_draws=3, count=2).shape == (8, 1, 16, 16)
    assert generate(model, direction=1, count=2, frames=4).shape == (8, 1, 16, 16)
    rows = generate(model, truncation=[0.5, 1.0], count=3)
    assert rows.shape == (6, 1, 16, 16)
    torch.testing.assert_close(rows[3:], generate(model, count=3))
    torch.testing.assert_close(rows[:3], generate(model, count=3, truncation=0.5))
    way = generate(model, interpolate=(1, 4), frames=3)
    torch.testing.assert_close(way[0], generate(model, count=1, seed=1)[0], atol=0.2, rtol=0)


def test_a_traditional_one_has_no_styles(tmp_path: Path) -> None:
    config = CONFIG | {"generator": "traditional"}
    path = tmp_path / "a.safetensors"
    save_weights(path, build_product("stylegan", config).state_dict(), Header(system="stylegan", config=config))
    assert generate(path, count=2).shape == (2, 1, 16, 16)
    with pytest.raises(
        LimnerError, match="has no styles, a stylegan has: leave out mix, noise_draws, direction and space"
    ):
        generate(path, direction=1)


def test_a_normal_latent_is_truncated_by_drawing_again(tmp_path: Path) -> None:
    config = {"num_classes": 2, "side": 32, "base_channels": 2, "latent_channels": 8, "class_channels": 4}
    torch.manual_seed(0)
    product, path = build_product("biggan", config), tmp_path / "a.safetensors"
    save_weights(path, product.state_dict(), Header(system="biggan", config=config))
    near = latents_of("a", product, 0.4).of_seed(3)
    assert near.abs().max() <= 0.4
    assert len(set(near.tolist())) == 8
    assert generate(path, 0, count=3, truncation=0.4).shape == (3, 3, 32, 32)


def test_standing_statistics_are_those_of_truncated_latents(tmp_path: Path) -> None:
    """Batch norms would else divide by the deviations of the beginning, which are 1."""
    config = {"num_classes": 2, "side": 32, "base_channels": 2, "latent_channels": 8, "class_channels": 4}
    torch.manual_seed(0)
    path = tmp_path / "a.safetensors"
    save_weights(path, build_product("biggan", config).state_dict(), Header(system="biggan", config=config))
    plain, standing = generate(path, count=8), generate(path, count=8, truncation=10.0)
    assert not torch.allclose(plain, standing, atol=1e-3)
    torch.testing.assert_close(standing[:2], generate(path, count=2, truncation=10.0))


def test_what_cannot_be_is_refused(model: str) -> None:
    for text, options in (
        ("only one can say what pictures are made: name one of interpolate", {"mix": "coarse", "direction": 1}),
        (
            "only one can say what pictures are made: name one of interpolate",
            {"interpolate": (1, 2), "truncation": [0.1, 1]},
        ),
        ("mix must be one of coarse, middle, fine, got 'course': did you mean coarse", {"mix": "course"}),
        ("truncation must be above 0, got 0: name one as 0.7", {"truncation": 0}),
        ("noise_draws must be a whole number of at least 2, got 1", {"noise_draws": 1}),
        ("a direction is one from 1 to 6, got 7", {"direction": 7}),
    ):
        with pytest.raises(LimnerError, match=text):
            generate(model, **options)


def test_uniform_latents_are_not_truncated(tmp_path: Path) -> None:
    config = {"side": 8, "base_channels": 2, "latent_channels": 4}
    path = tmp_path / "a.safetensors"
    save_weights(path, build_product("dcgan", config).state_dict(), Header(system="dcgan", config=config))
    with pytest.raises(LimnerError, match="takes uniform latents, which are not truncated: leave out truncation"):
        generate(path, truncation=0.5)


def test_the_line_of_a_direction_is_as_long_as_told() -> None:
    styles = latents_of("told", Told())
    assert isinstance(styles, Styles)
    made = told(through(styles, 2, line_of(styles, 1, 3, most=1.0)))[:, 0, 0]
    assert (made[2] - made[0]).item() == pytest.approx(2 * 0.1, rel=0.05)
    assert math.isclose(made[1].item(), styles.of_seed(2)[0].item(), rel_tol=1e-5)
