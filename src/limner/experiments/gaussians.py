"""How many modes a game finds, by its loss: 25 Gaussians on a grid, and digits of three colours at once.

`python -m limner.experiments.gaussians --digits SHEET` plays each game with several seeds, and writes for each loss how
many of the modes it found, and which share of its samples is good: a point within three deviations of a centre, or a
picture of which all three digits are read surely. Minimax beside the loss that does not saturate is what Goodfellow et
al. 2014, arXiv:1406.2661, section 3, speak of. The grid is that of Srivastava et al. 2017 (VEEGAN), arXiv:1705.07761,
section 4.1, which also has the digits, of which each colour channel holds one: 1000 modes.

Differs from the paper: the grid goes from -1 to 1, the networks are small, and a training takes seconds.
"""

from collections.abc import Callable, Mapping
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Annotated, NamedTuple

import torch
import typer
from jaxtyping import Float, Int
from torch import Tensor, nn

from limner.data.labelled import LabelledConfig, LabelledPictures
from limner.experiments.command import begin, run_program, tell
from limner.experiments.options import Seeds, Threads
from limner.experiments.seeds import column, over_seeds
from limner.experiments.small_games import GAMES, SmallGame, game_of, played
from limner.experiments.small_segmenters import TableFile, write_report
from limner.measure.classifier import Classifier, trained_classifier
from limner.measure.report import CASE, Row, Table

CENTRES = torch.cartesian_prod(torch.linspace(-1, 1, 5), torch.linspace(-1, 1, 5))
DEVIATION = 1 / 80
"""A fortieth of what lies between two centres."""
_GOOD = 3  # deviations from a centre
_POINTS, _BATCH_OF_POINTS, _POINT_RATE, _POINT_PENALTY = 2500, 256, 5e-4, 1.0
_POINT_LATENT, _POINT_UNITS = 2, 128

SIDE = 16
"""Of digits, in pixels."""
_SURE = 0.9  # chance of a digit, as the classifier tells
_PICTURES, _BATCH_OF_PICTURES, _PICTURE_RATE, _PICTURE_PENALTY = 5000, 64, 4e-4, 10.0
_PICTURE_LATENT, _WIDTHS = 64, (64, 32)

_Digits = Annotated[
    Path | None, typer.Option(metavar="FILE|FOLDER", help="Digits: a sheet of ten classes in order, or idx files.")
]
_Tile = Annotated[int, typer.Option(min=4, metavar="N", help="Side of a digit on a sheet, in pixels.")]
_Steps = Annotated[int, typer.Option(min=1, metavar="N", help="Of the generator.")]


class Modes(NamedTuple):
    """What was found.

    Attributes:
        found: How many modes have a good sample at least.
        good: The share of good samples, in [0, 1].
    """

    found: int
    good: float


def point_modes(points: Float[Tensor, "n 2"]) -> Modes:
    """Points near a centre are good."""
    distance, nearest = torch.cdist(points, CENTRES).min(1)
    good = distance <= _GOOD * DEVIATION
    return Modes(len(nearest[good].unique()), good.float().mean().item())


def digit_modes(pictures: Float[Tensor, "n 3 h w"], reader: Classifier) -> Modes:
    """Pictures of which each channel is surely a digit are good."""
    with torch.inference_mode():
        sure, digit = reader(pictures.flatten(0, 1)[:, None]).softmax(1).max(1)
    good = (sure > _SURE).unflatten(0, (-1, 3)).all(1)
    numbers = digit.unflatten(0, (-1, 3)) @ torch.tensor([100, 10, 1])
    return Modes(len(numbers[good].unique()), good.float().mean().item())


def drawn_points(rng: torch.Generator) -> Float[Tensor, "n 2"]:
    """A batch of the 25 Gaussians."""
    which = torch.randint(len(CENTRES), (_BATCH_OF_POINTS,), generator=rng)
    return CENTRES[which] + DEVIATION * torch.randn(_BATCH_OF_POINTS, 2, generator=rng)


def drawn_digits(digits: LabelledPictures, rng: torch.Generator) -> Float[Tensor, "n 3 h w"]:
    """A batch of pictures, a digit in each channel, in [0, 1]."""
    which: Int[Tensor, "n 3"] = torch.randint(len(digits), (_BATCH_OF_PICTURES, 3), generator=rng)
    return digits.images[which, 0] / 255


def points_game(name: str) -> SmallGame:
    """Layers without neighbours."""
    generator = _perceptron(_POINT_LATENT, _POINT_UNITS, _POINT_UNITS, _POINT_UNITS, 2)
    judge = _perceptron(2, _POINT_UNITS, _POINT_UNITS, _POINT_UNITS, 1)
    return SmallGame(generator, judge, _POINT_LATENT, game_of(name, penalty=_POINT_PENALTY))


