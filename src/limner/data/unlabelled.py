"""Small pictures whose classes nobody asks for: any folder, an idx file as of MNIST, or one sheet of equal tiles."""

from pathlib import Path

import torch

from limner.data.folder import find_images
from limner.data.labelled import Found, SmallConfig
from limner.data.small_pictures import idx_images, read_idx
from limner.errors import LimnerError


class UnlabelledConfig(SmallConfig):
    """Pictures alone; all count as of class 0."""

    def found(self, place: Path) -> Found:
        """All pictures of a place, those of subfolders too."""
        if place.is_file():
            images = self.of_sheet(place)
        elif idx := idx_images(place):
            values = read_idx(idx)
            if values.ndim != 3:
                raise LimnerError(f"{idx} must hold pictures, which have two axes, got {values.ndim - 1}: name others")
            images = list(torch.from_numpy(values)[:, None])
        else:
            images = self.of_files(find_images(place))
        return Found(images, torch.zeros(len(images), dtype=torch.int64))
