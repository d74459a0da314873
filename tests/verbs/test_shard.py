"""Shards hold what the folder holds, in webdataset's layout, and training sees no difference."""

import errno
import os
import tarfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image as PillowImage

import limner
from limner.data.enlargement import EnlargementConfig
from limner.data.labelled import LabelledConfig
from limner.data.pairs import PairsConfig
from limner.data.sampler import batches
from limner.data.segmented import SegmentedConfig
from limner.data.source import DataConfig
from limner.data.stylization import StylizationConfig
from limner.data.unlabelled import UnlabelledConfig
from limner.data.unpaired import UnpairedConfig
from limner.errors import LimnerError
from limner.files.shard_path import unpacked
from limner.training.train import plan, train
from limner.verbs.shard import shard


def write_pictures(folder: Path, names: list[str], height: int = 34, width: int = 40) -> None:
    for number, name in enumerate(names):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        PillowImage.fromarray(np.random.default_rng(number).integers(0, 256, (height, width, 3), dtype=np.uint8)).save(
            path
        )


def write_masks(folder: Path, names: list[str]) -> None:
    for number, name in enumerate(names):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        PillowImage.fromarray(np.random.default_rng(number).integers(0, 2, (34, 40), dtype=np.uint8)).save(path)


def members(folder: Path) -> dict[str, bytes]:
    """By Python's own reader."""
    found = {}
    for path in sorted(folder.glob("*.tar")):
        with tarfile.open(path) as tar:
            for info in tar:
                held = tar.extractfile(info)
                assert held
                found[info.name] = held.read()
    return found


