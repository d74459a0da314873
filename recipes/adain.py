"""The embedded `adain`: any style in one pass, its decoder half as wide as the paper's."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from limner.loops.step_report import Watcher
from limner.loops.watch import Terminal
from limner.measure.report import Report
from limner.measure.stylize_like import HELD_OUT, compare, held_out_pairs, pairs_report
from limner.runtime.device import choose_device
from limner.training.recipe import Recipe, Trained, make, train_model
from limner.training.train import is_begun
from limner.verbs.stylize.any_painter import load_adain
from program import Device, Minutes, Resume, Run, Ship, run_recipe

_COPIES = ("starry_night_crop", "starry_night_google", "wave_crop")  # of held-out styles
_WITHOUT = ", ".join(f'"{name}"' for name in (*HELD_OUT, *HELD_OUT.values(), *_COPIES))

RECIPE = Recipe(
    model="adain",
    system="adain",
    preset="modern",
    data="T91 and half of BSD200 as contents; 24 paintings and drawings, each drawn three times as often as each of "
    "89 textures, as styles",
    data_licence="research",
    licence="Apache-2.0 for the weights; the training pictures are licensed for research",
    known_failures="It has seen some hundred styles: fine strokes and large shapes become patches of colour, a style "
    "of strong contrast, such as stained glass, loses its shapes, and smooth parts may show a fine weave.",
    file=Path(__file__),
    settings=(f"data.without=[{_WITHOUT}]",),
)


_OF_INVERSE = 0.15  # of the minutes: codes must be legible before styles can be


def made(
    recipe: Recipe,
    *,
    data: Path,
    styles: Sequence[Path],
    held_out: Mapping[str, str],
    pictures: Sequence[Path],
    minutes: float,
    device: str,
    run: Path,
    resume: bool = False,
    ship: bool = False,
    side: int = 256,
    iterations: int = 300,
    watchers: Sequence[Watcher] = (),
    on_pair: Callable[[int, int], None] | None = None,
) -> Report | None:
    """A decoder that inverts the encoder, and then an AdaIN that begins with it, measured on pairs unseen by it."""
    pairs = held_out_pairs(held_out, pictures, side)
    own = [f"data.styles={json.dumps([str(one.resolve()) for one in styles])}"]
    inverse = run / "inverse" / "inverse.safetensors"
    if not inverse.exists():
        first = train_model(
            replace(recipe, model=inverse.stem, preset="inverse"), data=data, minutes=minutes * _OF_INVERSE,
            device=device, run=inverse.parent, resume=is_begun(inverse.parent), settings=own,
            watchers=[one for one in watchers if isinstance(one, Terminal)],  # a log is of one run
        )  # fmt: skip
        if first is None:
            return None

    def measure(trained: Trained) -> Report:
        kept = run / "gatys.json"
        system = load_adain(str(trained.weights))
        found = compare(system, pairs, iterations=iterations, device=device, kept=kept, on_pair=on_pair)
        return pairs_report("adain", found, side, iterations)

    return make(
        replace(recipe, start_from=str(inverse)), measure, data=data, minutes=minutes * (1 - _OF_INVERSE),
        device=device, run=run, resume=resume and is_begun(run), ship=ship, settings=own, watchers=watchers,
    )  # fmt: skip


def main(
    data: Annotated[Path, typer.Option(help="Folder of training contents.")],
    styles: Annotated[
        list[Path], typer.Option(help="Folder of training styles; repeatable, also to draw its own more often.")
    ],
    held_out: Annotated[list[Path], typer.Option(help="Folder of the pairs that it is measured on; repeatable.")],
    minutes: Minutes = 60.0,
    device: Device = "auto",
    run: Run = None,
    resume: Resume = False,
    ship: Ship = False,
) -> None:
    """Train, measure and write the model."""
    console, folder = Console(stderr=True), run or Path("runs") / RECIPE.model

    def work(watchers: Sequence[Watcher]) -> Report | None:
        return made(
            RECIPE,
            data=data,
            styles=styles,
            held_out=HELD_OUT,
            pictures=held_out,
            minutes=minutes,
            device=str(choose_device(device)),
            run=folder,
            resume=resume,
            ship=ship,
            watchers=watchers,
            on_pair=lambda done, total: console.print(f"measured {done} of {total} pairs", highlight=False),
        )

    run_recipe(folder, work, console)


if __name__ == "__main__":
    typer.run(main)
