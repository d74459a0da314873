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


def test_without_pairs_it_is_learnt_both_ways(limner: Callable, place: Path, drawn: Callable) -> None:
    for name in ("horse", "zebra"):
        for number in range(6):
            drawn(place / "both" / name / f"{number}.png", 32, 32)
    words = ["base_channels=2", "num_blocks=1", "discriminator_channels=2", "discriminator_layers=1"]
    settings = [word for text in [*words, "data.resize=32", "data.patch=32"] for word in ("--set", text)]
    done = limner("train", "cyclegan", "--data", "both", "--steps", 2, "--output", "run", *settings)
    assert done.code == 0, done.err
    assert "cycle L1, horse to zebra" in done.err
    assert "cycle L1 when blurred, zebra to horse" in done.err
    assert "likeness of light and dark, zebra to horse" in done.err
    results = {}
    for direction in ("AB", "zebra", "BA", "horse"):
        used = limner(
            "translate", "both/horse/1.png", "--model", "run", "--direction", direction, "-o", f"{direction}.png"
        )
        assert used.code == 0, used.err
        results[direction] = Path(f"{direction}.png").read_bytes()
    assert results["AB"] == results["zebra"] != results["BA"] == results["horse"]
    wrong = limner("translate", "both/horse/1.png", "--model", "run", "--direction", "zebr", "-o", "c.png")
    assert wrong.code == 2
    assert "translates horse to zebra (AB) and back (BA), got the direction 'zebr': did you mean zebra?" in wrong.error