def below(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_the_files_come_back_by_any_reader(tmp_path: Path) -> None:
    data = tmp_path / "data"
    write_pictures(data, ["a.png", "x/b.v2.png", "x/b.v1.png", "x/y/c.jpg"])
    (data / "notes.txt").write_text("words")
    (data / ".hidden").write_text("not this")
    number = shard(data, tmp_path / "shards", size=4096)
    assert number == len([*(tmp_path / "shards").glob("*.tar")]) > 1
    (data / ".hidden").unlink()
    assert below(unpacked(tmp_path / "shards")) == below(data)
    assert sorted(members(tmp_path / "shards").values()) == sorted(below(data).values())
    assert {"a.png", "x/b%2Ev2.png", "x/y/c.jpg", "notes.txt"} <= set(members(tmp_path / "shards"))
    assert [one.name for one in tmp_path.iterdir() if one.name.startswith(".")] == []


def test_classes_are_told_and_partners_are_one_sample(tmp_path: Path) -> None:
    write_pictures(tmp_path / "classes", ["10/a.png", "9/a.png", "9/b.png"])
    shard(tmp_path / "classes", tmp_path / "c")
    labels = {name: data for name, data in members(tmp_path / "c").items() if name.endswith(".cls")}
    assert labels == {"10/a.cls": b"1", "9/a.cls": b"0", "9/b.cls": b"0"}
    write_pictures(tmp_path / "masked", ["images/a.png", "images/s/b.png"])
    write_masks(tmp_path / "masked", ["masks/a.png", "masks/s/b.png"])
    shard(tmp_path / "masked", tmp_path / "m")
    assert list(members(tmp_path / "m")) == ["a.png", "a.mask.png", "s/b.png", "s/b.mask.png"]
    write_pictures(tmp_path / "pairs", ["A/a.png", "B/a.png"])
    shard(tmp_path / "pairs", tmp_path / "p")
    assert list(members(tmp_path / "p")) == ["a.A.png", "a.B.png"]


@pytest.mark.parametrize("name", ["masked", "pairs"])
def test_without_its_index_the_layout_is_found_again(tmp_path: Path, name: str) -> None:
    names = {"masked": ["images/a.png", "masks/a.png"], "pairs": ["A/a.png", "B/a.png", "A/b.png", "B/b.png"]}[name]
    write_pictures(tmp_path / "data", names)
    shard(tmp_path / "data", tmp_path / "shards")
    (tmp_path / "shards" / "index.json").unlink()
    assert below(unpacked(tmp_path / "shards")) == below(tmp_path / "data")


def test_webdataset_reads_the_samples(tmp_path: Path) -> None:
    webdataset = pytest.importorskip("webdataset")
    write_pictures(tmp_path / "data", ["cat/a.v1.png", "dog/a.png"])
    shard(tmp_path / "data", tmp_path / "shards")
    samples = list(webdataset.WebDataset(str(tmp_path / "shards" / "00000.tar"), shardshuffle=False))
    assert [(one["__key__"], one["cls"]) for one in samples] == [("cat/a%2Ev1", b"0"), ("dog/a", b"1")]
    assert samples[1]["png"] == (tmp_path / "data" / "dog" / "a.png").read_bytes()


def test_what_webdataset_writes_is_read(tmp_path: Path) -> None:
    webdataset = pytest.importorskip("webdataset")
    write_pictures(tmp_path / "data", ["0/000000.png", "1/000001.png"], 8, 8)
    (tmp_path / "shards").mkdir()
    with webdataset.TarWriter(str(tmp_path / "shards" / "0.tar")) as writer:
        for label in (0, 1):
            data = (tmp_path / "data" / f"{label}" / f"00000{label}.png").read_bytes()
            writer.write({"__key__": f"00000{label}", "png": data, "cls": label})
    assert below(unpacked(tmp_path / "shards")).keys() >= below(tmp_path / "data").keys()
    same(LabelledConfig(side=8), tmp_path / "data", tmp_path / "shards")


def same(config: DataConfig, folder: Path, shards: Path) -> None:
    """The same facts, and the same samples for the same chances."""
    packed = unpacked(shards)
    assert config.facts(packed) == config.facts(folder)
    kinds = [config.load(folder), config.load(packed)]
    assert len(kinds[0]) == len(kinds[1]) > 0
    for number in range(len(kinds[0])):
        one, other = (kind.draw(number, torch.Generator().manual_seed(number)) for kind in kinds)
        assert all(torch.equal(a, b) for a, b in zip(one, other, strict=True))


def cases(tmp_path: Path) -> Iterator[tuple[str, DataConfig, Path]]:
    plain = tmp_path / "photos"
    write_pictures(plain, ["b.png", "a/c.png", "a/b.v2.png"])
    yield "enlargement", EnlargementConfig(patch=16, scales=(2,), kind="luminance"), plain
    yield "unlabelled", UnlabelledConfig(side=8), plain
    yield "stylization", StylizationConfig(patch=16, style_size=16, styles=(plain / "b.png",)), plain
    yield "derived", PairsConfig(derive="edges", resize=32, patch=16), plain
    yield "halves", PairsConfig(resize=32, patch=16), plain
    write_pictures(tmp_path / "classes", ["10/a.png", "9/a.png", "9/b.png"])
    yield "labelled", LabelledConfig(side=8), tmp_path / "classes"
    (tmp_path / "csv").mkdir()
    write_pictures(tmp_path / "csv", ["x/a.png", "x/b.png"])
    (tmp_path / "csv" / "list.csv").write_text("file,class\nx/a.png,0\nx/b.png,1\n")
    yield "csv", LabelledConfig(side=8, csv="list.csv"), tmp_path / "csv"
    write_pictures(tmp_path / "pairs", ["A/a.png", "A/b.png", "B/b.png", "B/a.png"])
    yield "pairs", PairsConfig(source="B", resize=32, patch=16), tmp_path / "pairs"
    write_pictures(tmp_path / "unpaired", ["trainA/a.png", "trainB/z.png", "trainB/y.png"])
    yield "unpaired", UnpairedConfig(resize=32, patch=16), tmp_path / "unpaired"
    write_pictures(tmp_path / "masked", ["images/a.png", "images/s/b.png"])
    write_masks(tmp_path / "masked", ["masks/a.png", "masks/s/b.png"])
    yield "segmented", SegmentedConfig(patch=16, meaning="values"), tmp_path / "masked"


def test_every_kind_of_data_reads_shards_as_a_folder(tmp_path: Path) -> None:
    for name, config, folder in cases(tmp_path):
        shards = tmp_path / "shards" / name
        shard(folder, shards, size=2048)
        same(config, folder, shards)


def test_workers_draw_what_one_process_draws_and_any_batch_can_be_the_first(tmp_path: Path) -> None:
    write_pictures(tmp_path / "data", [f"{number}.png" for number in range(5)])
    shard(tmp_path / "data", tmp_path / "shards", size=2048)
    config = EnlargementConfig(patch=16, scales=(2,), kind="luminance")
    plain, packed = (config.load(one) for one in (tmp_path / "data", tmp_path / "shards"))
    stream = batches(plain, 2, 7)
    expected = [next(stream) for _ in range(5)]
    for start, workers in ((0, 0), (3, 0), (0, 2)):
        found = batches(packed, 2, 7, start=start, num_workers=workers)
        for batch in expected[start:]:
            assert all(torch.equal(a, b) for a, b in zip(batch, next(found), strict=True))


SMALL = ["num_layers=2", "channels=2", "data.patch=16", "data.scales=[2]", "fit.batch_size=1", "fit.ema_decay=null"]
SMALL += ["fit.schedule.kind=constant"]


def test_a_run_on_shards_is_that_on_the_folder_and_resumes_exactly(tmp_path: Path) -> None:
    write_pictures(tmp_path / "data", ["a.png", "b.png", "c.png"])
    shard(tmp_path / "data", tmp_path / "shards")
    goals = [plan("vdsr", tmp_path / name, assignments=SMALL, steps=4) for name in ("data", "shards")]
    half = plan("vdsr", tmp_path / "shards", assignments=SMALL, steps=2)
    weights = [dict(train(goal, tmp_path / f"run{n}").system.state_dict()) for n, goal in enumerate(goals)]
    train(half, tmp_path / "half")
    weights.append(dict(train(goals[1], tmp_path / "half", resume=True).system.state_dict()))
    for other in weights[1:]:
        assert all(torch.equal(weights[0][name], other[name]) for name in weights[0])


def test_a_run_is_not_resumed_with_other_shards(tmp_path: Path) -> None:
    write_pictures(tmp_path / "data", ["a.png", "b.png"])
    shard(tmp_path / "data", tmp_path / "shards")
    goal = plan("vdsr", tmp_path / "shards", assignments=SMALL, steps=1)
    train(goal, tmp_path / "run")
    write_pictures(tmp_path / "data", ["b.png"])
    for path in (tmp_path / "shards").iterdir():
        path.unlink()
    (tmp_path / "shards").rmdir()
    shard(tmp_path / "data", tmp_path / "shards")
    with pytest.raises(LimnerError, match=r"1 changed \(b\.png\)"):
        train(goal, tmp_path / "run", resume=True)


def test_a_check_of_shards_finds_what_one_of_the_folder_finds(tmp_path: Path) -> None:
    write_pictures(tmp_path / "data", [f"{number}.png" for number in range(4)])
    (tmp_path / "data" / "twin.png").write_bytes((tmp_path / "data" / "1.png").read_bytes())
    shard(tmp_path / "data", tmp_path / "shards")
    found = [limner.check(tmp_path / one, keep=False) for one in ("data", "shards")]
    kinds = [[(one.kind, sum(map(len, one.groups))) for one in check.findings] for check in found]
    assert kinds[0] == kinds[1] and any("duplicate" in kind for kind, _ in kinds[0])


def test_a_place_that_cannot_be_is_refused(tmp_path: Path) -> None:
    write_pictures(tmp_path / "data", ["a.png"])
    shard(tmp_path / "data", tmp_path / "shards")
    for folder, output, message in (
        ("data", "shards", "is already there"),
        ("data", "data/in", "do not lie in the data"),
        ("shards", "again", "holds shards already"),
        ("none", "new", "is not a folder"),
    ):
        with pytest.raises(LimnerError, match=message):
            shard(tmp_path / folder, tmp_path / output)
    with pytest.raises(LimnerError, match="size must be a whole number of at least 1024"):
        shard(tmp_path / "data", tmp_path / "new", size=3)
    assert sorted(one.name for one in tmp_path.iterdir()) == ["data", "shards"]


def test_nothing_is_left_where_writing_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_pictures(tmp_path / "data", ["a.png", "b.png"])
    written = tarfile.TarFile.addfile

    def full(tar: tarfile.TarFile, info: tarfile.TarInfo, file: object = None) -> None:
        if info.name == "b.png":
            raise OSError(errno.ENOSPC, "No space left on device")
        written(tar, info, file)  # type: ignore[arg-type]

    monkeypatch.setattr(tarfile.TarFile, "addfile", full)
    with pytest.raises(LimnerError, match="disk"):
        shard(tmp_path / "data", tmp_path / "shards")
    assert [one.name for one in tmp_path.iterdir()] == ["data"]


def test_names_that_are_no_text_come_back(tmp_path: Path) -> None:
    name = os.fsdecode(b"\xff\xe4 1.png")
    write_pictures(tmp_path / "data", ["ä.png", name])
    shard(tmp_path / "data", tmp_path / "shards")
    assert {path.name for path in unpacked(tmp_path / "shards").rglob("*")} == {"ä.png", name}
    (tmp_path / "shards" / "index.json").unlink()
    assert {path.name for path in unpacked(tmp_path / "shards").rglob("*")} == {"ä.png", name}
