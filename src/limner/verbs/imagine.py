"""`imagine`: what a channel, a neuron or a class of a network looks for."""

from os import PathLike
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import nn

from limner.arguments import check_path, check_seed, check_size, check_steps, check_word, shown
from limner.catalog.optimized import ACTIVATION_MAXIMISATION
from limner.errors import LimnerError, did_you_mean
from limner.features.imagenet_classes import class_names, find_class
from limner.features.squeezenet import LAYERS, SqueezeNet, class_scores
from limner.features.vgg16 import EMBEDDED, VGG, layer_names, read_weights
from limner.files.image import Picture, write_image
from limner.loops.optimize import Optimized, RunControl, Watch
from limner.loops.priors import PRIORS, Prior
from limner.media.any_picture import check_sheet, picture_of
from limner.runtime.memory import check_memory
from limner.runtime.run_options import RunOptions
from limner.systems.optimize import activation as system
from limner.systems.optimize.activation import ActivationConfig, Unit
from limner.tasks.look_inside import IMAGINE
from limner.types import Image, Precision

_CLASSES = "conv10"
_FIRES = tuple(layer for layer in LAYERS if layer.startswith("fire"))
_PROBE = 64  # pixels of a side of the picture that tells how many channels a layer has


class Subject(NamedTuple):
    """What is imagined: a unit, the layers that must be computed for it, and of which network.

    Attributes:
        label: Such as `relu4_3:12` or `goldfish`.
        unit: Of the network.
        is_class: Whether it is a class of SqueezeNet.
        network: Gives the unit's layer.
    """

    label: str
    unit: Unit
    is_class: bool
    network: nn.Module


def find_subject(
    name: str,
    *,
    neuron: bool = False,
    features: Path | None = None,
    options: RunOptions = RunOptions(),
) -> Subject:
    """What a name stands for.

    Args:
        name: `relu4_3:12` is channel 12 of that layer of VGG, `fire9:12` of SqueezeNet; `class:goldfish` and
            `class:1` are a class of ImageNet, of SqueezeNet.
        neuron: Mean the place in the middle alone.
        features: A file of weights of VGG-16 or VGG-19; None takes the embedded ones.
        options: How the network is run.

    Raises:
        LimnerError: If there is no such layer, channel or class; near names are given.
    """
    if not isinstance(name, str):
        raise LimnerError(
            f"what is imagined is named as in relu4_3:12 or class:goldfish, got {shown(name)}: name it so"
        )
    layer, colon, rest = (part.strip() for part in name.partition(":"))
    device, precision = options.chosen_device, options.chosen_precision
    if layer == "class" and rest:
        number = find_class(rest)
        classifier = SqueezeNet([_CLASSES], precision=precision, device=device)
        return Subject(class_names()[number], Unit(_CLASSES, number, neuron), True, classifier)
    known = _layers(features)
    if layer not in known or not colon:
        raise LimnerError(_no_such(name, layer, known))
    computed, network = _network_of(layer, features, precision, device)
    channels = _channels(network, computed)
    if not rest.isdecimal() or int(rest) >= channels:
        raise LimnerError(f"{layer} has channels 0 to {channels - 1}, got {rest!r}: name one, as in {layer}:0")
    return Subject(f"{layer}:{int(rest)}", Unit(computed, int(rest), neuron), False, network)


def _network_of(layer: str, features: Path | None, precision: Precision, device: torch.device) -> tuple[str, nn.Module]:
    """What gives a layer, and what is asked of it.

    A ReLU that is shut everywhere has no gradient: what comes before it is the same unit, and has one.
    """
    if layer in _FIRES:
        return layer, SqueezeNet([layer], precision=precision, device=device)
    computed = layer.replace("relu", "conv")
    return computed, VGG([computed], weights=features, precision=precision, device=device)


def _layers(features: Path | None) -> list[str]:
    of_vgg = layer_names([one for one, _, _ in read_weights(EMBEDDED if features is None else features).convolutions])
    return [*of_vgg, *_FIRES]


def _no_such(name: str, layer: str, known: list[str]) -> str:
    if layer in known:
        return f"a channel of {layer} must be named, as in {layer}:0, got {name!r}"
    mend = did_you_mean(layer, known, "take LAYER:CHANNEL, as in relu4_1:0, or class:NAME")
    return f"no layer is called {layer!r}: {mend}"


def _channels(network: nn.Module, layer: str) -> int:
    with torch.inference_mode():
        return int(network(torch.zeros(1, 3, _PROBE, _PROBE, device=next(network.buffers()).device))[layer].shape[1])


