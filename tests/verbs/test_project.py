"""Photos stand beside their projections, of the best class, whether there is an encoder or not."""

from pathlib import Path

import pytest
import torch
from PIL import Image as PillowImage

import limner
from limner.catalog.models import build_product, load
from limner.errors import LimnerError
from limner.files.weights import Header, save_weights
from limner.systems.optimize.projection import USUAL, Projected, ProjectionConfig
from limner.verbs import generate as verbs_generate
from limner.verbs import styles as verbs_styles
from limner.verbs.latents import Latents
from limner.verbs.project import projected, projections
from limner.verbs.styles import Styles, edited, latents_of, line_of

CONFIG = {"num_classes": 3, "side": 8, "class_units": 8, "joint_units": 8}


def saved(folder: Path, name: str, config: dict, factor: float = 1.0) -> str:
    torch.manual_seed(0)
    state = build_product(name, config).state_dict()
    state = {key: factor * value if key.endswith("weight") else value for key, value in state.items()}
    save_weights(folder / f"{name}.safetensors", state, Header(system=name, config=config))
    return str(folder / f"{name}.safetensors")


def photo(folder: Path, image: torch.Tensor) -> Path:
    PillowImage.fromarray((255 * image[0]).round().byte().numpy()).save(folder / "photo.png")
    return folder / "photo.png"


@pytest.mark.parametrize(
    ("name", "config", "factor"),
    [("conditional-gan", CONFIG, 5.0), ("vae", {"side": 8, "latent_channels": 3, "hidden_units": 9}, 60.0)],
)
def test_a_made_picture_is_met(tmp_path: Path, name: str, config: dict, factor: float) -> None:
    model = saved(tmp_path, name, config, factor)
    made = limner.generate(model, None if name == "vae" else 2, count=1, seed=77)
    both = limner.generate(model, project=photo(tmp_path, made[0]))
    assert both.shape == (2, 1, 8, 8)
    torch.testing.assert_close(both[:1], made, atol=0.003, rtol=0)
    others = limner.generate(model, count=12)
    assert (both[1] - both[0]).square().mean() < 0.5 * (others - both[0]).square().mean((1, 2, 3)).min()


def test_a_run_is_reproducible_and_leaves_weights_as_they_are(tmp_path: Path) -> None:
    model = saved(tmp_path, "conditional-gan", CONFIG)
    place = photo(tmp_path, torch.rand(1, 8, 8))
    one, other = (limner.generate(model, [0], project=[place], seed=3) for _ in range(2))
    assert torch.equal(one, other)
    assert not torch.equal(one[1], limner.generate(model, [0], project=[place], seed=9)[1])


def test_photos_that_cannot_be_read_are_told(tmp_path: Path) -> None:
    model = saved(tmp_path, "conditional-gan", CONFIG)
    with pytest.raises(LimnerError, match=r"nowhere\.png"):
        limner.generate(model, project=tmp_path / "nowhere.png")
    assert load(model)


STYLES = {
    "side": 16, "channels": 1, "latent_channels": 6, "mapping_layers": 1, "channels_at_64": 4, "most_channels": 8,
    "growth": {"phase_share": 0},
}  # fmt: skip


def styled(folder: Path) -> tuple[str, Styles]:
    """A network of styles whose pictures differ, and that one's styles."""
    torch.manual_seed(0)
    product = build_product("stylegan", STYLES)
    with torch.no_grad():
        for name, parameter in product.named_parameters():
            if name.startswith("pictures"):
                parameter.mul_(0.3)  # or most pixels are black or white
    product.center.copy_(product.mapping(torch.randn(500, 6)).mean(0))  # type: ignore[operator,union-attr]
    save_weights(folder / "s.safetensors", product.state_dict(), Header(system="stylegan", config=STYLES))
    styles = latents_of("s", load(str(folder / "s.safetensors"))[0])
    assert isinstance(styles, Styles)
    return str(folder / "s.safetensors"), styles


FEW = ProjectionConfig(optimize=USUAL.optimize.model_copy(update={"steps": 50}))


