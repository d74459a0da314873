from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image as PillowImage

from limner.data.derived import CHANNELS, Derivation, gray_of
from limner.data.pairs import Pair, PairsConfig
from limner.errors import LimnerError

LEFT, RIGHT = (np.random.default_rng(seed).integers(0, 256, (8, 8, 3), dtype=np.uint8) for seed in (0, 1))


def tensor(pixels: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(pixels).permute(2, 0, 1) / 255


@pytest.mark.parametrize(("source", "first", "second"), [("left", LEFT, RIGHT), ("right", RIGHT, LEFT)])
def test_halves_of_a_picture(tmp_path: Path, source: str, first: np.ndarray, second: np.ndarray) -> None:
    PillowImage.fromarray(np.concatenate([LEFT, RIGHT], 1)).save(tmp_path / "a.png")
    config = PairsConfig(source=source, resize=8, patch=8, mirror=False)
    pair = config.load(tmp_path).draw(0, torch.Generator().manual_seed(0))
    torch.testing.assert_close(pair.source, tensor(first))
    torch.testing.assert_close(pair.target, tensor(second))


def test_two_folders(tmp_path: Path) -> None:
    for name, pixels in (("A", LEFT), ("B", RIGHT)):
        (tmp_path / name).mkdir()
        PillowImage.fromarray(pixels).save(tmp_path / name / "a.png")
    (pair,) = PairsConfig(source="B").read(tmp_path)
    torch.testing.assert_close(pair.source, tensor(RIGHT))
    torch.testing.assert_close(pair.target, tensor(LEFT))
    (tmp_path / "A" / "a.png").unlink()
    for name in "bcdef":
        PillowImage.fromarray(RIGHT).save(tmp_path / "B" / f"{name}.png")
    PillowImage.fromarray(RIGHT).save(tmp_path / "A" / "b.png")
    with pytest.raises(LimnerError, match=r"got 5 without: .*B/a.png, .*B/c.png, .*B/d.png and 2 more: add"):
        PairsConfig(source="B").load(tmp_path)


def test_two_folders_of_other_sides(tmp_path: Path) -> None:
    for name, pixels in (("A", LEFT), ("B", RIGHT[:6])):
        (tmp_path / name).mkdir()
        PillowImage.fromarray(pixels).save(tmp_path / name / "a.png")
    with pytest.raises(LimnerError, match=r"got .*A/a.png \(8x8\) and .*B/a.png \(8x6\): resize them"):
        PairsConfig(source="A").facts(tmp_path)


def test_channels_and_bits_are_those_of_the_files(tmp_path: Path) -> None:
    deep = np.random.default_rng(0).integers(0, 65536, (8, 8), dtype=np.uint16)
    clear = np.concatenate([RIGHT, LEFT[..., :1]], -1)
    for name, pixels in (("A", deep), ("B", clear)):
        (tmp_path / name).mkdir()
        PillowImage.fromarray(pixels).save(tmp_path / name / "a.png")
    config = PairsConfig(source="A", resize=8, patch=8, mirror=False)
    assert config.facts(tmp_path) == {"in_channels": 1, "out_channels": 4}
    pair = config.load(tmp_path).draw(0, torch.Generator())
    torch.testing.assert_close(pair.source[0], torch.from_numpy(deep / 65535).float(), atol=1e-6, rtol=0)
    torch.testing.assert_close(pair.target[3], tensor(LEFT)[0])
    seen = tensor(LEFT)[0] > 0
    torch.testing.assert_close(pair.target[:3, seen], tensor(RIGHT)[:, seen])


@pytest.mark.parametrize("derivation", CHANNELS)
def test_pairs_of_plain_photos(tmp_path: Path, derivation: Derivation) -> None:
    PillowImage.fromarray(np.kron(LEFT, np.ones((3, 6, 1), np.uint8))).save(tmp_path / "a.png")
    config = PairsConfig(derive=derivation, resize=20, patch=16)
    facts = config.facts(tmp_path)
    assert facts == {"in_channels": CHANNELS[derivation], "out_channels": 3, "derived": derivation}
    samples = config.load(tmp_path)
    one, again, other = (samples.draw(0, torch.Generator().manual_seed(seed)) for seed in (3, 3, 4))
    assert one.source.shape == (CHANNELS[derivation], 16, 16)
    assert one.target.shape == (3, 16, 16)
    assert torch.equal(one.source, again.source)
    assert not torch.equal(one.source, other.source)
    if derivation == "gray":
        torch.testing.assert_close(one.source, gray_of(one.target), atol=1 / 255, rtol=0)  # each is rounded to bytes
    assert samples.sheet(lambda source: source[:, :1]).shape == (1, 3, 64, 48)
    (whole,) = config.read(tmp_path)
    assert whole.target.shape == (3, 24, 48)


def test_label_pictures_go_in_by_the_colors_of_their_classes(tmp_path: Path) -> None:
    labels = np.array([[255, 0, 0], [0, 255, 0]], np.uint8)[np.kron([[0, 1], [1, 0]], np.ones((16, 16), int))]
    photo = np.kron(LEFT, np.ones((4, 4, 1), np.uint8))
    PillowImage.fromarray(np.concatenate([photo, labels], 1)).save(tmp_path / "a.jpg", quality=90)
    config = PairsConfig(source="right", labels="colors", colors=((255, 0, 0), (0, 255, 0)), resize=32, patch=24)
    facts = config.facts(tmp_path)
    assert facts["class_colors"] == [[255, 0, 0], [0, 255, 0]]
    pair = config.load(tmp_path).draw(0, torch.Generator())
    assert set(map(tuple, pair.source.flatten(1).T.tolist())) == {(1.0, 0.0, 0.0), (0.0, 1.0, 0.0)}
    (whole,) = config.read(tmp_path)
    torch.testing.assert_close(whole.source, tensor(labels), atol=0, rtol=0)


def test_the_baseline_has_the_channels_of_the_target() -> None:
    for before in (1, 3, 4):
        for after in (1, 3, 4):
            pair = Pair(torch.rand(2, before, 4, 4), torch.rand(2, after, 4, 4))
            assert pair.source_as_target.shape == pair.target.shape


def test_both_are_cropped_and_mirrored_alike(tmp_path: Path) -> None:
    PillowImage.fromarray(np.concatenate([LEFT, 255 - LEFT], 1)).save(tmp_path / "a.png")
    samples = PairsConfig(resize=8, patch=4).load(tmp_path)
    drawn = [samples.draw(0, torch.Generator().manual_seed(seed)) for seed in range(20)]
    for pair in drawn:
        torch.testing.assert_close(pair.source + pair.target, torch.ones(3, 4, 4))
    assert len({pair.source.flatten()[0].item() for pair in drawn}) > 5
    whole = [
        pair.source
        for pair in (
            PairsConfig(resize=8, patch=8).load(tmp_path).draw(0, torch.Generator().manual_seed(seed))
            for seed in range(20)
        )
    ]
    kept = [torch.allclose(one, tensor(LEFT)) for one in whole]
    assert any(kept) and not all(kept)
    assert all(
        torch.allclose(one, tensor(LEFT) if same else tensor(LEFT).flip(-1))
        for one, same in zip(whole, kept, strict=True)
    )


def test_what_cannot_be_is_refused(tmp_path: Path) -> None:
    PillowImage.new("RGB", (7, 4)).save(tmp_path / "a.png")
    with pytest.raises(LimnerError, match=r"have an even width, got .*a.png \(7 columns\): crop them"):
        PairsConfig().load(tmp_path)
    with pytest.raises(LimnerError, match="patch must be at most resize, got 9 and 8"):
        PairsConfig(patch=9, resize=8).load(tmp_path)


@pytest.mark.parametrize("source", ["left", "A"])
def test_hidden_colours_take_no_part(tmp_path: Path, source: str) -> None:
    alpha = np.full((8, 16, 1), 255, np.uint8)
    alpha[2:6, 2:14] = 0
    drawn = []
    for name, hidden in (("red", (255, 0, 0)), ("blue", (0, 0, 255))):
        shown = np.where(alpha > 0, np.concatenate([LEFT, RIGHT], 1), np.uint8(hidden))
        for part in ("A", "B", "."):
            (tmp_path / name / part).mkdir(parents=True, exist_ok=True)
            PillowImage.fromarray(np.concatenate([shown, alpha], -1)).save(tmp_path / name / part / "a.png")
        place = tmp_path / name if source == "A" else tmp_path / name / "A"
        drawn.append(PairsConfig(source=source, resize=8, patch=8, mirror=False).load(place).draw(0, torch.Generator()))
    torch.testing.assert_close(drawn[0], drawn[1], rtol=0, atol=0)
