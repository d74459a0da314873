"""Discriminators of others: each network, written here again by its description, judges as the imported one does."""

import itertools
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from tests.foreign import (
    SAME,
    State,
    affine,
    convolution,
    difference,
    doubled,
    imported,
    imported_file,
    imported_player,
    seen,
)
from tests.foreign_discriminators import (
    patches,
    patches_state,
    pixels,
    pixels_state,
    spade,
    spade_state,
    srgan,
    srgan_state,
)
from torch import Tensor

from limner.errors import LimnerError
from limner.files.weights import read_header
from limner.systems.adversarial.cyclegan import Discriminators

EXACT = 1e-12  # of float64


def pictures(channels: int = 3, side: int = 64) -> Tensor:
    return torch.rand(2, channels, side, side + 16, dtype=torch.float64)


@pytest.mark.parametrize("layers", [1, 3, 5])
@pytest.mark.parametrize("kind", ["instance", "batch"])
def test_the_judges_of_cyclegan(tmp_path: Path, layers: int, kind: str) -> None:
    """Their D_A judges what their G_A makes, pictures of kind B; norms over batches are as in training."""
    states, image = [patches_state(3, layers, kind) for _ in range(2)], pictures(side=96)
    ours = imported_player(tmp_path, *states)
    assert isinstance(ours, Discriminators)
    for mode in (True, False):
        ours.train(mode)
        for domain, state in (("b", states[0]), ("a", states[1])):
            theirs = patches(2 * image - 1, doubled(state), layers, kind)
            with torch.no_grad():
                assert difference(ours.judge(domain, image), theirs) < EXACT  # type: ignore[arg-type]


def test_what_a_file_holds_is_in_its_header(tmp_path: Path) -> None:
    made = imported_file(tmp_path, *[patches_state(3, 2, "instance") for _ in range(2)])
    header = read_header(made.path)
    assert (header.system, header.part, made.format) == ("cyclegan", "discriminator", "cyclegan-patchgan")
    assert (header.config["discriminator_channels"], header.config["discriminator_layers"]) == (4, 2)
    assert any("D_A, which judges what G_A makes" in note for note in made.notes)


def test_a_judge_of_cyclegan_with_statistics_of_old_files_and_a_wrapper(tmp_path: Path) -> None:
    states = [patches_state(3, 3, "instance") for _ in range(2)]
    old = [{f"module.{name}": one for name, one in (state | seen("model.3", 8)).items()} for state in states]
    ours, image = imported_player(tmp_path, *old), pictures()
    with torch.no_grad():
        theirs = patches(2 * image - 1, doubled(states[1]), 3, "instance")
        assert difference(ours.judge("a", image), theirs) < EXACT  # type: ignore[operator]


@pytest.mark.parametrize("layers", [1, 3, 5])
@pytest.mark.parametrize("kind", ["instance", "batch", "seen"])
def test_the_judge_of_pix2pix(tmp_path: Path, layers: int, kind: str) -> None:
    state = patches_state(6, layers, "instance" if kind == "instance" else "batch")
    ours = imported_player(tmp_path, state, settings=("norm=seen",) if kind == "seen" else ())
    source, image = pictures(side=96), pictures(side=96)
    with torch.no_grad():
        theirs = patches(2 * torch.cat([source, image], 1) - 1, doubled(state), layers, kind)
        assert difference(ours(source, image), theirs) < EXACT


@pytest.mark.parametrize("kind", ["instance", "batch"])
def test_the_judge_of_pixels(tmp_path: Path, kind: str) -> None:
    state, source, image = pixels_state(6, kind), pictures(), pictures()
    ours = imported_player(tmp_path, state)
    with torch.no_grad():
        theirs = pixels(2 * torch.cat([source, image], 1) - 1, doubled(state), kind)
        assert difference(ours(source, image), theirs) < EXACT


@pytest.mark.parametrize(
    ("channels", "settings", "given"),
    [
        (4, (), (1, 3)),
        (4, ("in_channels=3", "out_channels=1"), (3, 1)),
        (3, ("in_channels=1", "out_channels=2", "conditional=true"), (1, 2)),
    ],
)
def test_a_judge_of_other_channels(
    tmp_path: Path, channels: int, settings: tuple[str, ...], given: tuple[int, int]
) -> None:
    state = patches_state(channels, 3, "batch")
    ours = imported_player(tmp_path, state, settings=settings, system="pix2pix")
    source, image = (pictures(number) for number in given)
    with torch.no_grad():
        theirs = patches(2 * torch.cat([source, image], 1) - 1, doubled(state), 3, "batch")
        assert difference(ours(source, image), theirs) < EXACT