def preset(prior: Prior = "fourier", *, is_class: bool = False, quick: bool = False) -> ActivationConfig:
    """The configuration that is meant where none is given.

    Args:
        prior: What keeps the picture natural.
        is_class: Whether it is a class that is imagined.
        quick: Whether a first look is enough.
    """
    config = (
        system.FOURIER_OF_A_CLASS
        if is_class and prior == "fourier"
        else ACTIVATION_MAXIMISATION.configs(IMAGINE)[prior]
    )
    if not quick:
        return config
    steps, rate = system.QUICK_STEPS[prior], 2 * config.optimize.learning_rate
    return config.model_copy(
        update={"optimize": config.optimize.model_copy(update={"steps": steps, "learning_rate": rate})}
    )


def imagine(
    name: str,
    *,
    output: str | PathLike[str] | None = None,
    size: int | tuple[int, int] = 512,
    neuron: bool = False,
    prior: Prior = "fourier",
    quick: bool = False,
    config: ActivationConfig | None = None,
    features: str | PathLike[str] | None = None,
    device: str = "auto",
    precision: Precision = "fast",
    seed: int = 0,
    steps: int | None = None,
    watch: Watch | None = None,
    quality: int | None = None,
    overwrite: bool = False,
) -> Image:
    """A picture that a unit of a network answers to as strongly as it can, made from noise: RGB (1, 3, h, w) in [0, 1].

    Args:
        name: Such as `relu4_3:12`, `fire9:12`, `class:goldfish` or `class:1`: see `find_subject`.
        output: Where to write it, too.
        size: Of both sides, or height and width, in pixels.
        neuron: Let the place in the middle answer, and not all places.
        prior: `fourier`, `tv` or `dip`: what keeps the picture natural.
        quick: Take fewer steps, for a first look.
        config: Instead of `prior` and `quick`.
        features: A file of weights of VGG-16 or VGG-19; None takes the embedded ones.
        device: `auto`, `cpu`, `cuda` or `mps`.
        precision: `fast` or `exact`.
        seed: Of all that is random.
        steps: Instead of the usual number.
        watch: Called after each step; a true answer ends the run.
        quality: Of JPEG, WebP and AVIF, 1 to 100; None takes the usual.
        overwrite: Replace an existing output.

    Raises:
        LimnerError: If there is no such layer, channel or class, the picture is too small for the layer, or the output
            is there already.

    Example:
        >>> limner.imagine("class:goldfish", output="goldfish.png").shape  # doctest: +SKIP
        torch.Size([1, 3, 512, 512])
    """
    check_word("prior", prior, PRIORS)
    check_seed(seed)
    check_steps(steps)
    if features is not None:
        check_path("features", features)
    check_size(size)
    both = (size, size) if isinstance(size, int) else size
    check_memory(*both)
    check_sheet(output, quality=quality, overwrite=overwrite)
    options = RunOptions(device=device, precision=precision)
    place = None if features is None else Path(features)
    subject = find_subject(name, neuron=neuron, features=place, options=options)
    config = (config or preset(prior, is_class=subject.is_class, quick=quick)).with_steps(steps)
    image = imagine_subject(subject, both, config, options=options, seed=seed, control=RunControl(watch)).image.cpu()
    if output is not None:
        write_image(output, picture_of(image, blank(both)), quality=quality, overwrite=overwrite)
    return image


def imagine_subject(
    subject: Subject,
    size: tuple[int, int],
    config: ActivationConfig,
    *,
    options: RunOptions = RunOptions(),
    seed: int = 0,
    control: RunControl = RunControl(),
) -> Optimized:
    """The run behind `imagine`, to be stopped and resumed."""
    return system.imagine(
        subject.network,
        subject.unit,
        size,
        config,
        device=options.chosen_device,
        precision=options.precision,
        seed=seed,
        control=control,
    )


def blank(size: tuple[int, int]) -> Picture:
    """A black picture of 8 bits and no metadata."""
    return Picture(np.zeros((*size, 3), np.uint8))


def recognize(image: Image) -> tuple[str, float]:
    """The class that SqueezeNet takes a picture for, and how sure it is, in [0, 1]."""
    with torch.inference_mode():
        probabilities = class_scores(SqueezeNet([_CLASSES])(image)[_CLASSES]).softmax(1)
    sure, number = probabilities[0].max(0)
    return class_names()[int(number)], float(sure)
