"""Photos that memory does not hold give the files of the same photos whole, all but probabilities bit for bit."""

import itertools
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image as PillowImage
from tests.segmenters import bordered_parts, bright_parts, of_chance

import limner as package
from limner.errors import LimnerError
from limner.files.image import read_image, write_image
from limner.files.picture import Picture
from limner.files.visible import visible_tensor
from limner.media.many_files import Observer, Written
from limner.media.outputs import Job
from limner.metrics.segmentation import objects_of
from limner.runtime.plan import Grid, Plan
from limner.runtime.run_options import RunOptions
from limner.runtime.runner import Runner
from limner.systems.segmentation.unet import MODERN
from limner.verbs.segment import findings, outlines, segment_file
from limner.verbs.segment.findings import HeldFindings
from limner.verbs.segment.results import Wanted, write_results
from limner.verbs.segment.segment_many import SegmentWorker
from limner.verbs.segment.segmenter import Segmenter

ALL = Wanted(overlay=True, probabilities=True, objects=True, contours="geojson")
EXACT = RunOptions(device="cpu", precision="exact", backend="torch")
rng = np.random.default_rng(0)


@pytest.fixture
def in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Networks are run on 3 x 4 parts, files are read and written in strips of some rows."""
    pytest.importorskip("pyvips")
    monkeypatch.setattr(Runner, "_chosen", lambda *given, **options: (Plan(Grid(3, 4)), []))
    monkeypatch.setattr(findings, "_STRIP_PIXELS", 900)
    monkeypatch.setattr(outlines, "_MOST_HELD", 50)
    monkeypatch.setattr("limner.files.strips._whole_bytes", lambda info: 2**60)  # nothing is read whole


def blobs(height: int, width: int) -> np.ndarray:
    """Bright parts of all sizes, many of them over several strips."""
    noise = torch.rand(1, 1, height, width, generator=torch.Generator().manual_seed(1))
    return torch.nn.functional.avg_pool2d(noise, 7, 1, 3)[0, 0].sub(0.5).mul(6).add(0.5).clamp(0, 1).numpy()


def pictures() -> dict[str, Picture]:
    gray = blobs(131, 97)
    deep = (gray * 65535).astype(np.uint16)[..., None]
    return {
        "gray": Picture((gray * 255).astype(np.uint8)[..., None], dpi=(300.0, 300.0)),
        "deep": Picture(deep),
        "color": Picture((gray[..., None] * [255, 200, 220]).astype(np.uint8)),
        "alpha": Picture(np.repeat(deep, 3, 2), (blobs(97, 131).T > 0.4).astype(np.uint16) * 65535),
    }


def both_ways(source: Path, model: str, wanted: Wanted, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, Path]:
    """The folders with the files of the photo in memory, and with those of the photo in strips."""
    picture, folders = read_image(source), (source.parent / "whole", source.parent / "strips")
    for folder in folders:
        folder.mkdir()
    with monkeypatch.context() as whole:
        whole.setattr(Runner, "_chosen", lambda *given, **options: (Plan(Grid(1, 1)), []))
        whole.setattr(findings, "_STRIP_PIXELS", 2**20)
        image = visible_tensor(picture)
        found = Segmenter(model, EXACT).segment(image)
        results = write_results(folders[0] / "a.png", HeldFindings(found, image), wanted, dpi=picture.dpi)
    done: list[tuple[int, int]] = []
    again = segment_file.segment_file(
        Segmenter(model, EXACT),
        source,
        folders[1] / "a.png",
        wanted,
        on_progress=lambda *step: done.append(step),
    )
    assert (again.shares, again.num_objects) == (results.shares, results.num_objects)
    assert done[-1][0] == done[-1][1] > 1
    return folders


def page(path: Path, number: int) -> np.ndarray:
    with PillowImage.open(path) as file:
        file.seek(number)
        return np.array(file)


@pytest.mark.usefixtures("in_parts")
@pytest.mark.parametrize(("name", "suffix"), [*itertools.product(pictures(), [".tif", ".png"])])
def test_all_files_are_those_of_the_whole(
    tmp_path: Path, name: str, suffix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = tmp_path / f"a{suffix}"
    write_image(source, pictures()[name])
    model = bright_parts(tmp_path / "b.safetensors", 1 if name == "gray" else 3)
    whole, strips = both_ways(source, model, ALL, monkeypatch)
    names = sorted(path.name for path in whole.iterdir())
    assert names == ["a.png", *(f"a_{one}" for one in ("contours.geojson", "objects.csv", "objects.png", "overlay.png",
                                                       "probabilities.tif"))]  # fmt: skip
    assert sorted(path.name for path in strips.iterdir()) == names
    for one in set(names) - {"a_probabilities.tif"}:
        assert (whole / one).read_bytes() == (strips / one).read_bytes(), one
    for number in range(2):
        first, second = (page(folder / "a_probabilities.tif", number) for folder in (whole, strips))
        np.testing.assert_allclose(first, second, rtol=0, atol=2e-6)
    objects = np.array(PillowImage.open(strips / "a_objects.png"))
    assert objects.max() > 10
    tall = sum(len(np.unique(np.nonzero(objects == number)[0])) > 30 for number in range(1, objects.max() + 1))
    assert tall > 0 or name == "alpha"  # over more than three strips


@pytest.mark.usefixtures("in_parts")
def test_objects_that_grow_are_those_of_the_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And there are others than the connected parts of the class, to which their borders belong."""
    source = tmp_path / "a.png"
    write_image(source, pictures()["gray"])
    model = bordered_parts(tmp_path / "b.safetensors")
    whole, strips = both_ways(source, model, ALL, monkeypatch)
    for one in ("a.png", "a_overlay.png", "a_objects.png", "a_objects.csv", "a_contours.geojson"):
        assert (whole / one).read_bytes() == (strips / one).read_bytes(), one
    for number in range(2):
        first, second = (page(folder / "a_probabilities.tif", number) for folder in (whole, strips))
        np.testing.assert_allclose(first, second, rtol=0, atol=2e-6)
    objects, labels = (np.array(PillowImage.open(strips / name)) for name in ("a_objects.png", "a.png"))
    assert np.all((objects == 0) | (labels == 1))
    found = Segmenter(model, EXACT).segment(visible_tensor(read_image(source)))
    assert np.array_equal(labels, found.labels)
    connected = objects_of(labels == 1)
    apart = [number for number in range(1, connected.max() + 1) if len(np.unique(objects[connected == number])) > 2]
    assert apart


