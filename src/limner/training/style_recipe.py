"""Recipes of style transfer and texture: train, measure beside what optimisation comes to, write weights and card."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from limner.catalog.models import load
from limner.data.folder import find_images
from limner.errors import LimnerError
from limner.files.image import read_image, to_tensor
from limner.loops.fit import Watcher
from limner.loops.watch import Terminal
from limner.measure.adain import Pair, PairFigures, compare, means
from limner.measure.fast_style import StyleFigures, figures_of
from limner.measure.report import Machine
from limner.measure.texture import ADAM, objective, optimise, sample_loss
from limner.systems.feedforward.fast_style import FastStyle
from limner.training.recipe import Recipe, Trained, document_model, train_model
from limner.training.train import is_begun
from limner.verbs.stylize.adain_painter import load_adain
from limner.verbs.stylize.named_styles import style_picture
from limner.verbs.texture import load_network

_OF_INVERSE = 0.15  # of the minutes of an AdaIN: codes must be legible before styles can be
OnPair = Callable[[int, int], None]


def make_adain(
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
    on_pair: OnPair | None = None,
) -> str | None:
    """Train an AdaIN and measure it on pairs that it has not seen.

    Args:
        recipe: What to make; `data.without` in its settings must name the held-out styles.
        data: Folder of contents.
        styles: Folders of styles.
        held_out: Contents to styles, by the names of their files without endings.
        pictures: Folders where these are.
        minutes: Training time over all resumptions.
        device: A torch device.
        run: Folder of the run; it keeps what the optimisation came to, too.
        resume: Go on with the run in that folder.
        ship: Copy weights and card into the package.
        side: Of the measured pairs, in pixels.
        iterations: Of the optimisation that it is measured beside.
        watchers: Told of every step.
        on_pair: Told after each measured pair.

    Returns:
        The report as Markdown; None if training was stopped by a signal (resume it).

    Raises:
        LimnerError: If a picture is missing, or the run is of another plan.
    """
    pairs = held_out_pairs(held_out, pictures, side)
    own = [f"data.styles={json.dumps([str(one.resolve()) for one in styles])}"]
    seen = [one for one in watchers if isinstance(one, Terminal)]  # a log is of one run
    decoder = _inverse(
        recipe, data, minutes=minutes * _OF_INVERSE, device=device, run=run / "inverse", settings=own, watchers=seen
    )
    if decoder is None:
        return None
    trained = train_model(
        replace(recipe, start_from=str(decoder)), data=data, minutes=minutes * (1 - _OF_INVERSE), device=device,
        run=run, resume=resume and is_begun(run), settings=own, watchers=watchers,
    )  # fmt: skip
    if trained is None:
        return None
    system = load_adain(str(trained.weights))
    kept = run / "gatys.json"
    found = compare(system, pairs, iterations=iterations, device=device, kept=kept, on_pair=on_pair)
    text = adain_report(found, side, iterations)
    document_model(recipe, trained, Machine.here(), _adain_metrics(found, side), text, ship=ship)
    return text


def _inverse(
    recipe: Recipe,
    data: Path,
    *,
    minutes: float,
    device: str,
    run: Path,
    settings: Sequence[str],
    watchers: Sequence[Watcher],
) -> Path | None:
    """A decoder that inverts the encoder, trained where it is not there yet; None if training was stopped."""
    weights = run / "inverse.safetensors"
    if weights.exists():
        return weights
    first = replace(recipe, model=weights.stem, preset="inverse")
    trained = train_model(
        first, data=data, minutes=minutes, device=device, run=run, resume=is_begun(run), settings=settings,
        watchers=watchers,
    )  # fmt: skip
    return trained and trained.weights


def held_out_pairs(held_out: Mapping[str, str], folders: Sequence[Path], side: int) -> list[Pair]:
    """The pairs by the names of their files.

    Raises:
        LimnerError: If a picture is missing.
    """
    paths = {path.stem: path for folder in folders for path in find_images(folder)}
    if missing := [name for pair in held_out.items() for name in pair if name not in paths]:
        raise LimnerError(f"the folders of held-out pictures lack {', '.join(missing)}: name one that holds them too")
    return [Pair.read(paths[content], paths[style], side) for content, style in held_out.items()]


def adain_report(found: Sequence[PairFigures], side: int, iterations: int) -> str:
    """A table of the losses of every pair, and their means."""
    mean = means(found)
    lines = [
        f"# AdaIN beside {iterations} iterations of Gatys et al., {len(found)} held-out pairs at {side}x{side}",
        "",
        "Losses in VGG-16: content is the mean square distance of relu4_1, style equation 13 of arXiv:1703.06868.",
        "",
        "| content | style | style loss: photo | AdaIN | Gatys | content loss: AdaIN | Gatys |",
        "|---|---|---|---|---|---|---|",
    ]
    for one in found:
        last = one.gatys[-1].losses
        lines.append(
            f"| {one.content} | {one.style} | {one.photo.style:.3f} | {one.adain.style:.3f} | {last.style:.3f} "
            f"| {one.adain.content:.3f} | {last.content:.3f} |"
        )
    lines.append(
        f"| mean |  | {mean.photo.style:.3f} | {mean.adain.style:.3f} | {mean.gatys.style:.3f} "
        f"| {mean.adain.content:.3f} | {mean.gatys.content:.3f} |"
    )
    lines += [
        "",
        f"Style loss {mean.style_ratio:.2f} times, content loss {mean.content_ratio:.2f} times that of Gatys.",
    ]
    return "\n".join(lines) + "\n"


def _adain_metrics(found: Sequence[PairFigures], side: int) -> dict[str, dict[str, dict[str, float]]]:
    mean = means(found)
    figures = {
        "content": mean.adain.content,
        "style": mean.adain.style,
        "gatys_content": mean.gatys.content,
        "gatys_style": mean.gatys.style,
        "photo_style": mean.photo.style,
    }
    rounded = {name: float(f"{value:.4g}") for name, value in figures.items()}
    return {"held-out pairs beside Gatys": {f"{len(found)} pairs at {side}": rounded}}


def make_fast_style(
    recipe: Recipe,
    *,
    data: Path,
    styles: Sequence[str],
    photos: Sequence[Path],
    minutes: float,
    device: str,
    run: Path,
    resume: bool = False,
    ship: bool = False,
    side: int = 256,
    watchers: Sequence[Watcher] = (),
) -> str | None:
    """Train a network of many styles and measure each.

    Args:
        recipe: What to make.
        data: Folder of photos.
        styles: Names of those that come with Limner.
        photos: That each style is measured on, none of them among `data`.
        minutes: Training time over all resumptions.
        device: A torch device.
        run: Folder of the run.
        resume: Go on with the run in that folder.
        ship: Copy weights and card into the package.
        side: Of the measured photos, in pixels.
        watchers: Told of every step.

    Returns:
        The report as Markdown; None if training was stopped by a signal (resume it).
    """
    pictures = [str(style_picture(name).resolve()) for name in styles]
    own = [f"styles={json.dumps(list(styles))}", f"data.styles={json.dumps(pictures)}"]
    trained = train_model(
        recipe, data=data, minutes=minutes, device=device, run=run, resume=resume, settings=own, watchers=watchers
    )
    if trained is None:
        return None
    network = load(str(trained.weights))[0]
    assert isinstance(network, FastStyle)
    found = figures_of(network, photos, side)
    text = fast_style_report(found, len(photos), side)
    metrics = {
        f"style and content losses, {len(photos)} photos at {side}": {
            name: {key: float(f"{value:.4g}") for key, value in one.model_dump().items()} for name, one in found.items()
        }
    }
    document_model(recipe, trained, Machine.here(), metrics, text, ship=ship)
    return text


def fast_style_report(found: Mapping[str, StyleFigures], num_photos: int, side: int) -> str:
    """A table of the losses of every style."""
    lines = [
        f"# Styles in one pass, means of {num_photos} photos at {side}x{side}",
        "",
        "Losses in VGG-16, each layer divided by that of a blank picture.",
        "",
        "| style | style loss: photo | painting | content loss |",
        "|---|---|---|---|",
    ]
    lines += [
        f"| {name} | {one.photo_style:.3f} | {one.style:.3f} | {one.content:.3f} |" for name, one in found.items()
    ]
    return "\n".join(lines) + "\n"


def make_texture_network(
    recipe: Recipe,
    *,
    picture: Path,
    minutes: float,
    device: str,
    run: Path,
    resume: bool = False,
    ship: bool = False,
    steps: int = 300,
    watchers: Sequence[Watcher] = (),
) -> str | None:
    """Train a network of one texture and measure its samples.

    Args:
        recipe: What to make.
        picture: Of the texture.
        minutes: Training time over all resumptions.
        device: A torch device.
        run: Folder of the run.
        resume: Go on with the run in that folder.
        ship: Copy weights and card into the package.
        steps: Of the optimisation that it is measured beside.
        watchers: Told of every step.

    Returns:
        The report as Markdown; None if training was stopped by a signal (resume it).
    """
    trained = train_model(
        recipe, data=picture, minutes=minutes, device=device, run=run, resume=resume, watchers=watchers
    )
    if trained is None:
        return None
    side, figures = _texture_figures(trained, picture, device, steps)
    text = (
        f"# {recipe.model}: samples of {side}x{side}\n\n"
        f"Texture loss {figures['loss']:.4g}, mean of 8 samples; {figures['optimised_loss']:.4g} after "
        f"{steps} steps of Adam on the pixels, {figures['noise_loss']:.4g} where these begin.\n"
    )
    metrics = {"texture loss": {f"samples at {side}": figures}}
    document_model(recipe, trained, Machine.here(), metrics, text, ship=ship)
    return text


def _texture_figures(trained: Trained, picture: Path, device: str, steps: int) -> tuple[int, dict[str, float]]:
    network = load_network(str(trained.weights)).to(device)
    side = int(trained.goal.data["patch"])
    source = to_tensor(read_image(picture)).to(device)
    judge = objective(network, source)
    found = optimise(judge, source, (side, side), ADAM.model_copy(update={"steps": steps}))
    figures = {
        "loss": sample_loss(network, judge, (side, side)),
        "optimised_loss": found[-1].loss,
        "noise_loss": found[0].loss,
    }
    return side, {name: float(f"{value:.4g}") for name, value in figures.items()}
