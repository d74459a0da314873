"""Training that begins with both players of somebody's game, and what is said where they do not fit."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from tests.foreign import State, imported_file
from tests.foreign_discriminators import patches, patches_state, spade, spade_state, srgan, srgan_state
from tests.importers.test_translators import resnet_state, unet_state
from torch import Tensor, nn

from limner.catalog.models import find, load, load_for_training
from limner.data.label_maps import LabelMapped
from limner.data.pairs import Pair
from limner.data.unpaired import Unpaired
from limner.errors import LimnerError
from limner.loops.checkpoint import load_state
from limner.loops.fit import STATE_FILE
from limner.training.beginning import begin_with
from limner.training.train import plan, read_plan, train
from limner.types import Progress

SMALL = {
    "cyclegan": ("base_channels=4", "num_blocks=6", "discriminator_channels=4", "discriminator_layers=3"),
    "pix2pix": ("base_channels=4", "num_downs=5", "discriminator_channels=4", "noisy_layers=[]"),
    "srgan": ("crop=16", "discriminator_channels=4", "dense=6", "discriminator_range=unit", "content=mse",
              "generator.num_blocks=1", "generator.channels=4"),
    "spade": ("num_classes=12", "base_channels=2", "hidden_channels=4", "discriminator_channels=4",
              "perceptual_weight=0"),
}  # fmt: skip
STATES = {
    "cyclegan": lambda: [patches_state(3, 3, "instance") for _ in range(2)],
    "pix2pix": lambda: [patches_state(6, 3, "batch")],
    "srgan": lambda: [srgan_state()],
    "spade": lambda: [spade_state(12, 2, 4)],
}


def in_folder(folder: Path, name: str, *states: State, **options: Any) -> str:
    """A weight file of Limner of a foreign one."""
    (folder / name).mkdir()
    return str(imported_file(folder / name, *states, **options).path)


def begun(system: str, *models: str, settings: Sequence[str] = ()) -> Any:
    """A game that begins with some models."""
    entry = find(system)
    config = entry.presets["paper"].config.override([*SMALL.get(system, ()), *settings])
    game: nn.Module = entry.system(config)
    begin_with(models, entry, game, config.model_dump())
    return game


def first_losses(game: Any, batch: Any) -> dict[str, Tensor]:
    """Those of the discriminator's first move."""
    turn = next(iter(game.turns(batch, Progress(0, 0.0))))
    assert turn.player == "discriminator"
    return dict(turn.losses)


def picture(channels: int = 3) -> Tensor:
    return torch.rand(2, channels, 64, 64)


def same(ours: Tensor, theirs: Tensor) -> None:
    torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=0)


def least_squares(real: Tensor, fake: Tensor) -> Tensor:
    return ((real - 1).square().mean() + fake.square().mean()) / 2


def test_the_first_loss_of_cyclegans_judges_is_theirs(tmp_path: Path) -> None:
    """With the generators of the same game; D_A judges pictures of kind B."""
    there, back = (resnet_state(6, "instance", dropout=False) for _ in range(2))
    judges = STATES["cyclegan"]()
    files = [in_folder(tmp_path, "g", there, back), in_folder(tmp_path, "d", *judges)]
    game, a, b = begun("cyclegan", *files), picture(), picture()
    fake_b, _, fake_a, _ = game(a, b)
    losses = first_losses(game, Unpaired(a, b))
    for domain, state, real, fake in (("b", judges[0], b, fake_b), ("a", judges[1], a, fake_a)):
        judged = (patches(2 * one - 1, state, 3, "instance") for one in (real, fake))
        same(losses[f"adversarial_{domain}"], least_squares(*judged))
    network = load(files[0])[0]
    for name, tensor in network.state_dict().items():
        assert torch.equal(game.generator.state_dict()[name], tensor)


def test_the_first_loss_of_a_cyclegan_with_norms_over_batches_is_theirs(tmp_path: Path) -> None:
    """Of real pictures and of fake ones alone."""
    judges = [patches_state(3, 3, "batch") for _ in range(2)]
    game = begun("cyclegan", in_folder(tmp_path, "d", *judges), settings=("discriminator_norm=batch",))
    a, b = picture(), picture()
    fake_b = game(a, b)[0]
    judged = (patches(2 * one - 1, judges[0], 3, "batch") for one in (b, fake_b))
    same(first_losses(game, Unpaired(a, b))["adversarial_b"], least_squares(*judged))


def log_loss(real: Tensor, fake: Tensor) -> Tensor:
    return F.softplus(-real).mean() + F.softplus(fake).mean()


def test_the_first_loss_of_pix2pixs_judge_is_theirs(tmp_path: Path) -> None:
    state = STATES["pix2pix"]()[0]
    generator = in_folder(tmp_path, "g", unet_state(5, "batch"))
    game = begun("pix2pix", generator, in_folder(tmp_path, "d", state))
    source, target = picture(), picture()
    fake = game.generator(source)
    judged = (patches(2 * torch.cat([source, one], 1) - 1, state, 3, "batch") for one in (target, fake))
    same(first_losses(game, Pair(source, target))["adversarial"], log_loss(*judged) / 2)