def test_one_that_does_not_see_what_went_in_is_read_as_that_of_pix2pix(tmp_path: Path) -> None:
    state, image = patches_state(3, 3, "batch"), pictures()
    ours = imported_player(tmp_path, state, system="pix2pix")
    with torch.no_grad():
        theirs = patches(2 * image - 1, doubled(state), 3, "batch")
        assert difference(ours(pictures(), image), theirs) < EXACT


@pytest.mark.parametrize("training", [True, False])
def test_the_judge_of_srgan(tmp_path: Path, training: bool) -> None:
    """It judges pictures in [0, 1]; in training its norms are over batches."""
    state, image = srgan_state(), pictures(side=96)
    ours = imported_player(tmp_path, state).train(training)
    with torch.no_grad():
        theirs = srgan(image, doubled(state), "batch" if training else "seen")
        assert difference(ours(image), theirs) < (EXACT if training else SAME)  # what was seen is of float32


@pytest.mark.parametrize(("known", "scales", "layers"), [(151, 2, 4), (184, 2, 4), (36, 3, 4), (7, 1, 3)])
@pytest.mark.parametrize("training", [True, False])
def test_the_judges_of_spade(tmp_path: Path, known: int, scales: int, layers: int, training: bool) -> None:
    """All maps of all scales; in training the norms of weights take the same step."""
    state = spade_state(known, scales, layers)
    ours = imported_player(tmp_path, state).train(training)
    labels = torch.randint(known, (2, 64, 64))
    condition, image = F.one_hot(labels, known).permute(0, 3, 1, 2).double(), pictures(side=64)[..., :64]
    with torch.no_grad():
        theirs = spade(torch.cat([condition, 2 * image - 1], 1), doubled(state), scales, layers, training=training)
        found = ours(condition, image)
        assert [len(maps) for maps in found] == [len(maps) for maps in theirs] == [layers + 1] * scales
        for one, other in zip(itertools.chain(*found), itertools.chain(*theirs), strict=True):
            assert difference(one, other) < SAME  # u is of float32


@pytest.mark.parametrize(
    ("states", "options", "message"),
    [
        (lambda: [patches_state(3, 3, "instance")], {}, "two play: name both, as in latest_net_D_A.pth latest_net_D_B"),
        (
            lambda: [patches_state(3, 3, "instance"), patches_state(3, 2, "instance")],
            {},
            "foreign1.pth is read as .*, but model.8.weight must be 32x16x4x4, got 1x16x4x4",
        ),
        (lambda: [patches_state(6, 3, "batch")] * 2, {}, "is one file, got 2"),
        (lambda: [patches_state(6, 3, "batch")], {"system": "cyclegan"}, "is of pix2pix-patchgan, not of"),
        (lambda: [patches_state(6, 3, "none")], {}, "neither a bias nor a norm: it was trained with --norm none"),
        (lambda: [patches_state(6, 3, "batch")], {"settings": ("in_channels=1",)}, "must be 4x4x4x4, got 4x6x4x4"),
        (lambda: [patches_state(6, 3, "batch") | affine("model.12", 3)], {}, "cannot be model.12: three places"),
        (lambda: [srgan_state() | convolution("net.28", 1, 1, 1)], {}, "has no place for, such as net.28"),
        (
            lambda: [{**spade_state(12, 2, 4), "discriminator_0.model0.0.weight": torch.zeros(4, 3, 4, 4)}],
            {},
            "judges 3 channels, which are no labels and RGB",
        ),
        (lambda: [spade_state(12, 2, 4) | {"discriminator_1.model2.0.0.weight_u": torch.zeros(3)}], {}, "must be 16"),
    ],
)
def test_what_does_not_fit_is_told(
    tmp_path: Path, states: Callable[[], list[State]], options: dict[str, object], message: str
) -> None:
    with pytest.raises(LimnerError, match=message) as caught:
        imported_player(tmp_path, *states(), **options)  # type: ignore[arg-type]
    assert "\n" not in str(caught.value)


def test_what_makes_pictures_does_not_take_it(tmp_path: Path) -> None:
    with pytest.raises(LimnerError, match="is the discriminator of a pix2pix, which counts in training and makes no"):
        imported(tmp_path, patches_state(6, 3, "batch"))
