"""What a generator of objects from views is worth: how it shows them from where it has not seen them."""

import statistics
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from limner.data.rendered import Rendered, RenderedPictures, on_white
from limner.measure.report import CASE, METHOD, Report, Row, Table, figure

_FORMS = {"masked_psnr": ".3f", "iou": ".4g"}
_BATCH = 64
_MOST_PSNR = 100.0  # decibels, of what is alike to the last bit


@torch.inference_mode()
def views_report(system: nn.Module, held_out: RenderedPictures, seen: RenderedPictures) -> Report:
    """Masked PSNR and the mask's IoU of pictures from views that training did not see, beside the nearest view seen.

    Args:
        system: From shares, view and transform to RGB and opacity.
        held_out: What is measured; nothing of it is transformed.
        seen: What it was trained on.
    """
    device = next(system.parameters()).device
    found: dict[str, list[dict[str, float]]] = {"nearest view": [], "system": []}
    nearest = _Nearest(seen)
    for start in range(0, len(held_out), _BATCH):
        drawn = [_plain(held_out, index) for index in range(start, min(start + _BATCH, len(held_out)))]
        batch = Rendered(*map(torch.stack, zip(*drawn, strict=True)))
        real = torch.cat([batch.picture, batch.mask], 1)
        made = system(*(one.to(device) for one in batch.inputs)).float().cpu()
        views = torch.stack([nearest(one) for one in drawn])
        for name, pictures in (("system", on_white(made)), ("nearest view", _premultiplied_on_white(views))):
            masks = made[:, 3] if name == "system" else views[:, 3]
            found[name] += map(view_figures, pictures, masks, _premultiplied_on_white(real), real[:, 3])
    case = f"{len(held_out)} pictures of {held_out.num_classes} objects"
    rows = tuple(Row(case, name, _means(figures)) for name, figures in found.items())
    columns = (CASE, METHOD, figure("masked PSNR (dB)", "masked_psnr", ".2f"), figure("IoU", "iou", ".3f"))
    text = "Means. PSNR within the object, before white; IoU of opacity above a half."
    table = Table("held-out views", text, columns, rows, _FORMS, "nearest view", tuple(_FORMS))
    return Report.here("Objects from views that were not seen", table)


def view_figures(made: Tensor, mask: Tensor, real: Tensor, real_mask: Tensor) -> dict[str, float]:
    """Of one picture: PSNR in decibels over the pixels of the object, and how far the two masks agree.

    Args:
        made: RGB (3, h, w) in [0, 1].
        mask: Its opacity (h, w).
        real: What it should be.
        real_mask: Its opacity; the object is where it is above a half.
    """
    inside, claimed = real_mask > 0.5, mask > 0.5
    error = (made - real)[:, inside].square().mean().clamp(min=10 ** (-_MOST_PSNR / 10))
    both, either = (inside & claimed).sum(), (inside | claimed).sum()
    return {"masked_psnr": -10 * torch.log10(error).item(), "iou": (both / either).item()}


def _plain(pictures: RenderedPictures, index: int) -> Rendered:
    """As it was rendered."""
    return RenderedPictures(pictures.places, pictures.images, pictures.num_classes, 0.0).draw(index, torch.Generator())


class _Nearest:
    """The picture of the same object from the view that is the nearest to another one."""

    def __init__(self, seen: RenderedPictures) -> None:
        self.seen = seen
        views = torch.tensor([[one.elevation, one.azimuth] for one in seen.places])
        self.directions, self.styles = _direction(views), torch.tensor([one.style for one in seen.places])

    def __call__(self, wanted: Rendered) -> Tensor:
        """(4, h, w), RGB times opacity."""
        alike = self.directions @ _direction(wanted.view[None])[0]
        of_it = self.styles == wanted.style.argmax()
        return self.seen.images[int(alike.masked_fill(~of_it, -2).argmax())] / 255


def _direction(views: Tensor) -> Tensor:
    elevation, azimuth = views.unbind(1)
    level = elevation.cos()
    return torch.stack([level * azimuth.cos(), level * azimuth.sin(), elevation.sin()], 1)


def _premultiplied_on_white(image: Tensor) -> Tensor:
    return image[:, :3] + 1 - image[:, 3:]


def _means(figures: Sequence[Mapping[str, float]]) -> dict[str, float]:
    return {name: statistics.fmean(one[name] for one in figures) for name in _FORMS}
