import pytest

from limner.metrics.protocols import PROTOCOLS
from limner.metrics.published import _PUBLISHED, Figure, published_figure


def test_figures_of_the_papers() -> None:
    assert published_figure("sr-y-shave", "bicubic", "Set14", 3, 14) == Figure(27.55, 0.7742)
    assert published_figure("sr-y-shave", "VDSR", "Set5", 4, 5) == Figure(31.35, 0.8838)
    assert published_figure("sr-y-shave", "EDSR", "Set5", 2, 5) == Figure(38.11, 0.9601)
    assert published_figure("sr-y-4", "SRResNet", "Set5", 4, 5) == Figure(32.05, 0.9019)
    assert published_figure("sr-y-4", "bicubic", "Set5", 4, 5) == Figure(28.43, None)
    assert published_figure("sr-y-4", "Johnson feature", "Set5", 4, 5) == Figure(27.09, 0.7680)
    assert published_figure("sr-y-4", "Johnson pixel", "BSD100", 8, 100) == Figure(22.54, 0.5526)


@pytest.mark.parametrize("name", ["B100", "BSD100", "bsd100", "BSDS100"])
def test_bsd100_by_any_name(name: str) -> None:
    assert published_figure("sr-y-4", "SRGAN", name, 4, 100) == Figure(25.16, 0.6688)


@pytest.mark.parametrize(
    ("protocol", "method", "name", "scale"),
    [("rgb", "VDSR", "Set5", 2), ("sr-y-shave", "mine", "Set5", 2), ("sr-y-4", "SRGAN", "Set5", 2)],
)
def test_what_nobody_printed_is_none(protocol: str, method: str, name: str, scale: int) -> None:
    assert published_figure(protocol, method, name, scale, 5) is None


def test_a_model_of_ours_does_not_bear_a_papers_figures_for_its_name() -> None:
    assert published_figure("sr-y-4", "srresnet", "Set5", 4, 5) is None


def test_a_part_of_a_set_is_another_set() -> None:
    assert published_figure("sr-y-shave", "VDSR", "Set14", 2, 13) is None


def test_every_protocol_in_the_table_exists_and_figures_are_plausible() -> None:
    assert set(_PUBLISHED) <= set(PROTOCOLS)
    for methods in _PUBLISHED.values():
        for table in methods.values():
            for row in table.values():
                psnrs = [row[scale].psnr for scale in sorted(row)]
                assert psnrs == sorted(psnrs, reverse=True)  # a larger enlargement is never better
                assert all(20 < figure.psnr < 40 and 0.5 < (figure.ssim or 0.9) < 1 for figure in row.values())
