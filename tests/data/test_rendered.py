import json
import math
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from tests.kit_data import rendered

from limner.data.rendered import TRANSFORMS, RenderedConfig, transformed
from limner.errors import LimnerError

CONFIG = RenderedConfig(side=16)


def test_a_folder_tells_objects_views_and_pictures(tmp_path: Path) -> None:
    place = rendered(tmp_path / "a")
    samples = CONFIG.load(place)
    assert CONFIG.facts(place) == {"num_classes": 2, "names": ["wide_one", "high_one"]}
    assert len(samples) == 6
    one = samples.draw(4, torch.Generator())  # object1/e20_a01.png
    assert one.style.tolist() == [0, 1]
    assert one.view.tolist() == pytest.approx([math.radians(20), math.radians(120)])
    assert one.transform.tolist() == [0] * len(TRANSFORMS)
    assert one.mask.sum() == 12 * 8  # two pixels free at the top and the bottom, four at each side
    torch.testing.assert_close(one.picture[:, 8, 8], torch.tensor([80, 120, 60]) / 255)
    assert one.picture[:, 0, 0].sum() == 0


def test_a_zip_is_the_folder(tmp_path: Path) -> None:
    place = rendered(tmp_path / "a")
    with zipfile.ZipFile(tmp_path / "b.zip", "w") as archive:
        for path in sorted(place.rglob("*.*")):
            archive.write(path, path.relative_to(place))
    folder, packed = CONFIG.load(place), CONFIG.load(tmp_path / "b.zip")
    assert torch.equal(folder.images, packed.images)
    assert CONFIG.files(tmp_path / "b.zip") == [tmp_path / "b.zip"]
    assert len(CONFIG.files(place)) == 7
    assert CONFIG.facts(tmp_path) == CONFIG.facts(place)  # the only zip of a folder


def test_what_is_held_out_is_not_trained_on(tmp_path: Path) -> None:
    place = rendered(tmp_path / "a")
    config = CONFIG.model_copy(update={"held_out": 0.5})
    other = config.model_copy(update={"part": "held out"})
    parts = [{one.name for one in part.load(place).places} for part in (config, other)]
    assert [len(one) for one in parts] == [3, 3]
    assert not parts[0] & parts[1]


def test_transforms_do_what_they_are_called() -> None:
    image = torch.zeros(4, 32, 32)
    image[0, 12:20, 8:24] = 0.6  # a red bar, 16 wide and 8 high
    image[3, 12:20, 8:24] = 1

    def by(**values: float) -> torch.Tensor:
        return transformed(image, torch.tensor([values.get(name, 0.0) for name in TRANSFORMS]))

    def centre(made: torch.Tensor) -> tuple[float, float]:
        place = torch.arange(32) - 15.5
        mask = made[3] / made[3].sum()
        return (mask * place).sum().item(), (mask * place[:, None]).sum().item()

    torch.testing.assert_close(by(), image, atol=1e-5, rtol=0)
    assert centre(by(right=0.25)) == pytest.approx((8, 0), abs=1e-3)
    assert centre(by(down=0.25)) == pytest.approx((0, 8), abs=1e-3)
    assert by(zoom=math.log(1.5))[3].sum().item() == pytest.approx(2.25 * 128, rel=0.02)
    wide = by(stretch=math.log(1.25))[3]
    assert wide[16].sum().item() == pytest.approx(20, abs=0.2)
    assert wide[:, 16].sum().item() == pytest.approx(6.4, abs=0.2)
    upright = by(turn=math.pi / 2)
    torch.testing.assert_close(upright[3], image[3].T, atol=1e-4, rtol=0)
    moved = by(turn=math.pi / 2, right=0.25)  # turned first, then moved
    assert centre(moved) == pytest.approx((8, 0), abs=1e-3)
    assert by(hue=2 * math.pi / 3)[:3, 16, 16].tolist() == pytest.approx([0, 0.6, 0], abs=1e-4)
    assert by(brightness=math.log(0.5))[:3, 16, 16].tolist() == pytest.approx([0.3, 0, 0], abs=1e-4)
    assert by(saturation=math.log(0.5))[:3, 16, 16].tolist() == pytest.approx([0.4, 0.1, 0.1], abs=1e-4)


