"""What the papers print, to stand beside our own figures. Only what was read in a table or a reprint of it.

sr-y-shave: Kim, Lee and Lee, "Accurate image super-resolution using very deep convolutional networks", CVPR 2016,
arXiv:1511.04587, as reprinted on jmis.org; the bicubic rows were measured again within 0.01 dB.
Lim, Son, Kim, Nah and Lee, "Enhanced deep residual networks for single image super-resolution", CVPR workshops 2017,
arXiv:1707.02921, as reprinted in several implementations' READMEs; its own networks get 8-bit RGB.
sr-y-4: Ledig et al., "Photo-realistic single image super-resolution using a generative adversarial network", CVPR 2017,
arXiv:1609.04802, as reprinted in several implementations' READMEs.
Johnson, Alahi and Fei-Fei, "Perceptual losses for real-time style transfer and super-resolution", ECCV 2016,
arXiv:1603.08155, as reprinted in lecture slides. They name no border. Their bicubic row of Set5 at x4 is that of
sr-y-4; those at x8 are 0.6 dB below ours with any border, so that their low resolution must have been another.
"""

from typing import NamedTuple


class Figure(NamedTuple):
    """A printed mean over a set: PSNR in decibels, SSIM in [-1, 1] or None where it was not read."""

    psnr: float
    ssim: float | None


_Table = dict[str, dict[int, Figure]]  # set -> scale -> figure


def _row(scales: tuple[int, ...], *figures: tuple[float, float | None]) -> dict[int, Figure]:
    return {scale: Figure(*figure) for scale, figure in zip(scales, figures, strict=True)}


_ALL = (2, 3, 4)
_PUBLISHED: dict[str, dict[str, _Table]] = {  # protocol -> method -> table
    "sr-y-shave": {
        "bicubic": {
            "set5": _row(_ALL, (33.66, 0.9299), (30.39, 0.8682), (28.42, 0.8104)),
            "set14": _row(_ALL, (30.24, 0.8688), (27.55, 0.7742), (26.00, 0.7027)),
            "b100": _row(_ALL, (29.56, 0.8431), (27.21, 0.7385), (25.96, 0.6675)),
        },
        "VDSR": {
            "set5": _row(_ALL, (37.53, 0.9587), (33.66, 0.9213), (31.35, 0.8838)),
            "set14": _row(_ALL, (33.03, 0.9124), (29.77, 0.8314), (28.01, 0.7674)),
            "b100": _row(_ALL, (31.90, 0.8960), (28.82, 0.7976), (27.29, 0.7251)),
            "urban100": _row(_ALL, (30.76, 0.9140), (27.14, 0.8279), (25.18, 0.7524)),
        },
        "EDSR": {
            "set5": _row(_ALL, (38.11, 0.9601), (34.65, 0.9282), (32.46, 0.8968)),
            "set14": _row(_ALL, (33.92, 0.9195), (30.52, 0.8462), (28.80, 0.7876)),
            "b100": _row(_ALL, (32.32, 0.9013), (29.25, 0.8093), (27.71, 0.7420)),
        },
    },
    "sr-y-4": {
        "bicubic": {
            "set5": _row((4, 8), (28.43, None), (23.80, 0.6455)),
            "set14": _row((4, 8), (25.99, None), (22.37, 0.5518)),
            "b100": _row((4, 8), (25.94, None), (22.11, 0.5322)),
        },
        "SRResNet": {
            "set5": _row((4,), (32.05, 0.9019)),
            "set14": _row((4,), (28.49, 0.8184)),
            "b100": _row((4,), (27.58, 0.7620)),
        },
        "SRGAN": {
            "set5": _row((4,), (29.40, 0.847)),
            "set14": _row((4,), (26.02, 0.7397)),
            "b100": _row((4,), (25.16, 0.6688)),
        },
        "Johnson pixel": {
            "set5": _row((4, 8), (28.40, 0.8205), (24.77, 0.6864)),
            "set14": _row((8,), (23.02, 0.5787)),
            "b100": _row((8,), (22.54, 0.5526)),
        },
        "Johnson feature": {
            "set5": _row((4, 8), (27.09, 0.7680), (23.26, 0.7058)),
            "set14": _row((8,), (21.64, 0.5837)),
            "b100": _row((8,), (21.35, 0.5474)),
        },
    },
}
_NUM_IMAGES = {"set5": 5, "set14": 14, "b100": 100, "urban100": 100}
_ALIASES = {"bsd100": "b100", "bsds100": "b100"}


def published_figure(protocol: str, method: str, benchmark: str, scale: int, num_images: int) -> Figure | None:
    """What the method's paper prints for a benchmark set under a protocol; None where nothing was read.

    A method has the name that its paper gives it: `srresnet` is a model of ours, `SRResNet` the network of the paper.
    Names of sets are taken without regard to case; BSD100 and B100 are one set. A set of another number of images than
    the papers' is another set.

    >>> published_figure("sr-y-shave", "VDSR", "Set5", 2, num_images=5)
    Figure(psnr=37.53, ssim=0.9587)
    """
    name = _ALIASES.get(benchmark.lower(), benchmark.lower())
    if _NUM_IMAGES.get(name) != num_images:
        return None
    return _PUBLISHED.get(protocol, {}).get(method, {}).get(name, {}).get(scale)
