from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image as PillowImage
from rich.console import Console
from torch import nn

from limner.data.unpaired import UnpairedConfig
from limner.errors import TrainingStopped
from limner.loops.game_watch import GameWatch
from limner.loops.picture_looks import difference
from limner.loops.watch import Terminal
from limner.systems.adversarial.cyclegan import CycleGAN, CycleGANConfig
from limner.training.notes import NOTES_FILE, health_watch
from limner.training.train import forget, plan, train

SMALL = [
    "base_channels=2", "num_blocks=1", "discriminator_channels=4", "discriminator_layers=1", "data.resize=16",
    "data.patch=16", "fit.batch_size=1", "fit.precision=float32", "fit.ema_decay=null",
]  # fmt: skip


@pytest.fixture
def both(place: Path) -> Path:
    for name, bright in (("A", 0), ("B", 255)):
        (place / "both" / name).mkdir(parents=True)
        for number in range(4):
            coarse = np.random.default_rng(number).integers(0, 200, (4, 4, 3), dtype=np.uint8)
            picture = PillowImage.fromarray(np.abs(bright - coarse.astype(int)).astype(np.uint8))
            picture.resize((16, 16), PillowImage.Resampling.NEAREST).save(place / "both" / name / f"{number}.png")
    return place / "both"


def test_a_real_run_whose_discriminator_runs_away_tells_so_within_500_steps(both: Path) -> None:
    """The generators do not move, as good as."""
    players = 'fit.players={"generator": {"learning_rate": 1e-9}, "discriminator": {"learning_rate": 0.02}}'
    goal = plan("cyclegan", both, steps=250, assignments=[*SMALL, players, "fit.schedule.kind=constant"])
    console = Console(record=True, width=1000)
    train(goal, Path("run"), watchers=[Terminal(console)])
    notes = (Path("run") / NOTES_FILE).read_text().splitlines()
    assert any("/adversarial_" in line and "has been below 0.01 for 100 steps" in line for line in notes)
    assert f"note: {notes[0]}" in console.export_text()
    forget(Path("run"))
    assert not (Path("run") / NOTES_FILE).exists()


def test_pictures_are_compared_with_real_ones(both: Path) -> None:
    system = CycleGAN(CycleGANConfig(base_channels=2, num_blocks=1, discriminator_channels=2))
    with torch.no_grad():
        for parameter in system.parameters():
            parameter.zero_()
    samples = UnpairedConfig(resize=16, patch=16).load(both)
    (watch,) = (one for one in health_watch(system, samples, both, print) if isinstance(one, GameWatch))
    with torch.no_grad():
        found = watch.draw(system)
    assert difference(found.made) == 0  # all gray
    drawn = [torch.from_numpy(np.array(PillowImage.open(both / "B" / f"{n}.png"))) / 255 for n in range(4)]
    apart = [float((one - other).abs().mean()) for i, one in enumerate(drawn) for other in drawn[i + 1 :]]
    assert min(apart) / 2 < difference(found.real) < 1.5 * max(apart)


def test_a_system_of_one_player_plays_no_game(both: Path) -> None:
    class Alone(nn.Module):
        @property
        def players(self) -> dict[str, nn.Module]:
            return {"network": self}

    watches = health_watch(Alone(), UnpairedConfig(resize=16, patch=16).load(both), both, print)
    assert not [one for one in watches if isinstance(one, GameWatch)]


def test_why_a_run_stopped_is_noted(both: Path) -> None:
    goal = plan("cyclegan", both, steps=50, assignments=[*SMALL, "fit.optimizer.learning_rate=1e30"])
    with pytest.raises(TrainingStopped) as stopped:
        train(goal, Path("run"))
    assert (Path("run") / NOTES_FILE).read_text().splitlines()[-1] == str(stopped.value)


def test_training_says_what_is_wrong_with_its_data(both: Path, drawn: Callable[..., Path]) -> None:
    (both / "B" / "again.png").write_bytes((both / "B" / "0.png").read_bytes())
    drawn(both / "A" / "gray.png", 16, 16, "L")
    console = Console(record=True, width=1000)
    goal = plan("cyclegan", both, steps=1, assignments=SMALL)
    train(goal, Path("run"), watchers=[Terminal(console)])
    said = [line for line in console.export_text().splitlines() if line.startswith("note: ")]
    assert said[:4] == [
        "note: there are 5 pictures of A to learn from: networks learn few pictures by heart; add some",
        "note: there are 5 pictures of B to learn from: networks learn few pictures by heart; add some",
        "note: 1 picture is there more than once: keep one of each",
        "note: 1 picture is gray where the others are colour: make all gray or not",
    ]
    assert (Path("run") / NOTES_FILE).read_text().splitlines()[:4] == [line.removeprefix("note: ") for line in said[:4]]
