"""What a generator is worth: how like real pictures its own are, how many kinds there are, and whether they are copies.

Parzen windows as in table 1 of Mirza and Osindero 2014, arXiv:1411.1784: samples of all classes, sigma by validation.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor

from limner.data.labelled import LabelledPictures
from limner.features.vgg16 import VGG
from limner.measure.classifier import trained_classifier
from limner.measure.report import CASE, METHOD, Report, Row, Table, figure
from limner.metrics.distributions import NEIGHBOURS, frechet_distance, kernel_distance, mean_distance, prdc
from limner.metrics.parzen import best_sigma, parzen_log_likelihood
from limner.ops.resample import imresize
from limner.types import OnProgress
from limner.verbs.generate import generate

SIGMAS = tuple(10 ** (-1 + number / 10) for number in range(11))  # 0.1 to 1

LAYER = "relu4_3"
FEATURES = f"vgg16-{LAYER}"
"""Of what distances are: the mean over all places of that layer of the embedded VGG-16."""

_WHITE = 255  # of what VGG-16 is given; features grow with it
_LEAST_SIDE = 64  # that smaller pictures are enlarged to, in pixels
_AT_ONCE = 50


class Made(NamedTuple):
    """What a model made.

    Attributes:
        model: Its name.
        images: In [0, 1].
        asked: The class of each; None where the model knows none.
    """

    model: str
    images: Float[Tensor, "n c h w"]
    asked: Int[Tensor, " n"] | None


def made_by(model: str, count: int, num_classes: int | None, *, device: str = "cpu") -> Made:
    """So many pictures of a model, in turn of all its classes where it knows any."""
    classes = None if num_classes is None else range(num_classes)
    images = generate(model, classes, count=count, device=device)
    return Made(model, images, None if num_classes is None else torch.arange(count) % num_classes)


@torch.inference_mode()
def vgg_features(images: Float[Tensor, "n c h w"], *, device: str = "cpu") -> Float[Tensor, "n 512"]:
    """Pictures in [0, 1] -> `FEATURES` / 255: in 8 bits, gray as three channels, small ones enlarged to 64 pixels."""
    vgg, found = VGG([LAYER], device=device), []
    for some in ((images * 255).round() / 255).expand(-1, 3, -1, -1).split(_AT_ONCE):
        small = min(some.shape[-2:]) < _LEAST_SIDE
        sized = imresize(some, size=(_LEAST_SIDE, _LEAST_SIDE)).clamp(0, 1) if small else some
        found.append(vgg(sized.to(device))[LAYER].float().mean((2, 3)).cpu() / _WHITE)
    return torch.cat(found)


def evaluate_generation(
    made: Sequence[Made],
    real: LabelledPictures,
    *,
    training: LabelledPictures | None = None,
    device: str = "cpu",
    on_step: OnProgress = lambda done, total: None,
) -> Report:
    """Measure models against pictures that they have not seen.

    Args:
        made: By each model, as many as there are real ones or fewer.
        real: Of their channels and side.
        training: What they have learnt from: whether they copy it is measured, too.
        device: A torch device.
        on_step: Called after each model.
    """
    known = vgg_features(_unit(real), device=device)
    learnt = None if training is None else vgg_features(_unit(training), device=device)
    likeness, copies = list[Row](), list[Row]()
    if learnt is not None:
        likeness.append(likeness_row("training pictures", learnt, known))
    for number, one in enumerate(made):
        features = vgg_features(one.images, device=device)
        likeness.append(likeness_row(one.model, features, known))
        if learnt is not None:
            copies.append(_nearness(one.model, features, learnt))
        on_step(number + 1, len(made))
    tables = [_likeness_table(likeness)]
    if learnt is not None:
        tables.append(_copies_table([_nearness("real pictures", known, learnt), *copies]))
    if any(one.asked is not None for one in made) and int(real.labels.max()):
        tables.append(_classes_table(made, real, training or real))
    return Report.here("Pictures from chance", *tables)


def likeness_row(name: str, features: Tensor, known: Tensor) -> Row:
    """How like real pictures others are, by the features of both."""
    count = min(len(features), len(known))
    some, real = _spread(features, count), _spread(known, count)
    shares = prdc(real, some, NEIGHBOURS)
    figures = {"fd": frechet_distance(real, some), "kd": 1000 * kernel_distance(real, some), **shares._asdict()}
    return Row(f"{count} pictures", name, figures)


def _spread(features: Tensor, count: int) -> Tensor:
    return features[torch.linspace(0, len(features) - 1, count).round().long()]


def _likeness_table(rows: Sequence[Row]) -> Table:
    description = (
        f"As many made pictures as real ones, by the mean over all places of {LAYER} of VGG-16 (8 bits, enlarged to at "
        f"least {_LEAST_SIDE} pixels, divided by {_WHITE}): the Frechet distance, 1000 times the unbiased cubic kernel "
        f"distance, and precision, recall, density and coverage of {NEIGHBOURS} neighbours. No FID: that is "
        "of another network."
    )
    columns = (
        CASE,
        METHOD,
        figure(f"fd:{FEATURES}", "fd", ".4g"),
        figure(f"1000 kd:{FEATURES}", "kd", ".4g"),
        *(figure(name, name, ".3f") for name in ("precision", "recall", "density", "coverage")),
    )
    forms = dict.fromkeys(("fd", "kd", "precision", "recall", "density", "coverage"), ".4g")
    return Table(f"fd:{FEATURES}", description, columns, tuple(rows), forms)


def _nearness(name: str, features: Tensor, learnt: Tensor) -> Row:
    nearest = torch.cat([torch.cdist(some, learnt.double()).min(1).values for some in features.double().split(200)])
    return Row("nearest training picture", name, {"median": nearest.median().item(), "least": nearest.min().item()})


def _copies_table(rows: Sequence[Row]) -> Table:
    description = (
        f"Distance to the nearest training picture in {FEATURES}. Real pictures that were not learnt from are as far "
        "as pictures of this kind are; a model that is much nearer copies."
    )
    columns = (CASE, METHOD, figure("median", "median", ".4g"), figure("least", "least", ".4g"))
    return Table("memorisation", description, columns, tuple(rows), {"median": ".4g", "least": ".4g"}, rows[0].method)


def _classes_table(made: Sequence[Made], real: LabelledPictures, training: LabelledPictures) -> Table:
    """Whether pictures are of the class that was asked for, and as different within it as real ones."""
    reader, shown = trained_classifier(training), _unit(real)
    rows = [_classes_row("real pictures", reader.accuracy(shown, real.labels), 1.0)]
    for one in made:
        if one.asked is not None:
            accuracy = reader.accuracy(one.images, one.asked)
            rows.append(_classes_row(one.model, accuracy, diversity(one.images, one.asked, shown, real.labels)))
    description = (
        f"Read by a small network that learnt from {len(training)} real pictures: the share that it takes for the "
        "class asked for, and the mean distance of two pictures of a class, divided by that of real ones."
    )
    columns = (CASE, METHOD, figure("class", "class_accuracy", ".1%"), figure("diversity", "diversity", ".3f"))
    forms = {"class_accuracy": ".4f", "diversity": ".4g"}
    return Table("classes", description, columns, tuple(rows), forms, rows[0].method, ("class_accuracy",))


def _classes_row(name: str, accuracy: float, spread: float) -> Row:
    figures = {"class_accuracy": accuracy, "diversity": spread}
    return Row("all classes", name, {one: value for one, value in figures.items() if not math.isnan(value)})


def diversity(
    made: Float[Tensor, "n c h w"], asked: Int[Tensor, " n"], real: Float[Tensor, "m c h w"], labels: Int[Tensor, " m"]
) -> float:
    """The mean distance of two pictures of one class, a mean over the classes of its ratio to that of real ones.

    Classes with less than two pictures on one of the sides are left out; if all are, it is not a number.
    """
    ratios = []
    for number in range(int(labels.max()) + 1):
        several = made[asked == number].flatten(1), real[labels == number].flatten(1)
        if min(map(len, several)) > 1:
            ratios.append(mean_distance(several[0]) / mean_distance(several[1]))
    return math.fsum(ratios) / len(ratios) if ratios else math.nan


def nearest_pictures(
    made: Float[Tensor, "n c h w"], training: LabelledPictures, *, number: int = 3, device: str = "cpu"
) -> Float[Tensor, "m c h w"]:
    """For a sheet: each made picture, then the training pictures that are nearest to it in `FEATURES`."""
    learnt, images = vgg_features(_unit(training), device=device), _unit(training)
    nearest = torch.cdist(vgg_features(made, device=device), learnt).topk(number, largest=False).indices
    return torch.cat([torch.cat([one[None], images[few]]) for one, few in zip(made, nearest, strict=True)])


def parzen_table(model: str, validation: LabelledPictures, test: LabelledPictures, *, each: int, device: str) -> Table:
    """Parzen windows about samples of all classes.

    Args:
        model: A name, or a weight file.
        validation: Decides sigma.
        test: Is measured.
        each: Samples of each class.
        device: A torch device.
    """
    num_classes = int(test.labels.max()) + 1
    samples = generate(model, range(num_classes), count=each * num_classes, device=device).flatten(1)
    real = _unit(test).flatten(1)
    sigma = best_sigma(samples, _unit(validation).flatten(1), SIGMAS)
    likelihood = parzen_log_likelihood(samples, real, sigma)
    figures = {
        "log_likelihood": likelihood.mean().item(),
        "standard_error": likelihood.std().item() / len(likelihood) ** 0.5,
    }
    columns = (
        CASE,
        figure("log-likelihood (nats)", "log_likelihood", ".1f"),
        figure("standard error", "standard_error", ".1f"),
    )
    description = f"Parzen windows of sigma {sigma:.2g} about {len(samples)} samples."
    row = Row(f"{len(real)} pictures", "generator", figures)
    return Table("parzen", description, columns, (row,), dict.fromkeys(figures, ".4g"))


def _unit(pictures: LabelledPictures) -> Float[Tensor, "n c h w"]:
    return pictures.images / 255
