"""`limner stylize` and `limner texture`: one file from one line, bad input in one line."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as PillowImage

from limner.catalog.models import build
from limner.files import image
from limner.files.weights import Header, save_weights
from limner.verbs import texture
from limner.verbs.stylize import stylize

QUICK = ["--steps", "2", "--size", "32", "--seed", "1"]
GATYS = ["--method", "gatys"]
SHALLOW_STYLE = ["--set", 'style_layers={"relu1_1": 1}', "--set", 'content_layers={"relu2_1": 1}']
SHALLOW_TEXTURE = ["--set", 'layers={"relu1_1": 1, "pool1": 1}']


def opened(path: str | Path) -> PillowImage.Image:
    with PillowImage.open(path) as image:
        image.load()
        return image


@pytest.fixture
def photo(place: Path, drawn: Callable) -> Path:
    drawn(place / "style.png", 40, 30)
    return drawn(place / "photo.png", 48, 36)


def test_a_photo_is_stylized_beside_itself(limner: Callable, photo: Path) -> None:
    done = limner("stylize", photo.name, "--style", "style.png", *QUICK, *SHALLOW_STYLE)
    assert (done.code, done.err) == (0, "")
    assert done.out.startswith("photo_style.png  32x24  2 steps, ")
    assert opened("photo_style.png").size == (32, 24)
    assert sorted(path.name for path in photo.parent.iterdir()) == ["photo.png", "photo_style.png", "style.png"]


def test_json_says_all(limner: Callable, photo: Path) -> None:
    two = ["--style", "style.png:0.5", "--style", "photo.png"]
    done = limner("stylize", photo.name, *two, "--json", "-o", "a.png", *QUICK, *SHALLOW_STYLE)
    told = json.loads(done.out)
    assert (told["output"], told["width"], told["height"], told["steps"]) == ("a.png", 32, 24, 2)
    assert set(told["losses"]) == {"style", "content", "variation"}
    assert told["ended"] == "all steps"


def test_one_seed_gives_one_picture_and_another_another(limner: Callable, photo: Path) -> None:
    for name, seed in [("a.png", 1), ("b.png", 1), ("c.png", 2)]:
        done = limner("texture", photo.name, *QUICK, "--seed", seed, "-o", name, *SHALLOW_TEXTURE)
        assert done.code == 0, done.err
    one, again, other = (np.asarray(opened(name)) for name in ("a.png", "b.png", "c.png"))
    assert np.array_equal(one, again)
    assert not np.array_equal(one, other)


def test_a_texture_has_the_size_that_is_asked_for(limner: Callable, photo: Path) -> None:
    done = limner("texture", photo.name, "--steps", 3, "--size", "40x26", "--seamless", *SHALLOW_TEXTURE)
    assert done.out.startswith("photo_texture.png  40x26  3 steps, ")


def test_transparency_depth_and_photo_size_stay(limner: Callable, place: Path, drawn: Callable) -> None:
    drawn(place / "photo.png", 48, 36, "RGBA")
    drawn(place / "style.png", 40, 30)
    args = ["--style", "style.png", "--steps", 2, "--size", "photo", "--keep-colors", *SHALLOW_STYLE]
    assert limner("stylize", "photo.png", *args).code == 0
    result = opened("photo_style.png")
    assert (result.size, result.mode) == ((48, 36), "RGBA")
    assert np.array_equal(np.asarray(result)[..., 3], np.asarray(opened("photo.png"))[..., 3])


def test_previews_come_and_go(limner: Callable, photo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []
    write = image.write_image

    def spy(path: Path, picture: object, **options: object) -> None:
        seen.append(Path(path).name)
        write(path, picture, **options)

    monkeypatch.setattr("limner.cli.work.growing_picture.write_image", spy)
    limner("texture", photo.name, *QUICK, "--steps", 6, "--preview-every", 3, *SHALLOW_TEXTURE)
    assert seen == ["photo_texture_preview.png", "photo_texture_preview.png", "photo_texture.png"]
    assert not Path("photo_texture_preview.png").exists()


def test_masks_are_where_their_styles_are(limner: Callable, photo: Path) -> None:
    half = np.zeros((36, 48), np.uint8)
    half[:, :24] = 255
    PillowImage.fromarray(half).save("mask.png")
    args = ["--style", "style.png", "--mask", "mask.png", *QUICK, *SHALLOW_STYLE]
    assert limner("stylize", photo.name, *args).code == 0
    PillowImage.fromarray(half[:-1]).save("mask.png")
    error = limner("stylize", photo.name, *args, "--force").error
    assert error == "mask.png: a mask must be as large as the content, 48x36, got 48x35: resize it"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["none.png", "--style", "style.png"], "none.png: there is no such file: check the name"),
        (["photo.png", "--style", "none.png"], "style must be a picture or one of composition-vii, great-wave, "),
        (["photo.png"], "a style is missing: choose one with --style, a picture or one of limner stylize --list"),
        ([], "stylize takes one photo or more, got none"),
        (["photo.png", "--style", "style.png", "--strength", "2"], "strength must be between 0, the photo, and 1, "),
        (["photo.png", "--style", "style.png", "--tile", "64", *GATYS], "--tile is for the methods fast"),
        (["photo.png", "--style", "mosaic", "--method", "fast", "--quick"], "--quick is for the method gatys"),
        (["photo.png", "--style", "style.png", "--stroke", "wide"], "--stroke takes a number, such as 2, or auto, got"),
        (["photo.png", "--style", "mosaic", "--stroke", "-1"], "stroke must be auto or a number above 0, got -1"),
        (["photo.png", "--style", "style.png", "--stroke", "2", *GATYS], "--stroke is for the methods fast, any-style"),
        (["photo.png", "--style", "style.png", "--size", "large"], "--size takes a number of pixels or photo"),
        (["photo.png", "--style", "style.png", "--quick", "--preset", "paper"], "--quick and --preset paper are two"),
        (["photo.png", "--style", "style.png", "--size", "16", *GATYS], "the content must have 32 pixels a side"),
        (["photo.png", "--style", "style.png", "--mask", "a.png", "--mask", "b.png"], "2 masks need as many styles"),
        (["photo.png", "--style", "style.png:0"], "the weight of a style must be above 0 and finite, got 0"),
        (["photo.png", "--style", "style.png:inf"], "the weight of a style must be above 0 and finite, got inf"),
        (["photo.png", "--style", "style.png", "--set", "passes=[]"], "StyleConfig.passes: "),
        (["photo.png", "--style", "style.png", "--set", "style_layers={}"], "StyleConfig.style_layers: "),
        (["photo.png", "--style", "style.png", "--backend", "openvino", *GATYS], "--backend is for the methods fast"),
        (["photo.png", "--style", "style.png", "--style-scale", "0"], "the scale of a style must be above 0, got 0"),
        (["photo.png", "--style", "style.png", "--features", "style.png"], "style.png is no whole file of tensors"),
        (["photo.png", "--style", "style.png", "-o", "photo.png", *GATYS], "photo.png: is already there: pass --force"),
        (["photo.png", "--style", "style.png", "--set", "beta=3"], "StyleConfig has no field 'beta'"),
        (["photo.png", "--style", "style.png", "--resume", *GATYS], "there is no state of a run that was stopped"),
    ],
)  # fmt: skip
def test_bad_input_is_one_line(limner: Callable, photo: Path, arguments: list[str], message: str) -> None:
    done = limner("stylize", *arguments)
    assert done.code == 2
    assert message in done.error
    assert sorted(path.name for path in photo.parent.iterdir()) == ["photo.png", "style.png"]


def test_bad_textures_are_one_line(limner: Callable, photo: Path, drawn: Callable) -> None:
    PillowImage.new("RGB", (64, 64), (9, 9, 9)).save("flat.png")
    drawn(photo.parent / "small.png", 16, 16)
    assert "the source is of one colour" in limner("texture", "flat.png").error
    PillowImage.new("RGB", (64, 64), (120, 60, 30)).save("brown.png")
    assert "the source is of one colour" in limner("texture", "brown.png").error
    assert "the source must have 64 pixels a side or more" in limner("texture", "small.png").error
    assert "--size takes a number of pixels, or WIDTHxHEIGHT" in limner("texture", photo.name, "--size", "4x").error


def test_what_was_stopped_is_kept_and_goes_on(limner: Callable, photo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from limner.cli.work.growing_picture import GrowingPicture

    args = ["texture", photo.name, *QUICK, "--steps", 9, *SHALLOW_TEXTURE]
    limner(*args, "-o", "whole.png")
    watch = GrowingPicture.watch
    with monkeypatch.context() as patched:
        patched.setattr(GrowingPicture, "watch", lambda self, progress: watch(self, progress) or progress.step == 4)
        done = limner(*args, "-o", "a.png")
    assert done.code == 1
    assert done.out.startswith("a.png  ")
    assert done.err == "stopped after 4 steps: the picture is what was reached; --resume goes on with it\n"
    assert opened("a.png").size == (32, 32)
    assert limner(*args, "-o", "a.png").code == 2
    assert limner(*args, "-o", "a.png", "--resume").code == 0
    assert np.array_equal(np.asarray(opened("a.png")), np.asarray(opened("whole.png")))


def test_what_was_stopped_while_it_was_small_is_as_large_as_asked(
    limner: Callable, photo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from limner.cli.work.growing_picture import GrowingPicture

    args = ["stylize", photo.name, "--style", "style.png", "--strength", "0.5", *QUICK, "--steps", 8, *SHALLOW_STYLE]
    watch = GrowingPicture.watch
    with monkeypatch.context() as patched:
        patched.setattr(GrowingPicture, "watch", lambda self, progress: watch(self, progress) or progress.step == 1)
        done = limner(*args)
    assert done.err == "stopped after 1 steps: the picture is what was reached; --resume goes on with it\n"
    assert opened("photo_style.png").size == (32, 24)
    other = limner(*args, "--resume", "--style", "photo.png", "-o", "photo_style.png")
    assert (other.code, "was made of other pictures or options" in other.error) == (2, True)
    assert limner(*args, "--resume").code == 0
    assert sorted(path.name for path in photo.parent.iterdir()) == ["photo.png", "photo_style.png", "style.png"]


def test_a_preview_shows_the_strength_that_was_asked_for(
    limner: Callable, photo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from limner.cli.work.growing_picture import GrowingPicture

    seen = []
    monkeypatch.setattr(GrowingPicture, "watch", lambda self, progress: seen.append(progress.image))
    args = ["--style", "style.png", "--strength", "0", "--size", "photo", "--steps", "3", *SHALLOW_STYLE]
    assert limner("stylize", photo.name, *args).code == 0
    told = np.round(255 * seen[-1][0].permute(1, 2, 0).numpy())
    assert np.array_equal(told, np.asarray(opened(photo)))


def test_a_picture_that_is_called_as_a_preview_is_safe(limner: Callable, photo: Path) -> None:
    args = ["texture", photo.name, *QUICK, *SHALLOW_TEXTURE, "-o", "a.png"]
    kept = Path("a_preview.png")
    kept.write_bytes(b"my own")
    assert limner(*args).code == 0
    assert kept.read_bytes() == b"my own"
    error = limner(*args, "-o", "b.png", "--preview-every", 1).code
    assert error == 0
    message = "a_preview.png: is already there, and previews go there: move it, or name another --output"
    Path("a.png").unlink()
    assert limner(*args, "--preview-every", 1).error == message
    assert kept.read_bytes() == b"my own"


def test_presets_are_named_in_the_order_of_their_cost() -> None:
    for passes in (
        {name: config.passes for name, config in stylize.PRESETS.items()},
        {name: config.passes for name, config in texture.PRESETS.items()},
    ):
        steps = {name: sum(one.optimize.steps for one in ones) for name, ones in passes.items()}
        assert steps["quick"] < steps["modern"] < steps["paper"]


def test_the_authors_presets_begin_where_they_do(limner: Callable, photo: Path) -> None:
    """`released` with the photo, which one step leaves recognisable; `paper` with noise."""
    apart = {}
    for preset in ("released", "paper"):
        args = ["--method", "gatys", "--preset", preset, "--steps", 1, "--size", 48, "-o", f"{preset}.png"]
        assert limner("stylize", photo.name, "--style", "style.png", *args).code == 0
        difference = np.asarray(opened(f"{preset}.png").convert("RGB"), float) - np.asarray(
            opened(photo).convert("RGB")
        )
        apart[preset] = np.abs(difference).mean()
    assert apart["released"] < 0.5 * apart["paper"]


def color_of(path: str) -> list[int]:
    pixels = np.asarray(opened(path).convert("RGB")).reshape(-1, 3)
    assert (pixels.max(0) - pixels.min(0)).max() <= 1
    return pixels.mean(0).round().astype(int).tolist()


def test_a_network_paints_in_the_style_that_is_named(limner: Callable, photo: Path, network: str) -> None:
    done = limner("stylize", "photo.png", "--model", network, "--style", "blue")
    assert (done.code, done.err) == (0, "")
    assert done.out == "photo_blue_two.png  48x36\n"
    assert color_of("photo_blue_two.png") == pytest.approx([128, 128, 255], abs=1)


def test_styles_are_mixed_by_their_weights(limner: Callable, photo: Path, network: str) -> None:
    mixed = ["--style", "blue:3", "--style", "red", "--precision", "exact"]
    assert limner("stylize", "photo.png", "--model", network, *mixed).code == 0
    assert color_of("photo_blue+red_two.png") == pytest.approx([128 + 32, 128, 128 + 96], abs=1)


def test_folders_are_painted_and_a_bad_file_holds_nobody_up(
    limner: Callable, place: Path, drawn: Callable, network: str
) -> None:
    drawn(place / "in" / "a.png", 21, 18)
    drawn(place / "in" / "b.jpg", 20, 16)
    (place / "in" / "c.png").write_bytes(b"no picture")
    done = limner("stylize", "in", "--model", network, "--style", "red", "-o", "out", "--json")
    assert done.code == 1
    told = json.loads(done.out)
    assert [(one["output"], one["width"], one["height"]) for one in told["files"]] == [
        ("out/a_red_two.png", 21, 18),
        ("out/b_red_two.jpg", 20, 16),
    ]
    assert [one["source"] for one in told["failed"]] == ["in/c.png"]
    assert "2 of 3 photos are painted" in done.err
    assert opened("out/a_red_two.png").size == (21, 18)


def test_size_strength_and_colours(limner: Callable, photo: Path, network: str) -> None:
    same = ["stylize", "photo.png", "--model", network, "--style", "blue"]
    assert limner(*same, "--size", 24, "-o", "small.png").code == 0
    assert opened("small.png").size == (24, 18)
    assert limner(*same, "--strength", 0, "-o", "photo_again.png").code == 0
    assert np.abs(np.asarray(opened("photo_again.png")).astype(int) - np.asarray(opened("photo.png"))).max() <= 1
    assert limner(*same, "--keep-colors", "-o", "colored.png").code == 0
    before, after = (np.asarray(opened(name).convert("YCbCr")).astype(int) for name in ("photo.png", "colored.png"))
    assert np.ptp(after[..., 0]) < 0.1 * np.ptp(before[..., 0])
    assert np.ptp(after[..., 1:]) > 0.3 * np.ptp(before[..., 1:])


def test_a_photo_that_memory_does_not_hold_is_painted_from_file_to_file(
    limner: Callable, place: Path, drawn: Callable, network: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("in/a.png", "in/b.png"):
        drawn(place / name, 48, 36, "RGBA")
    args = ["stylize", "in", "--model", network, "--style", "red", "--strength", "0.5", "--precision", "exact"]
    assert limner(*args, "-o", "whole").code == 0
    monkeypatch.setattr("limner.verbs.stylize.stylize_many.BYTES_PER_PIXEL", 10**9)
    monkeypatch.setattr("limner.media.many_files.read_image", None)  # calling it would fail
    done = limner(*args, "-o", "parts")
    assert (done.code, done.err) == (0, "")
    assert done.out == "parts/a_red_two.png  48x36\nparts/b_red_two.png  48x36\n"
    whole, parts = (np.asarray(opened(f"{folder}/a_red_two.png"), int) for folder in ("whole", "parts"))
    assert np.abs(whole - parts).max() <= 1


def test_a_photo_that_is_made_smaller_is_read_whole(
    limner: Callable, photo: Path, network: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("limner.verbs.stylize.stylize_many.BYTES_PER_PIXEL", 10**9)
    assert limner("stylize", "photo.png", "--model", network, "--style", "red", "--size", 24).code == 0
    assert opened("photo_red_two.png").size == (24, 18)


def test_a_texture_network_paints(limner: Callable, photo: Path) -> None:
    config = {"num_scales": 2, "channels": 2, "norm": "instance", "content_weight": 1.0}
    header = Header(system="texture-network", config=config)
    save_weights(photo.parent / "painter.safetensors", build("texture-network", config).state_dict(), header)
    for name, seed in [("a.png", 1), ("b.png", 1), ("c.png", 2)]:
        done = limner("stylize", "photo.png", "--model", "painter.safetensors", "--seed", seed, "-o", name)
        assert (done.code, done.err, done.out) == (0, "", f"{name}  48x36\n")
    one, again, other = (np.asarray(opened(name)) for name in ("a.png", "b.png", "c.png"))
    assert np.array_equal(one, again) and not np.array_equal(one, other)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--style", "green"], "two.safetensors paints red, blue, got 'green'"),
        (["--style", "red:-1"], "the weight of a style must be above 0 and finite, got -1"),
        (["--style", "red", "--steps", "3", "--method", "fast"], "--steps is for the method gatys"),
        (
            ["--style", "red", "--model", "vdsr"],
            "vdsr is a vdsr, for limner upscale, not for stylize: name many-styles, ",
        ),
        (["--style", "red", "--strength", "-0.1"], "strength must be between 0"),
    ],
)
def test_what_a_network_does_not_do_is_one_line(
    limner: Callable, photo: Path, network: str, arguments: list[str], message: str
) -> None:
    done = limner("stylize", "photo.png", "--model", network, *arguments)
    assert done.code == 2
    assert message in done.err
    assert not list(Path().glob("photo_*.png"))


def test_the_styles_are_listed_with_a_sheet(limner: Callable, place: Path) -> None:
    done = limner("stylize", "--list", "-o", "sheet.png")
    *names, sheet = done.out.splitlines()
    assert sheet == "sheet.png"
    assert {"great-wave", "starry-night", "mosaic", "woodcut"} <= set(names)
    assert len(names) >= 8
    assert opened("sheet.png").width > 4 * 240
    assert limner("stylize", "--list", "-o", "sheet.png").code == 2  # it is there already