def test_the_first_loss_of_srgans_judge_is_theirs(tmp_path: Path) -> None:
    state = srgan_state()
    game = begun("srgan", in_folder(tmp_path, "d", state)).train()
    source = picture()[..., :16, :16]
    target, fake = picture(), game.generator(source)
    judged = (srgan(one, state, "batch") for one in (target, fake))
    same(first_losses(game, Pair(source, target))["adversarial"], log_loss(*judged))


def test_the_first_loss_of_spades_judges_is_theirs(tmp_path: Path) -> None:
    state = spade_state(12, 2, 4)
    game = begun("spade", in_folder(tmp_path, "d", state)).eval()  # where no norm takes a step between two looks
    label, photo = torch.randint(12, (2, 1, 64, 64)), picture()
    condition = F.one_hot(label[:, 0], 12).permute(0, 3, 1, 2).float()
    fake = game.generator(label)
    judged = [spade(torch.cat([condition, 2 * one - 1], 1), state, 2, 4) for one in (photo, fake)]
    hinges = [F.relu(1 - one[-1]).mean() + F.relu(1 + other[-1]).mean() for one, other in zip(*judged, strict=True)]
    same(first_losses(game, LabelMapped(label, photo[:, :0], photo))["adversarial"], torch.stack(hinges).mean())


def test_training_begins_with_exactly_those_weights(pictures: Path, tmp_path: Path) -> None:
    """Through a run of one step whose rate is next to nothing, and of the discriminator alone."""
    judge = in_folder(tmp_path, "d", srgan_state())
    still = [
        *SMALL["srgan"], "data.patch=16", "fit.batch_size=2", "fit.ema_decay=null",
        "fit.optimizer.learning_rate=1e-30",
    ]  # fmt: skip
    goal = plan("srgan", pictures, preset="paper", assignments=still, steps=1, start_from=[judge])
    assert goal.start_from == (judge,)
    train(goal, tmp_path / "run")
    trained = load_state(tmp_path / "run" / STATE_FILE)["system"]
    for name, tensor in load_for_training(judge)[0].named_parameters():
        assert torch.equal(trained[f"discriminator.{name}"], tensor)
    assert read_plan(tmp_path / "run").start_from == (judge,)


def test_plans_of_old_name_one_model_or_none(pictures: Path, tmp_path: Path) -> None:
    for told, expected in (("srresnet", ("srresnet",)), (None, ()), (["srresnet", "a"], ("srresnet", "a"))):
        values = json.loads(plan("srgan", pictures).model_dump_json()) | {"start_from": told}
        (tmp_path / "plan.json").write_text(json.dumps(values))
        assert read_plan(tmp_path).start_from == expected


@pytest.mark.parametrize(
    ("system", "settings", "files", "message"),
    [
        (
            "pix2pix", ("discriminator_channels=8", "norm=instance"), ["pix2pix"],
            "pass --set discriminator_channels=4 --set norm=batch, or name another --start-from",
        ),
        ("pix2pix", ("in_channels=1",), ["pix2pix"], "layers.0.weight must be 4x4x4x4, got 4x6x4x4: .* other channels"),
        ("pix2pix", ("adversarial_weight=0",), ["pix2pix"], "and this training has none: leave it out"),
        ("pix2pix", (), ["pix2pix", "pix2pix"], "are both a discriminator: name one of them"),
        ("pix2pix", (), ["pix2pix", "cyclegan"], "are both a discriminator: name one of them"),
        ("pix2pix", (), ["cyclegan"], "of a cyclegan, and goes on with limner train cyclegan alone, got pix2pix"),
        ("vdsr", (), ["pix2pix"], "of a pix2pix, and goes on with limner train pix2pix alone, got vdsr"),
        ("srgan", ("crop=32", "discriminator_range=signed"), ["srgan"],
         "has another crop 32, discriminator_range signed: pass --set crop=16 --set discriminator_range=unit"),
        ("srgan", (), ["srresnet", "srresnet"], "are both what is used after training"),
        ("spade", ("num_classes=13",), ["spade"], "must be 4x16x4x4, got 4x15x4x4: .* channels or classes"),
    ],
)  # fmt: skip
def test_players_that_do_not_fit_are_told_in_one_line(
    tmp_path: Path, system: str, settings: tuple[str, ...], files: list[str], message: str
) -> None:
    paths = {
        name: in_folder(tmp_path, name, *STATES[name]()) if name in STATES else name for name in dict.fromkeys(files)
    }
    entry = find(system)
    small = SMALL.get(system, ())
    config = list(entry.presets.values())[-1].config.override([*small, *settings])
    with pytest.raises(LimnerError, match=message) as caught:
        begin_with([paths[name] for name in files], entry, entry.system(config), config.model_dump())
    assert "\n" not in str(caught.value)
