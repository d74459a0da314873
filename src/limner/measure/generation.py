"""What a generator of classes is worth: how likely it makes real pictures, and whether they are of the class asked for.

Parzen windows as in table 1 of Mirza and Osindero 2014, arXiv:1411.1784: samples of all classes, sigma by validation.
"""

import torch
from torch import Tensor

from limner.data.labelled import LabelledPictures
from limner.measure.report import CASE, Report, Row, Table, figure
from limner.metrics.parzen import best_sigma, parzen_log_likelihood
from limner.verbs.generate import generate

SIGMAS = tuple(10 ** (-1 + number / 10) for number in range(11))  # 0.1 to 1


def generation_report(
    model: str, validation: LabelledPictures, test: LabelledPictures, *, each: int = 1000, device: str = "cpu"
) -> Report:
    """Measure a model on pictures that it has not seen.

    Args:
        model: A name, or a weight file.
        validation: Decides sigma.
        test: Is measured.
        each: Samples of each class.
        device: A torch device.
    """
    num_classes = int(test.labels.max()) + 1
    samples = generate(model, range(num_classes), count=each * num_classes, device=device).flatten(1)
    asked = torch.arange(len(samples)) % num_classes
    real = _flat(test)
    sigma = best_sigma(samples, _flat(validation), SIGMAS)
    likelihood = parzen_log_likelihood(samples, real, sigma)
    figures = {
        "log_likelihood": likelihood.mean().item(),
        "standard_error": likelihood.std().item() / len(likelihood) ** 0.5,
        "class_accuracy": (_nearest_class(samples, real, test.labels) == asked).float().mean().item(),
    }
    columns = (
        CASE,
        figure("log-likelihood (nats)", "log_likelihood", ".1f"),
        figure("standard error", "standard_error", ".1f"),
        figure("of the class asked for", "class_accuracy", ".1%"),
    )
    description = (
        f"Parzen windows of sigma {sigma:.2g} about {len(samples)} samples; a sample's class is that of the nearest of "
        "the measured pictures."
    )
    case = f"{len(real)} pictures"
    table = Table("parzen", description, columns, (Row(case, "generator", figures),), dict.fromkeys(figures, ".4g"))
    return Report.here("Pictures from chance", table)


def _flat(pictures: LabelledPictures) -> Tensor:
    return pictures.images.flatten(1) / 255


def _nearest_class(samples: Tensor, real: Tensor, labels: Tensor) -> Tensor:
    return torch.cat([labels[torch.cdist(some, real).argmin(1)] for some in samples.split(200)])
