"""Pictures that follow sliders: a latent in, the picture of it out, at once."""

import base64
from collections import OrderedDict
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

from limner.catalog.models import load
from limner.cli.work.one_picture import BLANK
from limner.data.rendered import on_white
from limner.errors import LimnerError
from limner.files.image import from_tensor
from limner.runtime.device import choose_device
from limner.studio.drawing import png_of
from limner.tasks.generate import GENERATE
from limner.verbs.latents import Latents
from limner.verbs.styles import Styles, latents_of

SHOWN = 16  # numbers of a latent that have a slider
_KEPT = 3  # models that are ready


class Sampling:
    """Makes pictures of latents by models that stay loaded.

    Args of the constructor:
        settings: Of the service: `device`.
    """

    def __init__(self, settings: dict[str, Any]) -> None:
        self._device = choose_device(settings["device"])
        self._ready = OrderedDict[str, nn.Module]()

    def sample(self, order: dict[str, Any]) -> dict[str, Any]:
        """The picture of a seed's latent, of which some numbers are changed.

        Args:
            order: `model`, a weight file; `name` of it; `seed`; `label`, a class or None; `truncation`, a factor on
                styles or None; `latent`, numbers by their places as texts.

        Returns:
            `png`, in base64, its `width` and `height` in pixels, and the first numbers of the `latent`.

        Raises:
            LimnerError: If something does not fit.
        """
        latents = latents_of(order["name"], self._system(order["model"]))
        drawn = _changed(Latents.of_seed(_plain(latents), order["seed"]), order["latent"])
        made = self._picture(latents, drawn, order)
        picture = from_tensor(made.expand(-1, 3, -1, -1), BLANK)
        numbers = [round(one, 3) for one in drawn[:SHOWN].tolist()]
        png = base64.b64encode(png_of(picture)).decode()
        return {"png": png, "width": picture.width, "height": picture.height, "latent": numbers}

    @torch.inference_mode()
    def _picture(self, latents: Latents, drawn: Float[Tensor, " z"], order: dict[str, Any]) -> Float[Tensor, "1 c h w"]:
        num_classes, asked = latents.num_classes, order["label"] or 0
        if num_classes is not None and asked >= num_classes:
            raise LimnerError(f"label must be below {num_classes}, got {asked}: {latents.name} knows no more classes")
        label = None if num_classes is None else torch.tensor([asked])
        given = drawn[None]
        if isinstance(latents, Styles):
            given, latents.truncation = latents.of_latents(given), order["truncation"]
        made = latents.pictures_of(given, [noise[None] for noise in latents.noise_of(order["seed"])], label)
        return on_white(made) if made.shape[1] == 4 else made

    def _system(self, path: str) -> nn.Module:
        key = f"{path} {Path(path).stat().st_mtime_ns}"
        if key not in self._ready:
            self._ready[key] = load(path, GENERATE)[0].to(self._device)
            while len(self._ready) > _KEPT:
                self._ready.popitem(last=False)
        self._ready.move_to_end(key)
        return self._ready[key]


def _plain(latents: Latents) -> Latents:
    """Those that become styles, where these are styles."""
    return Latents(latents.name, latents.system) if isinstance(latents, Styles) else latents


def _changed(latent: Float[Tensor, " z"], changes: dict[str, float]) -> Float[Tensor, " z"]:
    for place, value in changes.items():
        if int(place) >= len(latent):
            raise LimnerError(f"latent has {len(latent)} numbers, got one at {place}: leave it out")
        latent[int(place)] = value
    return latent
