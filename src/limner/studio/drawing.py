"""Pictures that follow a drawing: a label picture in, a photo out, at once."""

import base64
import hashlib
from collections import OrderedDict
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from limner.errors import LimnerError
from limner.files.header import UnreadableError
from limner.files.image import too_many_pixels
from limner.files.opening import open_image
from limner.files.picture import Picture
from limner.files.still import still_picture, telling_of
from limner.files.visible import visible_tensor
from limner.runtime.run_options import RunOptions
from limner.verbs.translate.translator import Translator

_KEPT = 3  # models that are ready


class Drawing:
    """Translates drawings by models that stay loaded.

    Args of the constructor:
        settings: Of the service: `device`, `threads`, `max_pixels`.
    """

    def __init__(self, settings: dict[str, Any]) -> None:
        self._options = RunOptions(device=settings["device"], threads=settings["threads"])
        self._max_pixels = settings["max_pixels"]
        self._ready = OrderedDict[tuple[str, str | None, str], Translator]()

    def draw(self, order: dict[str, Any]) -> dict[str, Any]:
        """What a model makes of a drawing.

        Args:
            order: `model`, a weight file; `picture` and perhaps `style`, files in base64; `seed`; `direction`.

        Returns:
            `png`, in base64, and its `width` and `height` in pixels.

        Raises:
            LimnerError: If something does not fit.
        """
        picture = self._read(order["picture"], "the drawing")
        translator = self._translator(order["model"], order.get("direction"), order.get("style"))
        made = _made(translator, picture, order["seed"]).as_8_bit()
        return {"png": base64.b64encode(png_of(made)).decode(), "width": made.width, "height": made.height}

    def _translator(self, model: str, direction: str | None, style: str | None) -> Translator:
        digest = hashlib.sha256((style or "").encode()).hexdigest()
        key = (f"{model} {Path(model).stat().st_mtime_ns}", direction, digest)
        if key not in self._ready:
            look = None if style is None else visible_tensor(self._read(style, "the style photo"))
            self._ready[key] = Translator(model, self._options, direction=direction, style=look)
            while len(self._ready) > _KEPT:
                self._ready.popitem(last=False)
        self._ready.move_to_end(key)
        return self._ready[key]

    def _read(self, text: str, name: str) -> Picture:
        try:
            file = BytesIO(base64.b64decode(text, validate=True))
        except ValueError:
            raise LimnerError(f"{name}: must be a file in base64") from None
        with telling_of(name):
            image = open_image(file)
            if reason := too_many_pixels(*image.size, self._max_pixels):
                raise UnreadableError(reason)
            return still_picture(file, image, name)


def _made(translator: Translator, picture: Picture, seed: int) -> Picture:
    """What a drawing becomes; where its brush has smooth edges, which takes longer, by the nearest colours."""
    translator.nearest = False
    try:
        return translator.translate_picture(picture, "the drawing", seed=seed)
    except LimnerError:
        if not translator.classes:
            raise
    translator.nearest = True
    return translator.translate_picture(picture, "the drawing", seed=seed)


def png_of(picture: Picture) -> bytes:
    """Pixels alone, compressed as fast as can be: they are looked at and replaced by the next."""
    parts = [picture.pixels] if picture.alpha is None else [picture.pixels, picture.alpha]
    samples = np.concatenate([one.reshape(picture.height, picture.width, -1) for one in parts], 2)
    file = BytesIO()
    Image.fromarray(samples.squeeze(2) if samples.shape[2] == 1 else samples).save(file, "PNG", compress_level=1)
    return file.getvalue()
