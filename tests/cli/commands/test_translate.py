from collections.abc import Callable
from pathlib import Path

SMALL = [
    word for text in ("base_channels=2", "num_downs=4", "data.resize=32", "data.patch=32") for word in ("--set", text)
]  # fmt: skip


def test_a_system_that_is_trained_on_pairs_translates(limner: Callable, place: Path, drawn: Callable) -> None:
    drawn(place / "pairs" / "a.png", 64, 32)
    done = limner("train", "pix2pix", "--data", "pairs", "--steps", 1, "--output", "run", *SMALL)
    assert done.code == 0, done.err
    assert done.err.splitlines()[-1] == "use it with: limner translate photo.jpg --model run/model.safetensors"
    used = limner("translate", "pairs/a.png", "--model", "run/model.safetensors", "-o", "b.png")
    assert used.out == "b.png  64x32\n", used.err
    assert Path("b.png").is_file()
    assert (
        "vdsr is a vdsr, for limner upscale, not for translate: none is built in"
        in limner("translate", "pairs/a.png", "--model", "vdsr", "-o", "c.png").error
    )