def test_the_style_of_a_made_picture_is_found_again(tmp_path: Path) -> None:
    """It was sought in z by latents that were styles already, which began far away and ended in no picture like it."""
    _, styles = styled(tmp_path)
    true, noises = styles.of_seed(77), styles.noises_of([0])
    found = projected(styles, styles.pictures_of(true[None], noises)[0], config=FEW)
    assert found.error < 1e-3
    torch.testing.assert_close(styles.pictures_of(found.latent[None], noises)[0], found.picture)
    assert (found.latent - true).norm() < 0.5 * min((styles.of_seed(seed) - true).norm() for seed in range(4))


def test_a_style_for_each_layer_is_nearer_than_one_for_all(tmp_path: Path) -> None:
    _, styles = styled(tmp_path)
    mixed = torch.stack([styles.of_seed(3), styles.of_seed(50)])[torch.tensor([0, 0, 1, 1, 0, 0])]
    picture = styles.pictures_of(mixed[None], styles.noises_of([0]))[0]
    alone, each = (projected(styles, picture, num_layers=number, config=FEW) for number in (None, 6))
    assert (alone.latent.shape, each.latent.shape) == ((6,), (6, 6))
    assert each.error < 0.5 * alone.error


def test_a_photo_is_changed_along_a_line(tmp_path: Path) -> None:
    _, styles = styled(tmp_path)
    place = photo(tmp_path, styles.pictures_of(styles.of_seed(9)[None], styles.noises_of([0]))[0])
    row = edited(styles, [place], line_of(styles, 1, 5), num_layers=6, config=FEW)
    assert row.shape == (6, 1, 16, 16)
    torch.testing.assert_close(row[[0, 3]], projections(styles, [place], None, num_layers=6, config=FEW))
    assert (row[1] - row[5]).abs().mean() > 0.02


def test_pictures_stand_for_their_styles(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Here the first numbers of a picture are the style that is found for it."""

    def told(styles: Styles, picture: torch.Tensor, **options: object) -> Projected:
        return Projected(0, picture.flatten()[:6], picture, 0.0)

    monkeypatch.setattr(verbs_styles, "projected", told)
    model, styles = styled(tmp_path)
    (tmp_path / "two").mkdir()
    for gray in (0.2, 0.6):
        photo(tmp_path, torch.full((1, 16, 16), gray)).rename(tmp_path / "two" / f"{gray}.png")
    torch.testing.assert_close(styles.of(tmp_path / "two"), torch.full((6,), 0.4), atol=1e-3, rtol=0)
    made = limner.generate(model, count=1, seed=4, direction=f"{tmp_path / 'two'} - 5", frames=3)
    end = styles.of_seed(4) + 0.4 - styles.of_seed(5)
    torch.testing.assert_close(made[2:], styles.pictures_of(end[None], styles.noises_of([4])), atol=1e-3, rtol=0)


def test_spaces_are_named(tmp_path: Path) -> None:
    model, _ = styled(tmp_path)
    place = photo(tmp_path, torch.rand(1, 16, 16))
    with pytest.raises(LimnerError, match=r"a direction is one of styles, got space z: pass w or w[+]"):
        limner.generate(model, project=place, space="z", direction=1)
    with pytest.raises(LimnerError, match=r"space must be one of z, w, w[+], got 'w2'"):
        limner.generate(model, project=place, space="w2")
    model = saved(tmp_path, "conditional-gan", CONFIG)
    with pytest.raises(LimnerError, match="has no styles, a stylegan has: leave out mix"):
        limner.generate(model, project=place, space="w+")


@pytest.mark.parametrize("space", [None, "z"])
def test_without_a_word_the_styles_are_sought(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, space: str | None
) -> None:
    model, _ = styled(tmp_path)
    sought: list[object] = []

    def told(latents: Latents, photos: object, labels: object, **options: object) -> torch.Tensor:
        sought.append(latents)
        return torch.zeros(2, 1, 16, 16)

    monkeypatch.setattr(verbs_generate, "projections", told)
    limner.generate(model, project=photo(tmp_path, torch.rand(1, 16, 16)), space=space)
    assert isinstance(sought[0], Styles) == (space is None)
