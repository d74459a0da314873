"""How far the pictures that a system makes of one label map differ, by what it is given beside the map.

`python -m limner.experiments.translation_noise --data FACADES` trains small networks of one budget: pix2pix with its
dropout, with normal noise beside the map instead, and with neither, where only the other pictures of the batch change
its statistics; CRN with several choices; SPADE with a style vector. It writes a table of how far pictures of one map
and several seeds lie apart, one of how near they are to the true photos, and a sheet. Isola et al. 2017,
arXiv:1611.07004, section 3.2, saw little stochasticity; Chen and Koltun 2017, arXiv:1707.09405, section 3.3, and Park
et al. 2019, arXiv:1903.07291, section 3, are answers to it.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Literal

import torch
import typer
from torch import Tensor, nn

from limner.data.label_maps import LabelledPhotos, LabelMapsConfig
from limner.data.pairs import LabelPairs
from limner.data.sampler import Samples
from limner.experiments.command import begin, finish, run_program, tell
from limner.experiments.fitted import fitted
from limner.experiments.options import Output, Seed, TableBeside, Threads
from limner.experiments.small_segmenters import TrainingSteps, write_report
from limner.loops.fit import FitConfig
from limner.measure.translation import Sample, translation_diversity, translation_report, translation_samples
from limner.media.contact_sheet import Panel
from limner.ports import Ported
from limner.systems.adversarial import pix2pix, spade
from limner.systems.feedforward import crn
from limner.tasks.draw_inputs import with_drawn

PIX2PIX = pix2pix.Pix2PixConfig(base_channels=16, num_downs=5, discriminator_channels=16)
CRN = crn.CRNConfig(channels=(96, 96, 96, 64, 48), choices=4)
SPADE = spade.MODERN.model_copy(
    update={"base_channels": 6, "hidden_channels": 16, "encoder_channels": 8, "encoder_side": 64, "latent_channels": 32}
)
_DROPOUT, _NORMAL, _COMPANY = "pix2pix, dropout at work", "pix2pix, normal noise", "pix2pix, statistics of a batch"
_CHOICES, _STYLE = "CRN, choices", "SPADE, style vector"
METHODS = (_DROPOUT, _NORMAL, _COMPANY, _CHOICES, _STYLE)
_SHOWN = 3  # label maps of the sheet

Made = Callable[[Sample, int], Tensor]
"""From a sample and a seed to a picture."""

_Data = Annotated[Path, typer.Option(metavar="FOLDER", help="Label maps and photos, in train and val.")]
_Half = Annotated[
    Literal["left", "right"] | None, typer.Option(help="Half of each picture that is the map.", show_default="folders")
]
_Set = Annotated[
    list[str] | None, typer.Option("--set", metavar="NAME=VALUE", help="Of the data, as for limner train. Repeatable.")
]
_Side = Annotated[int, typer.Option(min=64, metavar="N", help="Of the pictures, in pixels, 32 times a number.")]
_Seeds = Annotated[int, typer.Option(min=2, max=CRN.choices, metavar="N", help="Pictures of each map.")]
_Limit = Annotated[int, typer.Option(min=1, metavar="N", help="Maps that are judged.")]


def by_noise(system: nn.Module, sample: Sample, seed: int) -> Tensor:
    """The seed draws all that a system is given beside the map."""
    assert isinstance(system, Ported)
    rng = torch.Generator().manual_seed(seed)
    return _run(system, *with_drawn(system.inputs, sample.given, number=1, rng=rng))


def by_company(system: nn.Module, others: Sequence[Sample], sample: Sample, seed: int) -> Tensor:
    """The seed chooses the other map of the batch; what is drawn stays."""
    assert isinstance(system, Ported)
    given = torch.cat([sample.given[0], others[seed % len(others)].given[0]])
    drawn = with_drawn(system.inputs, [given], number=2, rng=torch.Generator().manual_seed(0))
    return _run(system, *drawn)[:1]


def by_choice(system: nn.Module, sample: Sample, seed: int) -> Tensor:
    """The seed is the number of the choice."""
    with torch.inference_mode():
        made: Tensor = system(*sample.given)[seed]
    return made.float().clamp(0, 1)


def _run(system: nn.Module, *given: Tensor) -> Tensor:
    with torch.inference_mode():
        made: Tensor = system(*given)
    return made.float().clamp(0, 1)


def trained(build: Callable[[], nn.Module], samples: Samples, config: FitConfig, *, steps: int, seed: int) -> nn.Module:
    """A new network of so many steps.

    Raises:
        typer.Exit: With 1, if it was stopped.
    """
    changes: dict[str, Any] = {"steps": steps, "batch_size": 1, "seed": seed, "ema_decay": None}
    return fitted(build, samples, config.model_copy(update=changes))


def methods(
    maps: LabelledPhotos, num_classes: int, others: Sequence[Sample], *, steps: int, seed: int
) -> dict[str, Made]:
    """All systems, trained alike; those of pix2pix see maps in their colours."""
    pairs, colours = LabelPairs(maps), partial(coloured, maps)

    def learnt(update: Mapping[str, Any]) -> nn.Module:
        config = PIX2PIX.model_copy(update=dict(update))
        tell(f"{steps} steps of pix2pix {dict(update)}")
        return trained(lambda: pix2pix.Pix2Pix(config), pairs, pix2pix.FIT_MODERN, steps=steps, seed=seed)

    plain = learnt({"dropout": 0.0})
    found: dict[str, Made] = {
        _DROPOUT: _of_coloured(partial(by_noise, learnt({})), colours),
        _NORMAL: _of_coloured(partial(by_noise, learnt({"dropout": 0.0, "latent_channels": 8})), colours),
        _COMPANY: _of_coloured(partial(by_company, plain, [colours(one) for one in others]), colours),
    }
    known = {"num_classes": num_classes}
    tell(f"{steps} steps of CRN")
    several = trained(lambda: crn.CRN(CRN.model_copy(update=known)), maps, crn.FIT_MODERN, steps=steps, seed=seed)
    tell(f"{steps} steps of SPADE")
    game = trained(
        lambda: spade.SPADEGame(SPADE.model_copy(update=known)), maps, spade.FIT_MODERN, steps=steps, seed=seed
    )
    return found | {_CHOICES: partial(by_choice, several), _STYLE: partial(by_noise, game)}


def coloured(maps: LabelledPhotos, sample: Sample) -> Sample:
    """The same with the map as a picture."""
    return sample._replace(given=(maps.shown(sample.given[0][0])[None],))


def _of_coloured(made: Made, colours: Callable[[Sample], Sample]) -> Made:
    return lambda sample, seed: made(colours(sample), seed)


def panels_of(maps: LabelledPhotos, made: Mapping[str, Made], samples: Sequence[Sample], seeds: int) -> list[Panel]:
    """A row for each system and map: the map, then the pictures of the seeds."""
    panels = []
    for sample in samples[:_SHOWN]:
        for name, one in made.items():
            panels.append(Panel(name, coloured(maps, sample).given[0]))
            panels += [Panel(f"seed {seed}", one(sample, seed)) for seed in range(seeds)]
    return panels


def main(
    data: _Data,
    output: Output = Path("translation_noise.jpg"),
    table: TableBeside = Path("translation_noise.md"),
    label_half: _Half = None,
    settings: _Set = None,
    side: _Side = 64,
    steps: TrainingSteps = 400,
    seeds: _Seeds = 4,
    limit: _Limit = 20,
    seed: Seed = 0,
    threads: Threads = None,
) -> None:
    """Train all networks, and write the tables and the sheet."""
    begin(threads)
    config = LabelMapsConfig(label_half=label_half, height=side, width=side, jitter=side // 8).override(settings or [])
    classes = config.classes(data / "train").classes
    if config.label_half or config.meaning == "colors":  # not every picture shows all of them
        config = config.model_copy(update={"colors": tuple(one.color for one in classes)})
    maps, samples = config.load(data / "train"), translation_samples(config, data / "val", side)
    made = methods(maps, len(classes), samples[:seeds], steps=steps, seed=seed)
    judged = samples[seeds:][:limit] or samples
    apart = translation_diversity(made, judged, seeds=seeds)
    near = translation_report({name: partial(_first, one) for name, one in made.items()}, judged)
    summary = f"Made by `python -m limner.experiments.translation_noise`: {steps} steps of each network."
    write_report(table, "Pictures of one label map", summary, apart, *near.tables)
    finish(output, panels_of(maps, made, judged, seeds), 1 + seeds)


def _first(made: Made, sample: Sample) -> Tensor:
    return made(sample, 0)


if __name__ == "__main__":
    run_program(main)
