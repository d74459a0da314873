from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image as PillowImage

from limner.data.pairs import PairsConfig
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
    with pytest.raises(LimnerError, match=r"a.png has no picture of its name in"):
        PairsConfig(source="B").read(tmp_path)


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
    with pytest.raises(LimnerError, match="have an even width, got 7: crop it"):
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