def digits_game(name: str) -> SmallGame:
    """A small DCGAN; its discriminator has no norm, for a gradient penalty is of each picture alone."""
    first, second = _WIDTHS
    generator = nn.Sequential(
        nn.Linear(_PICTURE_LATENT, first * (SIDE // 4) ** 2), nn.Unflatten(1, (first, SIDE // 4, SIDE // 4)),
        nn.BatchNorm2d(first), nn.ReLU(), nn.ConvTranspose2d(first, second, 4, 2, 1),
        nn.BatchNorm2d(second), nn.ReLU(), nn.ConvTranspose2d(second, 3, 4, 2, 1), nn.Sigmoid(),
    )  # fmt: skip
    judge = nn.Sequential(
        nn.Conv2d(3, second, 4, 2, 1), nn.LeakyReLU(0.2), nn.Conv2d(second, first, 4, 2, 1), nn.LeakyReLU(0.2),
        nn.Flatten(), nn.Linear(first * (SIDE // 4) ** 2, 1),
    )  # fmt: skip
    return SmallGame(generator, judge, _PICTURE_LATENT, game_of(name, penalty=_PICTURE_PENALTY))


def _perceptron(*units: int) -> nn.Sequential:
    layers = [layer for pair in pairwise(units) for layer in (nn.Linear(*pair), nn.ReLU())]
    return nn.Sequential(*layers[:-1])


def rows(
    what: str, train: Callable[[str, int], SmallGame], judge: Callable[[SmallGame], Modes], seeds: int
) -> list[Row]:
    """A row for each loss: the mean over seeds, and its deviation."""
    found = []
    for name in GAMES:
        results: list[Mapping[str, float]] = []
        for seed in range(seeds):
            modes = judge(train(name, seed))
            tell(f"{what}, {name}, seed {seed}: {modes.found} modes, {modes.good:.1%} good")
            results.append({"found": modes.found, "good": 100 * modes.good})
        found.append(Row(name, "system", over_seeds(results)))
    return found


def table(name: str, note: str, found: list[Row]) -> Table:
    """Modes and good samples by loss."""
    columns = (CASE, column("modes found", "found", ".1f"), column("good samples, %", "good", ".1f"))
    return Table(name, note, columns, tuple(found))


def of_points(steps: int, seeds: int) -> Table:
    """The table of the 25 Gaussians."""

    def train(name: str, seed: int) -> SmallGame:
        return played(partial(points_game, name), drawn_points, steps=steps, learning_rate=_POINT_RATE, seed=seed)

    def judge(game: SmallGame) -> Modes:
        with torch.inference_mode():
            return point_modes(game.made(_POINTS))

    note = f"{steps} steps of {_BATCH_OF_POINTS} points; judged by {_POINTS}."
    return table("25 Gaussians", note, rows("25 Gaussians", train, judge, seeds))


def of_digits(digits: LabelledPictures, steps: int, seeds: int) -> Table:
    """The table of the 1000 pictures of three digits."""
    reader, draw = trained_classifier(digits), partial(drawn_digits, digits)

    def train(name: str, seed: int) -> SmallGame:
        return played(partial(digits_game, name), draw, steps=steps, learning_rate=_PICTURE_RATE, seed=seed)

    def judge(game: SmallGame) -> Modes:
        with torch.inference_mode():
            return digit_modes(game.made(_PICTURES), reader)

    real = digit_modes(torch.cat([draw(torch.Generator().manual_seed(k)) for k in range(_PICTURES // 64)]), reader)
    note = (
        f"{steps} steps of {_BATCH_OF_PICTURES} pictures of {SIDE}x{SIDE}; judged by {_PICTURES}. Of as many real ones "
        f"{real.found} modes are found, and {real.good:.1%} are read surely."
    )
    return table("digits of three colours", note, rows("digits of three colours", train, judge, seeds))


def main(
    output: TableFile = Path("gaussians.md"),
    digits: _Digits = None,
    tile: _Tile = 20,
    steps: _Steps = 4000,
    digit_steps: _Steps = 2000,
    seeds: Seeds = 3,
    threads: Threads = None,
) -> None:
    """Play all games, and write the tables; that of digits where these are named."""
    begin(threads)
    tables = [of_points(steps, seeds)]
    if digits is not None:
        config = LabelledConfig(side=SIDE, tile=tile if digits.is_file() else None, colours="gray")
        tables.append(of_digits(config.load(digits), digit_steps, seeds))
    summary = f"Made by `python -m limner.experiments.gaussians`: mean and deviation of {seeds} trainings."
    write_report(output, "Modes that games find, by their loss", summary, *tables)


if __name__ == "__main__":
    run_program(main)
