"""The two costs of a generator, and how their gradients fare while the discriminator is ahead.

`python -m limner.experiments.generator_costs` draws log(1 - D) and -log D over D, the chance that a fake is taken for
real, and beside it the norms of their gradients in the weights of a generator over a real training: the discriminator
of 25 Gaussians moves so many times before each move of the generator. Goodfellow et al. 2014, arXiv:1406.2661, section
3; Arjovsky and Bottou 2017, arXiv:1701.04862, section 2.2.1. The curves also stand in a .csv beside the drawing.
"""

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple

import torch
import typer

from limner.experiments.command import begin, run_program, tell
from limner.experiments.gaussians import drawn_points, points_game
from limner.experiments.options import Seed, Threads
from limner.experiments.small_games import SmallGame, played
from limner.files.atomic import atomic_path
from limner.losses.adversarial import GameKind, generator_loss
from limner.media.charts import check_matplotlib, svg_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COSTS: Mapping[str, GameKind] = {"log(1 - D)": "minimax", "-log D": "non_saturating"}
_GAMES = {"log(1 - D)": "minimax", "-log D": "non-saturating"}
_FAKES = 256  # by which gradients are measured
_COLOURS = ("#0072B2", "#D55E00")

_Output = Annotated[Path, typer.Option("--output", "-o", metavar="FILE", help="An SVG; one that is there is replaced.")]
_Steps = Annotated[int, typer.Option(min=1, metavar="N", help="Of the generator.")]
_Lead = Annotated[int, typer.Option(min=1, metavar="N", help="Moves of the discriminator before each of these.")]


class Point(NamedTuple):
    """The gradient of a cost in one place of a training.

    Attributes:
        moved_by: The cost that the generator lowers.
        step: Moves made so far.
        real: D, the mean chance that a fake is taken for real.
        minimax: The norm of the gradient of log(1 - D).
        non_saturating: That of -log D.
    """

    moved_by: str
    step: int
    real: float
    minimax: float
    non_saturating: float


def gradient_norm(game: SmallGame, kind: GameKind, seed: int) -> float:
    """Of a cost in the weights of the generator; the fakes depend on the seed alone."""
    weights = list(game.generator.parameters())
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        loss = generator_loss(game.discriminator(game.made(_FAKES)), kind)
    return torch.cat([one.flatten() for one in torch.autograd.grad(loss, weights)]).norm().item()


def taken_for_real(game: SmallGame, seed: int) -> float:
    """The mean of D over fakes."""
    with torch.inference_mode(), torch.random.fork_rng():
        torch.manual_seed(seed)
        return torch.sigmoid(game.discriminator(game.made(_FAKES))).mean().item()


def norms(cost: str, *, steps: int, lead: int, every: int, seed: int) -> list[Point]:
    """Train by one of the costs, and look at the gradients of both on the way."""
    tell(f"{steps} steps by {cost}")
    points: list[Point] = []

    def build() -> SmallGame:
        game = points_game(_GAMES[cost])
        game.lead = lead
        return game

    def look(step: int, game: SmallGame) -> None:
        if step and step % every == 0:
            both = [gradient_norm(game, kind, seed) for kind in COSTS.values()]
            points.append(Point(cost, step, taken_for_real(game, seed), *both))

    played(build, drawn_points, steps=steps + 1, learning_rate=1e-3, seed=seed, look=look)
    return points


def drawing(points: Sequence[Point]) -> "Figure":
    """The costs, and a chart for each training."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(11, 3.6), layout="constrained")
    costs, *trainings = figure.subplots(1, 1 + len(COSTS))
    _draw_costs(costs)
    for axes, cost in zip(trainings, COSTS, strict=True):
        _draw_norms(axes, cost, [one for one in points if one.moved_by == cost])
    return figure


def _draw_costs(axes: "Axes") -> None:
    chance = torch.linspace(0.002, 0.998, 500)
    logits = torch.logit(chance)
    for (name, kind), colour in zip(COSTS.items(), _COLOURS, strict=True):
        cost = [generator_loss(one, kind).item() for one in logits]
        axes.plot(chance.tolist(), cost, label=name, color=colour)
    axes.set(title="What the generator lowers", xlabel="D of a fake", xlim=(0, 1))
    axes.grid(color="#ddd")
    axes.legend(frameon=False)


def _draw_norms(axes: "Axes", cost: str, points: Sequence[Point]) -> None:
    steps = [one.step for one in points]
    both = [one.minimax for one in points], [one.non_saturating for one in points]
    for name, norm, colour in zip(COSTS, both, _COLOURS, strict=True):
        axes.plot(steps, norm, label=f"gradient of {name}", color=colour)
    axes.plot(steps, [one.real for one in points], label="D of a fake", color="#999", linestyle=":")
    axes.set(title=f"Trained by {cost}", xlabel="moves of the generator", yscale="log")
    axes.grid(color="#ddd")
    axes.legend(frameon=False)


def write(output: Path, points: Sequence[Point]) -> None:
    """The drawing, and the curves beside it."""
    with atomic_path(output.with_suffix(".csv")) as temporary, temporary.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(Point._fields)
        writer.writerows(points)
    with atomic_path(output) as temporary:
        temporary.write_text(svg_of(drawing(points)), encoding="utf-8")
    print(output)  # noqa: T201


def main(
    output: _Output = Path("generator_costs.svg"),
    steps: _Steps = 250,
    lead: _Lead = 20,
    every: Annotated[int, typer.Option(min=1, metavar="N", help="Moves from one look to the next.")] = 5,
    seed: Seed = 0,
    threads: Threads = None,
) -> None:
    """Train by either cost, and draw."""
    check_matplotlib()
    begin(threads)
    write(output, [one for cost in COSTS for one in norms(cost, steps=steps, lead=lead, every=every, seed=seed)])


if __name__ == "__main__":
    run_program(main)
