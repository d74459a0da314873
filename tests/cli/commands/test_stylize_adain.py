"""`limner stylize --method adain`: any picture as a style, in one pass."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as PillowImage

NOISY = np.random.default_rng(3)


def opened(path: str | Path) -> PillowImage.Image:
    with PillowImage.open(path) as image:
        image.load()
        return image


def pixels(path: str | Path) -> np.ndarray:
    return np.asarray(opened(path)).astype(int)


@pytest.fixture
def photo(place: Path, drawn: Callable, adain: str) -> Path:
    """`photo.png` beside the styles `red.png` and `rough.png`."""
    PillowImage.new("RGB", (40, 30), (230, 20, 20)).save("red.png")
    PillowImage.fromarray(NOISY.integers(0, 256, (40, 40, 3), dtype=np.uint8)).save("rough.png")
    return drawn(place / "photo.png", 48, 36)


@pytest.fixture
def paint(limner: Callable, photo: Path, adain: str) -> Callable[..., np.ndarray]:
    """Paint the photo and give back the pixels of the result."""

    def run(*arguments: object) -> np.ndarray:
        command = ["stylize", "photo.png", "--model", adain, "--precision", "exact", "-o", "a.png", "--force"]
        done = limner(*command, *arguments)
        assert (done.code, done.err, done.out) == (0, "", "a.png  48x36\n")
        return pixels("a.png")

    return run


def test_a_photo_is_painted_beside_itself(limner: Callable, photo: Path, adain: str) -> None:
    done = limner("stylize", "photo.png", "--style", "rough.png", "--method", "adain", "--model", adain)
    assert (done.code, done.err, done.out) == (0, "", "photo_rough_any_adain.png  48x36\n")
    assert opened("photo_rough_any_adain.png").size == (48, 36)


def test_styles_are_mixed_by_their_weights(paint: Callable) -> None:
    red, rough = paint("--style", "red.png"), paint("--style", "rough.png")
    assert np.abs(red - rough).max() > 3
    assert np.array_equal(paint("--style", "red.png:2", "--style", "red.png"), red)
    mixed = [paint("--style", f"red.png:{weight}", "--style", "rough.png") for weight in (0.001, 1, 1000)]
    assert np.abs(mixed[0] - rough).max() <= 1
    assert np.abs(mixed[2] - red).max() <= 1
    assert all(np.abs(mixed[1] - one).max() > 1 for one in (red, rough))


def test_masks_are_where_their_styles_are(limner: Callable, paint: Callable, adain: str) -> None:
    half = np.full((36, 48), 255, np.uint8)
    PillowImage.fromarray(half).save("mask.png")
    args = ["--style", "rough.png", "--mask", "mask.png", "--style", "red.png"]
    assert np.abs(paint(*args) - paint("--style", "rough.png")).max() <= 1
    half[:, 24:] = 0
    PillowImage.fromarray(half).save("mask.png")
    assert np.abs(paint(*args) - paint("--style", "rough.png")).max() > 1
    PillowImage.fromarray(half[:-1]).save("mask.png")
    error = limner("stylize", "photo.png", "--model", adain, *args).error
    assert error == "mask.png: a mask must be as large as the content, 48x36, got 48x35: resize it"


def test_the_result_does_not_depend_on_tiles(paint: Callable) -> None:
    args = ["--style", "rough.png", "--style", "red.png"]
    assert np.abs(paint(*args, "--tile", 16) - paint(*args)).max() <= 1


def test_strokes_may_be_wider(paint: Callable, adain: str) -> None:
    plain, wide = (paint("--style", "rough.png", *more) for more in ((), ("--stroke", "1.1")))
    assert plain.shape == wide.shape
    assert np.abs(plain - wide).max() > 1


def test_strength_scale_and_colours_count(paint: Callable) -> None:
    results = [
        paint("--style", "rough.png", *options)
        for options in ((), ("--strength", 0), ("--strength", 0.5), ("--style-scale", 0.5), ("--keep-colors",))
    ]
    for number, one in enumerate(results):
        assert all(np.abs(one - other).max() > 1 for other in results[:number])
    same = paint("--style", "red.png", "--keep-colors", "--strength", 0)
    assert np.array_equal(same, results[1])  # of the style nothing is left


def test_a_folder_is_painted_and_json_says_all(limner: Callable, photo: Path, drawn: Callable, adain: str) -> None:
    drawn(Path("in/a.png"), 40, 32, "RGBA")
    drawn(Path("in/b.jpg"), 32, 40)
    Path("in/c.png").write_bytes(b"no picture")
    styles = ["--style", "red.png:3", "--style", "rough.png"]
    done = limner("stylize", "in", "--model", adain, *styles, "--size", 32, "--quality", 90, "-o", "out", "--json")
    told = json.loads(done.out)
    assert done.code == 1
    assert (told["method"], told["styles"]) == ("adain", {"red.png": 3, "rough.png": 1})
    assert [(one["output"], one["width"], one["height"]) for one in told["files"]] == [
        ("out/a_red+rough_any.png", 32, 26),
        ("out/b_red+rough_any.jpg", 26, 32),
    ]
    assert [one["source"] for one in told["failed"]] == ["in/c.png"]
    assert opened("out/a_red+rough_any.png").mode == "RGBA"


def test_transparency_stays(limner: Callable, photo: Path, adain: str) -> None:
    clear = np.dstack([pixels(photo), NOISY.integers(0, 256, (36, 48))]).astype(np.uint8)
    PillowImage.fromarray(clear).save("clear.png")
    assert limner("stylize", "clear.png", "--style", "red.png", "--model", adain).code == 0
    assert np.array_equal(pixels("clear_red_any.png")[..., 3], clear[..., 3])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--start", "noise"], "--start is for the method gatys: leave it out, or choose that"),
        (["--preset", "paper"], "--preset is for the method gatys"),
        (["--quick"], "--quick is for the method gatys"),
        (["--steps", "3"], "--steps is for the method gatys"),
        (["--set", "beta=3"], "--set is for the method gatys"),
        (["--features", "vgg.pth"], "--features is for the method gatys"),
        (["--preview-every", "3"], "--preview-every is for the method gatys"),
        (["--strength", "1.5"], "strength must be between 0, the photo, and 1, the painting, got 1.5"),
        (["--style-scale", "0"], "the scale of a style must be above 0"),
        (["--style-scale", "0.1"], "a style must have 16 pixels a side or more, got 5x5: enlarge it"),
        (["--style", "red.png:0"], "the weight of a style must be above 0 and finite, got 0"),
        (["--style", "none.png"], "style must be a picture or one of composition-vii"),
        (["--mask", "none.png"], "none.png"),
        (["--mask", "red.png"], "red.png: a mask must be white where its style is wanted"),
        (["--model", "vdsr"], "vdsr is a vdsr, for limner upscale, not for stylize: name adain, "),
    ],
)
def test_what_does_not_fit_is_one_line(
    limner: Callable, photo: Path, adain: str, arguments: list[str], message: str
) -> None:
    done = limner("stylize", "photo.png", "--method", "adain", "--model", adain, "--style", "rough.png", *arguments)
    assert done.code == 2
    assert message in done.error
    assert not list(Path().glob("photo_*.png"))


def test_a_missing_style_is_told_before_any_of_many_photos(limner: Callable, photo: Path, adain: str) -> None:
    done = limner("stylize", "photo.png", "rough.png", "--model", adain)
    assert (
        done.code,
        "a style is missing: name a picture, or one of those that limner stylize --list shows" in done.error,
    ) == (2, True)


def test_fast_takes_no_masks_and_no_scale(limner: Callable, photo: Path, network: str) -> None:
    for arguments in (["--mask", "photo.png"], ["--style-scale", 2]):
        done = limner("stylize", "photo.png", "--model", network, "--style", "red", *arguments)
        assert done.code == 2
        assert (
            "is for the methods any-style, adain and gatys, got fast: leave it out, or choose one of them" in done.error
        )


def test_a_photo_that_memory_does_not_hold_is_painted_from_file_to_file(
    paint: Callable, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = paint("--style", "rough.png")
    monkeypatch.setattr("limner.verbs.stylize.stylize_many.BYTES_PER_PIXEL", 10**9)
    with monkeypatch.context() as patch:
        patch.setattr("limner.media.many_files.read_image", None)  # calling it would fail
        assert np.abs(paint("--style", "rough.png") - whole).max() <= 1
    assert np.abs(paint("--style", "rough.png", "--keep-colors") - whole).max() > 3  # which needs it whole