def test_a_clock_hand_turns_as_on_a_clock() -> None:
    image = torch.zeros(4, 33, 33)
    image[:, 2:16, 16] = 1  # twelve o'clock
    turn = torch.tensor([math.pi / 2, *[0.0] * 7])
    assert transformed(image, turn)[3, 16, 17:31].min() > 0.9  # three o'clock


def test_half_of_the_pictures_are_transformed(tmp_path: Path) -> None:
    samples = CONFIG.model_copy(update={"transformed": 0.5}).load(rendered(tmp_path / "a"))
    rng = torch.Generator().manual_seed(0)
    drawn = [samples.draw(0, rng).transform.abs().sum() > 0 for _ in range(400)]
    assert 160 < sum(drawn) < 240


def test_a_sheet_shows_each_above_what_is_made(tmp_path: Path) -> None:
    samples = CONFIG.load(rendered(tmp_path / "a"))
    sheet = samples.sheet(lambda style, view, transform: torch.zeros(len(style), 4, 16, 16))
    assert sheet.shape == (1, 3, 32, 96)
    assert sheet[:, :, 16:].min() == 1
    assert sheet[:, :, :16].min() < 1


def test_what_is_no_collection_is_refused(tmp_path: Path) -> None:
    place = rendered(tmp_path / "a")
    with pytest.raises(LimnerError, match="is neither a folder nor a zip file"):
        CONFIG.load(tmp_path / "nowhere")
    (tmp_path / "bad.zip").write_bytes(b"no zip")
    with pytest.raises(LimnerError, match="is no whole zip file"):
        CONFIG.load(tmp_path / "bad.zip")
    (place / "meta.json").write_text(json.dumps({"azimuth_deg": [0]}))
    with pytest.raises(LimnerError, match="must have a list azimuth_deg of 3 angles"):
        CONFIG.load(place)
    (place / "meta.json").write_text("[]")
    with pytest.raises(LimnerError, match="must hold an object of JSON, got a list"):
        CONFIG.load(place)
    (place / "meta.json").unlink()
    with pytest.raises(LimnerError, match=r"holds no meta\.json"):
        CONFIG.load(place)
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty" / "meta.json").write_text("{}")
    with pytest.raises(LimnerError, match=r"holds no pictures like chair/e20_a03.png"):
        CONFIG.load(tmp_path / "empty")


def zipped(path: Path, folder: Path, **changed: bytes) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for place in sorted(folder.rglob("*.*")):
            archive.writestr(str(place.relative_to(folder)), changed.get(place.stem, place.read_bytes()))
    return path


@pytest.mark.parametrize("name", ["meta", "e20_a00"])
def test_what_a_zip_file_would_fill_the_memory_with_is_refused(tmp_path: Path, name: str) -> None:
    place = zipped(tmp_path / "a.zip", rendered(tmp_path / "a"), **{name: bytes(2**26 + 1)})
    assert place.stat().st_size < 2**18
    with pytest.raises(LimnerError, match=rf"a.zip: .*{name}.* has more than 64 MB"):
        CONFIG.load(place)


def test_a_damaged_zip_file_and_damaged_pictures_are_one_line(tmp_path: Path) -> None:
    folder = rendered(tmp_path / "a")
    whole = zipped(tmp_path / "a.zip", folder).read_bytes()
    (tmp_path / "a.zip").write_bytes(whole.replace(whole[60:64], b"\xff\xff\xff\xff", 1))
    with pytest.raises(LimnerError, match="cannot be read"):
        CONFIG.load(tmp_path / "a.zip")
    for data in (b"none", b"\x89PNG\r\n\x1a\n" + bytes(99)):
        with pytest.raises(LimnerError, match="e20_a00"):
            CONFIG.load(zipped(tmp_path / "b.zip", folder, e20_a00=data))


def test_the_chairs_are_read(shared_data: Callable[[str], Path]) -> None:
    place = shared_data("chairs_rendered")
    samples = RenderedConfig(held_out=0.9).load(place)
    names = RenderedConfig().facts(place)["names"]
    assert len(samples) == 502
    assert (len(names), len(set(names)), names[0]) == (81, 81, "oak_chair")
