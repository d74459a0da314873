"""The work of `limner imagine`."""

from typing import Any

import typer

from limner.cli.commands.imagine import Options
from limner.cli.errors import say
from limner.cli.work.dry_run import show
from limner.cli.work.growing_picture import GrowingPicture
from limner.cli.work.one_picture import place_of_one
from limner.errors import LimnerError
from limner.features.vgg16 import VGG
from limner.files.image import write_image
from limner.loops.optimize import Optimized, Progress, RunControl
from limner.media.contact_sheet import Panel, contact_sheet
from limner.runtime.memory import check_memory
from limner.verbs.imagine import Subject, blank, find_subject, imagine_subject, preset, recognize


def run(options: Options) -> None:
    """Make the picture, or the sheet of pictures, and say where it lies.

    Raises:
        LimnerError: If a unit or an option does not fit.
        typer.Exit: With 1, if it was stopped.
    """
    if len(options.units) > 1 and options.resume:
        raise LimnerError("--resume goes on with one picture, and a sheet has several: imagine them one by one")
    subjects = [
        find_subject(unit, neuron=options.neuron, features=options.features, options=options.run_options())
        for unit in options.units
    ]
    if options.features is not None and not any(isinstance(subject.network, VGG) for subject in subjects):
        raise LimnerError(
            f"--features are of VGG, and {options.units[0]} is of SqueezeNet: leave them out, or name a layer of VGG"
        )
    name = "imagined" if len(subjects) > 1 else _file_name(subjects[0].label)
    target = place_of_one(name, options, output=options.output, force=options.force or options.resume)
    if options.dry_run:
        show([(", ".join(one.label for one in subjects), target)], as_json=options.as_json)
        return
    check_memory(options.size, options.size)
    options.run_options().prepare_process()
    target.parent.mkdir(parents=True, exist_ok=True)
    growing = GrowingPicture(target, blank((options.size, options.size)), options)
    with growing:
        results = _results(options, subjects, growing)
    panels = [Panel(one.label, result.image.cpu()) for one, result in zip(subjects, results, strict=False)]
    facts = [_facts_of(subject, panel) for subject, panel in zip(subjects, panels, strict=False)]
    sheet = contact_sheet(panels, options.columns) if len(subjects) > 1 else None
    if sheet is not None and results[-1].reason == "stopped":
        write_image(growing.target, sheet, quality=options.quality, overwrite=True)
        say(f"stopped: {growing.target} shows {len(panels)} of {len(subjects)} units, the last as far as it came")
        raise typer.Exit(1)
    growing.finish(results[-1]._replace(step=sum(result.step for result in results)), sheet, units=facts)


def _results(options: Options, subjects: list[Subject], growing: GrowingPicture) -> list[Optimized]:
    """Of each unit in turn, up to one that was stopped."""
    configs = [
        preset(options.prior, is_class=subject.is_class, quick=options.quick)
        .with_steps(options.steps)
        .override(options.assignments)
        for subject in subjects
    ]
    total, results = sum(config.optimize.steps for config in configs), list[Optimized]()
    for subject, config in zip(subjects, configs, strict=True):
        done = sum(result.step for result in results)

        def watch(progress: Progress, done: int = done) -> None:
            growing.watch(progress._replace(step=done + progress.step, steps=total))

        result = imagine_subject(
            subject,
            (options.size, options.size),
            config,
            options=options.run_options(),
            seed=options.seed,
            control=RunControl(watch, growing.state if len(subjects) == 1 else None, options.resume),
        )
        results.append(result)
        if result.reason == "stopped":
            break
    return results


def _facts_of(subject: Subject, panel: Panel) -> dict[str, Any]:
    """For JSON; of a class also what SqueezeNet takes the picture for."""
    facts: dict[str, Any] = {"unit": subject.label}
    if subject.is_class:
        name, sure = recognize(panel.image)
        facts |= {"recognized": name, "probability": round(sure, 4)}
    return facts


def _file_name(label: str) -> str:
    """A unit's label as the name of a file."""
    return "".join(one if one.isalnum() or one in "-_" else "_" for one in label)
