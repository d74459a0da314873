"""How well chairs are shown from views that were not seen, by how many other chairs were learnt from.

`python -m limner.experiments.chair_counts --data RENDERINGS` learns some chairs from few views, beside more and more
chairs from all views, in as many steps each. It writes the table and a sheet of the views in between. Dosovitskiy et
al. 2015, arXiv:1411.5928, tell so whether a network carries over to one chair what it knows from others.

Differs from the paper: a network of 64 pixels, tens of chairs and minutes of training.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated

import torch
import typer
from torch import Tensor

from limner.data.rendered import RenderedConfig, RenderedPictures, on_white
from limner.errors import LimnerError
from limner.experiments.command import begin, finish, run_program, tell
from limner.experiments.fitted import fitted
from limner.experiments.options import Output, Seeds, TableBeside, Threads
from limner.experiments.seeds import column, over_seeds
from limner.experiments.small_segmenters import TrainingSteps, write_report
from limner.measure.report import CASE, Row, Table
from limner.measure.views import views_report
from limner.media.contact_sheet import Panel
from limner.systems.feedforward.chairs import FIT_MODERN, MODERN, Chairs

FEW_VIEWS = 4
"""One azimuth in so many is seen of the chairs that are judged."""
_SHOWN = 8  # views of the sheet

_Data = Annotated[Path, typer.Option(metavar="FOLDER|ZIP", help="Renderings with their meta.json.")]
_Counts = Annotated[str, typer.Option(metavar="LIST", help="Other chairs to learn from, by commas.")]
_Judged = Annotated[int, typer.Option(min=1, metavar="N", help="Chairs that are judged.")]


def only(pictures: RenderedPictures, chosen: Sequence[int]) -> RenderedPictures:
    """Those of the given numbers, in their order; a number may come twice."""
    places = [pictures.places[one] for one in chosen]
    return RenderedPictures(places, pictures.images[list(chosen)], pictures.num_classes, pictures.transformed)


def judged_chairs(num_chairs: int, judged: int) -> list[int]:
    """Numbers of the chairs that are seen from few views, spread over all.

    >>> judged_chairs(10, 2)
    [0, 5]
    """
    return [place * num_chairs // judged for place in range(judged)]


def parts(pictures: RenderedPictures, judged: Sequence[int], count: int) -> tuple[RenderedPictures, RenderedPictures]:
    """What is learnt from, the chairs that are judged being half of it, and the views of these that are not seen.

    Args:
        pictures: All.
        judged: Numbers of the chairs that are judged.
        count: Others to learn from, the first by their number.

    Raises:
        LimnerError: If there are not so many.
    """
    others = [one for one in range(pictures.num_classes) if one not in judged]
    if count > len(others):
        raise LimnerError(f"must name at most {len(others)} other chairs, got {count}: judge fewer, or name fewer")
    azimuths = sorted({place.azimuth for place in pictures.places})
    few, chosen = set(azimuths[::FEW_VIEWS]), set(others[:count])
    own = [index for index, place in enumerate(pictures.places) if place.style in judged]
    seen = [index for index in own if pictures.places[index].azimuth in few]
    beside = [index for index, place in enumerate(pictures.places) if place.style in chosen]
    repeated = seen * max(1, len(beside) // len(seen))
    unseen = [index for index in own if pictures.places[index].azimuth not in few]
    return only(pictures, repeated + beside), only(pictures, unseen)


def trained(pictures: RenderedPictures, *, steps: int, seed: int) -> Chairs:
    """A new network of so many steps.

    Raises:
        typer.Exit: With 1, if it was stopped.
    """
    config = MODERN.model_copy(update={"num_classes": pictures.num_classes})
    training = FIT_MODERN.model_copy(update={"steps": steps, "seed": seed, "ema_decay": None})
    return fitted(lambda: Chairs(config), pictures, training)


def figures(system: Chairs, unseen: RenderedPictures, seen: RenderedPictures) -> dict[str, Mapping[str, float]]:
    """Masked PSNR and IoU of the network, and of the nearest view that was seen."""
    (table,) = views_report(system, unseen, seen).tables
    return {row.method: row.figures for row in table.rows}


@torch.inference_mode()
def views(system: Chairs, unseen: RenderedPictures, shown: Sequence[int]) -> Tensor:
    """(n, 3, h, w): some views on white, as the network shows them."""
    rng = torch.Generator()
    drawn = [unseen.draw(index, rng) for index in shown]
    return on_white(system(*(torch.stack(given) for given in zip(*(one.inputs for one in drawn), strict=True))))


def row(title: str, pictures: Tensor) -> list[Panel]:
    """Of the sheet: the first picture has the title."""
    return [Panel(title if number == 0 else "", one[None]) for number, one in enumerate(pictures)]


def main(
    data: _Data,
    output: Output = Path("chair_counts.png"),
    table: TableBeside = Path("chair_counts.md"),
    counts: _Counts = "0,5,20,76",
    judged: _Judged = 5,
    steps: TrainingSteps = 1500,
    seeds: Seeds = 2,
    threads: Threads = None,
) -> None:
    """Train all networks, and write the table and the sheet."""
    begin(threads)
    pictures = RenderedConfig().load(data)
    chosen = judged_chairs(pictures.num_classes, judged)
    rows: list[Row] = []
    panels: list[Panel] = []
    for count in map(int, counts.split(",")):
        learnt_from, unseen = parts(pictures, chosen, count)
        shown = [place * len(unseen) // _SHOWN for place in range(_SHOWN)]
        systems = [trained(learnt_from, steps=steps, seed=seed) for seed in range(seeds)]
        found = [figures(system, unseen, learnt_from) for system in systems]
        if not rows:
            nearest = over_seeds([one["nearest view"] for one in found])
            rows.append(Row("the nearest view that was seen", "system", nearest))
            panels += row("photo", torch.cat([_photo(unseen, index) for index in shown]))
        rows.append(Row(f"{count} other chairs", "system", over_seeds([one["system"] for one in found])))
        tell(f"{count} other chairs: {rows[-1].figures['masked_psnr']:.2f} dB")
        panels += row(f"{count} other chairs", views(systems[0], unseen, shown))
    columns = (CASE, column("masked PSNR (dB)", "masked_psnr", ".2f"), column("IoU", "iou", ".3f"))
    note = (
        f"{judged} chairs, of which one azimuth in {FEW_VIEWS} was seen, from all others: {steps} steps of "
        f"{FIT_MODERN.batch_size} pictures, mean and deviation of {seeds} trainings."
    )
    made = Table("views that were not seen", note, columns, tuple(rows))
    write_report(table, "Chairs learnt beside others", "Made by `python -m limner.experiments.chair_counts`.", made)
    finish(output, panels, _SHOWN)


def _photo(pictures: RenderedPictures, index: int) -> Tensor:
    drawn = pictures.draw(index, torch.Generator())
    return (drawn.picture + 1 - drawn.mask)[None]


if __name__ == "__main__":
    run_program(main)
