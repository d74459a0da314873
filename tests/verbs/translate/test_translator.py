from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from limner.catalog.models import build_product
from limner.data.derived import derived
from limner.errors import LimnerError
from limner.files.picture import Picture
from limner.files.weights import Header, save_weights
from limner.ports import Port
from limner.runtime.run_options import RunOptions
from limner.systems.adversarial.pix2pix import Generator
from limner.verbs.translate.translator import Translator, translated

EXACT = RunOptions(device="cpu", precision="exact")
COLORS = ((255, 0, 0), (0, 255, 0), (10, 20, 200))
LABELS = {"class_names": ("red", "green", "blue"), "class_colors": COLORS}


@pytest.fixture
def translator(tmp_path: Path) -> Any:
    """A translator of a small network with random weights, of a configuration."""

    def of(options: Mapping[str, Any] = MappingProxyType({}), **config: Any) -> Translator:
        torch.manual_seed(0)
        values = {"base_channels": 4, "num_downs": 4, **config}
        save_weights(
            tmp_path / "a.safetensors", build_product("pix2pix", values).state_dict(),
            Header(system="pix2pix", config=values),
        )  # fmt: skip
        return Translator(str(tmp_path / "a.safetensors"), EXACT, **options)

    return of


def seen_by(translator: Translator) -> list[Tensor]:
    """What its network is given, from now on."""
    given: list[Tensor] = []

    def run(source: Tensor, *noise: Tensor) -> Tensor:
        given.append(source)
        return source[:, :3]

    translator.runner = run  # type: ignore[assignment]
    return given


def test_a_size_that_fits_is_left_as_it_is(translator: Any) -> None:
    own, photo = translator(), torch.rand(1, 3, 32, 32)
    assert isinstance(own.runner.system, Generator)
    rng = torch.Generator().manual_seed(0)
    noise = [torch.rand(port.shape(1, 32, 32), generator=rng) for port in own.ports[1:]]
    with torch.no_grad():
        expected = own.runner.system(photo, *noise).clamp(0, 1)
    torch.testing.assert_close(own.translate(photo), expected, atol=1e-6, rtol=1e-5)


def test_other_sizes_are_mirrored_and_cut_again(translator: Any) -> None:
    own = translator()
    given = seen_by(own)
    photo = torch.rand(1, 3, 20, 30)
    assert torch.equal(own.translate(photo), photo)
    assert given[0].shape == (1, 3, 32, 32)
    assert torch.equal(given[0][..., :20, 30:], photo[..., 27:29].flip(-1))


def test_one_pixel_is_translated(translator: Any) -> None:
    assert translator().translate(torch.rand(1, 3, 1, 1)).shape == (1, 3, 1, 1)


def test_labels_become_the_exact_colors_of_their_classes(translator: Any) -> None:
    own = translator(**LABELS)
    given = seen_by(own)
    numbers = np.random.default_rng(0).integers(0, 3, (16, 16))
    exact = torch.tensor(COLORS)[torch.from_numpy(numbers)].permute(2, 0, 1)[None] / 255
    own.translate(exact)
    assert torch.equal(given[-1], exact)
    own.translate(torch.from_numpy(numbers / 255).float().expand(1, 3, -1, -1))
    assert torch.equal(given[-1], exact)
    noisy = (exact + 0.05 * torch.rand_like(exact)).clamp(0, 1)
    own.translate(noisy, lossy=True)
    assert torch.equal(given[-1], exact)
    with pytest.raises(LimnerError, match=r"^a.png: \(.*\) at column \d+, row \d+ is no colour .* nearest is .*, \w+:"):
        own.translate(noisy, "a.png")
    own.nearest = True
    own.translate(noisy, "a.png")
    assert torch.equal(given[-1], exact)


def test_a_number_beyond_the_classes_is_named(translator: Any) -> None:
    numbers = torch.zeros(1, 3, 16, 16)
    numbers[..., 4, 5] = 3 / 255
    with pytest.raises(LimnerError, match=r"a.png: 3 at column 5, row 4 is no class: .* the numbers 0 to 2;"):
        translator(**LABELS).translate(numbers, "a.png")