@pytest.mark.usefixtures("in_parts")
@pytest.mark.parametrize("valid", [False, True])
def test_networks_that_see_far(tmp_path: Path, valid: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Parts are computed in other orders, so the last bits may differ."""
    far = MODERN.model_copy(update={"channels": 4, "depth": 2, "num_classes": 3, "valid": valid, "in_channels": 3})
    source = tmp_path / "a.png"
    write_image(source, pictures()["color"])
    model = of_chance(tmp_path / "b.safetensors", far)
    whole, strips = both_ways(source, model, Wanted(probabilities=True), monkeypatch)
    for number in range(3):
        one, other = (page(folder / "a_probabilities.tif", number) for folder in (whole, strips))
        np.testing.assert_allclose(one, other, atol=1e-5)
        assert one.std() > 0.01
    labels = [np.array(PillowImage.open(folder / "a.png")) for folder in (whole, strips)]
    assert (labels[0] != labels[1]).mean() < 1e-3


def test_more_objects_than_16_bits_number_have_32(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("limner.verbs.segment.results.MOST_IN_16_BITS", 3)
    image = torch.zeros(1, 3, 9, 9)
    image[..., ::4, ::4] = 1
    found = Segmenter(bright_parts(tmp_path / "b.safetensors"), EXACT).segment(image)
    results = write_results(tmp_path / "a_classes.png", HeldFindings(found, image), ALL)
    assert results.num_objects == 9
    assert results.paths["objects"] == tmp_path / "a_objects.tif"
    assert np.array(PillowImage.open(tmp_path / "a_objects.tif"))[::4, ::4].ravel().tolist() == [*range(1, 10)]
    assert not (tmp_path / "a_objects.png").exists()
    assert ALL.are_there(tmp_path / "a_classes.png")
    with pytest.raises(LimnerError, match=r"a_objects.tif: is already there"):
        Wanted(objects=True).check_places(tmp_path / "a_classes.png", overwrite=False)


def test_eight_views_are_refused_before_the_work(tmp_path: Path) -> None:
    write_image(tmp_path / "a.png", pictures()["gray"])
    segmenter = Segmenter(bright_parts(tmp_path / "b.safetensors"), EXACT, views=True)
    with pytest.raises(LimnerError, match="eight views need the whole picture in memory: leave them out"):
        segment_file.segment_file(segmenter, tmp_path / "a.png", tmp_path / "c.png", ALL)
    assert not (tmp_path / "c.png").exists()


def test_a_file_that_is_there_is_not_replaced(tmp_path: Path) -> None:
    write_image(tmp_path / "a.png", pictures()["gray"])
    (tmp_path / "c_overlay.png").write_text("precious")
    segmenter = Segmenter(bright_parts(tmp_path / "b.safetensors"), EXACT)
    with pytest.raises(LimnerError, match=r"c_overlay.png: is already there"):
        segment_file.segment_file(segmenter, tmp_path / "a.png", tmp_path / "c.png", ALL)


class Silent(Observer):
    """Sees nothing."""

    def file_started(self, job: Job) -> None: ...

    def part_done(self, done: int, total: int) -> None: ...

    def file_written(self, written: Written) -> None: ...

    def file_failed(self, job: Job, error: Exception) -> None: ...

    def note(self, text: str) -> None: ...


@pytest.mark.parametrize("count", [2, 4, 5])
def test_pictures_of_other_bands(tmp_path: Path, count: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Bright is where the mean of all bands is above half: by the command's worker whole, and in strips."""
    tifffile = pytest.importorskip("tifffile")
    pytest.importorskip("pyvips")
    values = np.stack([np.roll(blobs(60, 50), number, 1) for number in range(count)], -1)
    samples = (values * 65535).astype(np.uint16)
    tifffile.imwrite(tmp_path / "a.tif", samples, photometric="minisblack", planarconfig="contig")
    model = bright_parts(tmp_path / "b.safetensors", count)
    found = package.segment(tmp_path / "a.tif", model, precision="exact")
    sure = np.abs(samples.mean(2) / 65535 - 0.5) > 1e-3
    assert np.array_equal(found.labels[sure], (samples.mean(2) > 32767.5)[sure])
    for fits, name in ((True, "whole.png"), (False, "strips.png")):
        monkeypatch.setattr("limner.verbs.segment.segment_many.fits", lambda size, memory, fits=fits: fits and size > 1)
        worker = SegmentWorker(Segmenter(model, EXACT), Wanted(overlay=True, objects=True))
        width, height, _ = worker.work_alone(Job(tmp_path / "a.tif", tmp_path / name, None), Silent())
        assert (width, height) == (50, 60)
        assert np.array_equal(np.array(PillowImage.open(tmp_path / name)), found.labels)
    for one in ("_overlay.png", "_objects.png", "_objects.csv"):
        assert (tmp_path / f"whole{one}").read_bytes() == (tmp_path / f"strips{one}").read_bytes()
    with pytest.raises(LimnerError, match=rf"takes pictures of 3 channels, got {count}"):
        package.segment(tmp_path / "a.tif", bright_parts(tmp_path / "c.safetensors", 3))
