"""Pictures that follow a drawing: a label picture in, a photo out, at once."""

import base64
import hashlib
from collections import OrderedDict
from io import BytesIO
from pathlib import Path
from typing import Any

from limner.errors import LimnerError
from limner.files.encode import encode_png
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
        made = translator.translate_picture(picture, "the drawing", seed=order["seed"])
        file = BytesIO()
        encode_png(file, made.as_8_bit(), None)
        return {
            "png": base64.b64encode(file.getvalue()).decode(),
            "width": made.width,
            "height": made.height,
        }

    def _translator(self, model: str, direction: str | None, style: str | None) -> Translator:
        digest = hashlib.sha256((style or "").encode()).hexdigest()
        key = (f"{model} {Path(model).stat().st_mtime_ns}", direction, digest)
        if key not in self._ready:
            look = None if style is None else visible_tensor(self._read(style, "the style photo"))
            made = Translator(model, self._options, direction=direction, style=look)
            made.nearest = bool(made.classes)  # a brush has smooth edges
            self._ready[key] = made
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
