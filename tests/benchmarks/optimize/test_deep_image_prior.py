"""The plain network of the timings is the paper's, and ours is the same; the tasks and the table of the report."""

from pathlib import Path
from typing import Any

import pytest
import torch
from benchmarks.optimize.deep_image_prior_steps import Plain
from torch import nn

from benchmarks.optimize import deep_image_prior as bench
from limner.files.image import write_image
from limner.files.picture import Picture
from limner.layers.hourglass import Hourglass, HourglassConfig
from limner.systems.optimize import deep_image_prior as dip


def chain(plain):
    """A plain network and those within it, from fine to coarse."""
    found = [plain]
    while inner := [layer for layer in found[-1].down if isinstance(layer, Plain)]:
        found += inner
    return found


def own(part):
    """The weights of a part of a plain network without those of the network within it."""
    inner = {id(weight) for layer in part.modules() if isinstance(layer, Plain) for weight in layer.parameters()}
    return [weight for weight in part.parameters() if id(weight) not in inner]


def test_the_plain_network_has_the_papers_number_of_weights():
    network = nn.Sequential(Plain(), nn.Conv2d(128, 3, 1))
    assert sum(weight.numel() for weight in network.parameters()) == 2_217_831


def test_the_hourglass_is_the_plain_network():
    plain = nn.Sequential(Plain(5, 3, 8, 4), nn.Conv2d(8, 3, 1), nn.Sigmoid())
    config = HourglassConfig(
        in_channels=5, down_channels=(8,) * 3, up_channels=(8,) * 3, skip_channels=(4,) * 3, down_kernels=(3,) * 3,
        up_kernels=(3,) * 3,
    )  # fmt: skip
    ours = Hourglass(config)
    for scale, same in enumerate(chain(plain[0])):
        for mine, theirs in zip((ours.skips, ours.downs, ours.ups), (same.skip, same.down, same.up), strict=True):
            for a, b in zip(mine[scale].parameters(), own(theirs), strict=True):
                b.data.add_(0.1 * torch.randn_like(b))  # else all norms would be alike
                a.data.copy_(b)
    ours.head.load_state_dict(plain[1].state_dict())
    z = torch.rand(1, 5, 32, 48)
    torch.testing.assert_close(ours(z), plain(z), atol=1e-5, rtol=1e-4)
    (ours(z).square().sum()).backward()
    (plain(z).square().sum()).backward()
    first = next(ours.downs[0].parameters())
    torch.testing.assert_close(first.grad, own(plain[0].down)[0].grad, atol=1e-3, rtol=1e-3)


@pytest.fixture
def data(tmp_path):
    """A folder with one picture and its mask, in the place of some case."""
    pixels = (torch.rand(70, 66, 3) * 255).byte().numpy()
    write_image(tmp_path / "photo.png", Picture(pixels))
    write_image(tmp_path / "mask.png", Picture((torch.rand(70, 66, 1) > 0.3).byte().mul(255).numpy()))
    return tmp_path


def test_a_harmed_picture_is_as_good_as_it_should_be(data):
    noisy = bench.task(bench.Case("photo", "photo.png", "noise", "DENOISE"), data)
    assert noisy.score(noisy.observed) == pytest.approx(20.6, abs=0.4)  # of sigma 25, clipped
    half = bench.task(bench.Case("photo", "photo.png", "half", "INPAINT"), data)
    assert (half.observed == 0).float().mean().item() == pytest.approx(0.5, abs=0.03)
    small = bench.task(bench.Case("photo", "photo.png", "x4", "UPSCALE"), data)
    assert (small.size, small.observed.shape) == ((64, 64), (1, 3, 16, 16))
    text = bench.task(bench.Case("photo", "photo.png", "text", "INPAINT", mask="mask.png"), data)
    sharp = bench.picture_of(bench.Case("photo", "photo.png", "text", "INPAINT"), data)
    assert text.energy(sharp)["inpainting"].item() == 0


def test_a_case_is_measured_and_goes_on_where_it_was_stopped(data, monkeypatch):
    case = bench.Case("photo", "photo.png", "x4", "UPSCALE", (29.90, "mean of Set5"), steps=4)
    monkeypatch.setattr(bench, "LOOK_EVERY", 2)
    row: dict[str, Any] = {"name": "photo", "config": "UPSCALE", "published": case.published}
    kept: list[int] = []
    bench.measure(case, data, row, data, lambda: kept.append(1))
    assert row["fixed"]["steps"] == row["stopped"]["steps"] == 4
    assert [look[0] for look in row["curve"]] == [2, 4]
    assert not list(data.glob("*.state"))
    assert (data / "photo_upscale.png").exists()
    lines = list(bench.table({"photo": row}, 2))
    assert f"| photo | 64x64 | `UPSCALE` | {row['harmed']:.2f} | **{row['stopped']['psnr']:.2f}** | " in lines[-1]
    assert lines[-1].endswith("| 29.90 | mean of Set5 |")


def test_every_case_names_settings_that_there_are():
    assert all(hasattr(dip, case.config) and not Path(case.picture).is_absolute() for case in bench.CASES)
