"""AdaIN trained as it is commonly done: eager float32, channels first, modules one by one, torch's own Adam."""

import torch
import torch.nn.functional as F
from torch import Tensor

from limner.data.style_pairs import Styled
from limner.features.vgg_encoder import activations
from limner.systems.feedforward.adain import STYLE_LAYERS, AdaIN

_CODE = STYLE_LAYERS[-1]


class PlainTraining:
    """A system, Adam, and how it makes a step: contents and styles each go through the encoder by themselves."""

    def __init__(self, system: AdaIN, learning_rate: float) -> None:
        self.config, self.decoder = system.config, system.decoder.train()
        self.encoder = system.encoder
        self.optimizer = torch.optim.Adam(self.decoder.parameters(), learning_rate)

    def step(self, batch: Styled) -> float:
        """The loss, which it has lowered: equations 11 to 13."""
        with torch.no_grad():
            content, style = self.encoder(batch.source), activations(self.encoder, batch.style, STYLE_LAYERS)
            target = _adain(content, style[_CODE])
        self.optimizer.zero_grad()
        found = activations(self.encoder, self.decoder(target), STYLE_LAYERS)
        content_loss = F.mse_loss(found[_CODE], target)
        style_loss = torch.stack([_distance(found[layer], style[layer]) for layer in STYLE_LAYERS]).sum()
        loss = self.config.content_weight * content_loss + self.config.style_weight * style_loss
        loss.backward()
        self.optimizer.step()
        return loss.item()


def _moments(x: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and deviation of each channel."""
    return x.mean((2, 3), keepdim=True), (x.var((2, 3), correction=0, keepdim=True) + 1e-5).sqrt()


def _adain(content: Tensor, style: Tensor) -> Tensor:
    (mean, deviation), (wanted_mean, wanted_deviation) = _moments(content), _moments(style)
    return (content - mean) / deviation * wanted_deviation + wanted_mean


def _distance(found: Tensor, wanted: Tensor) -> Tensor:
    return torch.stack([F.mse_loss(*pair) for pair in zip(_moments(found), _moments(wanted), strict=True)]).sum()