def test_label_maps_are_given_as_numbers_with_edges(translator: Any) -> None:
    own = translator(**LABELS)
    own.ports = (Port("label", "label_map", 3, multiple=16), Port("edges", "mask", 1))
    found: list[tuple[Tensor, ...]] = []

    def run(*given: Tensor) -> Tensor:
        found.append(given)
        return given[1].expand(-1, 3, -1, -1)

    own.runner = run
    numbers = torch.tensor([[0, 0, 1], [2, 2, 1]]).repeat_interleave(4, 0).repeat_interleave(4, 1)
    made = own.translate(torch.tensor(COLORS)[numbers].permute(2, 0, 1)[None] / 255)
    label, edges = found[0]
    assert label.dtype == torch.int64
    assert torch.equal(label[0, 0, :8, :12], numbers)
    assert (label.shape, made.shape) == ((1, 1, 16, 16), (1, 3, 8, 12))
    assert torch.equal(edges[0, 0, :3, :12].any(0).nonzero().flatten(), torch.tensor([7, 8]))


def test_what_was_derived_in_training_is_derived_again(translator: Any) -> None:
    photo = torch.rand(1, 3, 16, 16)
    own = translator({"derive": True}, derived="edges", in_channels=1)
    given = seen_by(own)
    own.translate(photo)
    assert torch.equal(given[0][0], derived(photo[0], "edges"))
    with pytest.raises(LimnerError, match="has not learnt from pairs that were made of photos"):
        translator({"derive": True})


def test_a_gray_model_is_given_gray(translator: Any) -> None:
    own = translator(derived="gray", in_channels=1)
    given = seen_by(own)
    photo = torch.rand(1, 3, 16, 16)
    own.translate(photo)
    assert torch.equal(given[0][0], derived(photo[0], "gray"))


def test_small_pictures_are_enlarged_first(translator: Any) -> None:
    own = translator(derived="low-resolution")
    assert own.translate(torch.rand(1, 3, 5, 7)).shape == (1, 3, 20, 28)
    assert (own.scale, translator({"derive": True}, derived="low-resolution").scale) == (4, 1)


def test_transparent_holes_are_filled_and_the_rest_stays(translator: Any) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (16, 20, 3), dtype=np.uint8)
    alpha = np.full((16, 20), 255, np.uint8)
    alpha[4:9, 5:12] = 0
    own = translator(derived="mask-holes", in_channels=4)
    made = own.translate_picture(Picture(pixels, alpha))
    assert made.alpha is None
    assert (made.pixels[alpha == 255] == pixels[alpha == 255]).all()
    assert (made.pixels[alpha == 0] != pixels[alpha == 0]).mean() > 0.9
    with pytest.raises(LimnerError, match=r"a\.png has no holes: make what is to be filled transparent"):
        own.translate_picture(Picture(pixels), "a.png")


def test_transparency_is_made_by_a_model_of_four_channels(translator: Any) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (16, 16, 3), dtype=np.uint8)
    own = translator(in_channels=4, out_channels=4)
    made = own.translate_picture(Picture(pixels))
    assert made.alpha is not None
    expected = own.translate(torch.from_numpy(pixels).permute(2, 0, 1)[None] / 255)
    assert np.abs(made.alpha - expected[0, 3].numpy() * 255).max() <= 0.51


def test_another_system_is_refused() -> None:
    with pytest.raises(LimnerError, match="vdsr is a vdsr, for limner upscale, not for translate: name facades"):
        Translator("vdsr")


def test_a_bare_network_translates_too() -> None:
    made = translated(lambda photo: 1 - photo, (Port("photo", "photo", multiple=4),), torch.full((1, 3, 5, 6), 0.25))
    assert torch.equal(made, torch.full((1, 3, 5, 6), 0.75))
