"""Where the eyes of a photo are: OpenCV's cascades, which come with it."""

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import UInt8

from limner.features.optical_flow import import_cv2

_FACE, _EYE = "haarcascade_frontalface_default.xml", "haarcascade_eye.xml"
_LONGEST = 1280  # pixels of the longer side that faces are looked for in
_LEAST_FACE = 48
_ABOVE = 0.6  # share of a face's height that its eyes lie in


class EyeBox(NamedTuple):
    """A rectangle around an eye, in pixels."""

    x: float
    y: float
    width: float
    height: float

    @property
    def middle(self) -> tuple[float, float]:
        """Its place, x and y."""
        return self.x + self.width / 2, self.y + self.height / 2


def find_eyes(photo: UInt8[np.ndarray, "h w"]) -> list[EyeBox]:
    """The eyes of all faces that look about this way, from the left to the right; none where no face is seen.

    Args:
        photo: Gray.

    Raises:
        LimnerError: If OpenCV is not installed.
    """
    cv2 = import_cv2("finding eyes", "name them by --eyes x,y,width,height")
    scale = min(1.0, _LONGEST / max(photo.shape))
    height, width = (max(1, round(side * scale)) for side in photo.shape)
    small = cv2.resize(photo, (width, height), interpolation=cv2.INTER_AREA) if scale < 1 else photo
    small = cv2.equalizeHist(small)
    faces = _cascade(cv2, _FACE).detectMultiScale(small, 1.1, 6, minSize=(_LEAST_FACE, _LEAST_FACE))
    eyes = _cascade(cv2, _EYE)
    found = [EyeBox(*(value / scale for value in box)) for face in faces for box in _eyes_of(face, small, eyes)]
    return sorted(found)


def _eyes_of(face: Any, photo: np.ndarray, cascade: Any) -> list[tuple[float, ...]]:
    """One in each half of the upper part of a face: what the cascade is surest of."""
    x, y, width, height = (int(value) for value in face)
    found = list[tuple[float, ...]]()
    for left in (x, x + width // 2):
        part = photo[y + height // 6 : y + int(_ABOVE * height), left : left + width // 2]
        least = max(8, width // 9)
        boxes, _, sure = cascade.detectMultiScale3(part, 1.05, 3, minSize=(least, least), outputRejectLevels=True)
        if len(boxes):
            across, down, wide, high = (float(value) for value in boxes[int(np.argmax(sure))])
            found.append((left + across, y + height // 6 + down, wide, high))
    return found


def _cascade(cv2: Any, name: str) -> Any:
    return cv2.CascadeClassifier(str(Path(cv2.data.haarcascades) / name))
