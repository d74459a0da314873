"""What a stranger does in the first hour: one style after another, a folder twice, a run as a model, wrong words."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from limner.media.names import Naming, model_name
from limner.verbs.stylize.named_styles import named_styles

QUICK = ["--steps", 1, "--device", "cpu", "--precision", "exact"]
RESTORE = ["--steps", 2, "--set", "network.down_channels=[4,4]", "--set", "network.up_channels=[4,4]"]
RESTORE += [
    "--device",
    "cpu",
    "--set",
    "network.skip_channels=[2,2]",
    "--set",
    "network.down_kernels=[3,3]",
    "--set",
    "network.up_kernels=[3,3]",
]


@pytest.fixture
def photos(place: Path, drawn: Callable) -> Path:
    for name in ("a.png", "b.jpg"):
        drawn(place / "in" / name, 64, 64)
    return Path("in")


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if not path.name.startswith("."))


def test_several_styles_give_as_many_files_and_each_says_what_painted(
    limner: Callable, place: Path, drawn: Callable
) -> None:
    drawn(place / "photo.png", 32, 24)
    for style in ("great-wave", "mosaic", "woodcut"):
        done = limner("stylize", "photo.png", "--style", style, "--device", "cpu")
        assert done.out == f"photo_{style}.png  32x24\n", done.err
        assert re.fullmatch(r"painted by many-styles in \d+\.\d s\n", done.err)
    told = json.loads(limner("stylize", "photo.png", "--style", "mosaic:2", "--style", "woodcut", "--json").out)
    assert told["model"] == "many-styles"
    assert names(place) == [
        "photo.png", "photo_great-wave.png", "photo_mosaic+woodcut.png", "photo_mosaic.png", "photo_woodcut.png",
    ]  # fmt: skip


def test_all_styles_of_the_house_have_names_of_their_own() -> None:
    from limner.verbs.stylize.style import Style
    from limner.verbs.stylize.stylize_names import stylize_naming

    made = {stylize_naming([Style(name)]).name("photo") for name in named_styles()}
    assert len(made) == len(named_styles()) >= 8


@pytest.mark.parametrize(
    ("template", "made"),
    [
        ("{stem}_{style}", "p_mosaic"),
        ("{style}-of-{stem}", "mosaic-of-p"),
        ("x {stem}{seed}", "x p3"),
        ("{stem}-{stem}", "p-p"),
    ],
)
def test_a_template_names_the_result(limner: Callable, place: Path, drawn: Callable, template: str, made: str) -> None:
    drawn(place / "p.png", 32, 24)
    done = limner(
        "stylize", "p.png", "--style", "mosaic", "--seed", 3, "--name", template, "--format", "webp", "--dry-run"
    )
    assert done.out.splitlines()[0] == f"p.png -> {made}.webp"


@pytest.mark.parametrize(
    ("template", "message"),
    [
        ("{stem}_{stile}", "--name knows the fields {stem}, {style}, {model}, {method}, {seed}, got {stile} in "),
        ("{stem}_{stile}", "did you mean style?"),
        ("{stem", "close its braces"),
        ("always", "takes a template with a field, got 'always'"),
        ("a/{stem}", "takes the name of a file, got 'a/{stem}': name folders with --output"),
        ("{stem:5}", "takes its fields as they are, got '{stem:5}': write {stem} alone"),
        ("{stem!r}", "takes its fields as they are, got '{stem!r}': write {stem} alone"),
        ("{stem}_new.png", "adds the suffix by itself, got '{stem}_new.png': leave .png out; --format chooses it"),
        ("{stem}.MP4", "leave .mp4 out"),
        ("{stem}\n", "takes the name of a file, got '{stem}\\n'"),
        ("\x1b{stem}", "takes the name of a file"),
    ],
)
def test_a_wrong_template_is_refused(
    limner: Callable, place: Path, drawn: Callable, template: str, message: str
) -> None:
    drawn(place / "p.png", 32, 24)
    assert message in limner("stylize", "p.png", "--style", "mosaic", "--name", template).error


COMMANDS: dict[str, list[object]] = {
    "upscale": ["upscale", "in", "--device", "cpu"],
    "stylize": ["stylize", "in", "--style", "mosaic", "--device", "cpu"],
    "gatys": ["stylize", "in", "--style", "mosaic", "--method", "gatys", "--size", 32, *QUICK],
    "denoise": ["restore", "denoise", "in", *RESTORE],
    "invert": ["invert", "in", "--layer", "relu1_1", "--size", 32, *QUICK],
    "texture": ["texture", "in", "--size", 32, "--set", 'layers={"relu1_1": 1}', *QUICK],
}


@pytest.mark.parametrize("name", COMMANDS)
def test_a_folder_can_be_named_twice(limner: Callable, photos: Path, name: str) -> None:
    first = limner(*COMMANDS[name])
    assert first.code == 0, first.err
    made = names(photos)
    assert len(made) == 4
    stamps = {path: path.stat().st_mtime_ns for path in photos.iterdir()}
    again = limner(*COMMANDS[name])
    assert (again.code, again.out) == (0, ""), again.err
    assert "passed by 2 made of others by an earlier run" in again.err
    assert "2 of them are there already" in again.err
    assert {path: path.stat().st_mtime_ns for path in photos.iterdir()} == stamps


def test_results_of_other_styles_scales_and_models_are_known_again() -> None:
    from limner.verbs.stylize.style import Style
    from limner.verbs.stylize.stylize_names import stylize_naming
    from limner.verbs.upscale.upscale import upscale_naming

    enlarging = upscale_naming(2)
    for name in ("p_x4", "p_x1.5", "p_x3_vdsr", "p_x8_srgan"):
        assert enlarging.made_from(name) == "p", name
    for name in ("p", "p_x", "p_xray", "p_2", "p_x2_mine"):
        assert enlarging.made_from(name) is None, name
    painting = stylize_naming([Style("my own.jpg")])
    for name in ("p_mosaic", "p_great-wave", "p_my_own", "p_mosaic_many-styles", "p_mosaic_gatys"):
        assert painting.made_from(name) == "p", name
    assert painting.made_from("p_holiday") is None


def test_a_bad_photo_of_many_stops_no_other(limner: Callable, photos: Path) -> None:
    (photos / "c.png").write_text("no picture")
    done = limner(*COMMANDS["denoise"], "--json")
    assert done.code == 1
    told = json.loads(done.out)
    assert [one["output"] for one in told["files"]] == ["in/a_denoised.png", "in/b_denoised.jpg"]
    assert [one["source"] for one in told["failed"]] == ["in/c.png"]


def test_a_folder_of_masks_has_the_names_of_the_photos(limner: Callable, photos: Path, drawn: Callable) -> None:
    for name in ("a", "b"):
        drawn(Path("masks") / f"{name}.png", 64, 64)
    assert limner("restore", "inpaint", "in", "--mask", "masks", *RESTORE).code == 0
    assert {"a_inpainted.png", "b_inpainted.jpg"} <= set(names(photos))
    (Path("masks") / "b.png").unlink()
    refused = limner("restore", "inpaint", "in", "--mask", "masks", "--force", *RESTORE)
    assert "masks: holds no mask for in/b.jpg: name it b.png" in refused.err


def test_the_folder_of_a_run_is_a_model_everywhere(
    limner: Callable, place: Path, drawn: Callable, tiny: Path, network: str
) -> None:
    drawn(place / "photo.png", 32, 24)
    for name, file in (("runs/big", tiny), ("runs/two", Path(network))):
        (place / name).mkdir(parents=True)
        file.rename(place / name / "model.safetensors")
    assert limner("upscale", "photo.png", "--model", "runs/big").out == "photo_x2_big.png  64x48\n"
    assert limner("stylize", "photo.png", "--model", "runs/two", "--style", "red").out == "photo_red_two.png  32x24\n"
    assert limner("export", "runs/big", "--format", "torchscript").out.startswith("big.pt  ")
    drawn(place / "set" / "a.png", 32, 32)
    words = ["evaluate", "super-resolution", "--data", "set", "--scale", 2, "--model"]
    assert limner(*words, "runs/big", "-o", "out").code == 0
    assert limner(*words, "runs/big/model.safetensors", "-o", "out", "--force").code == 0
    other = limner("upscale", "photo.png", "--model", "runs")
    assert "the folder of a run holds a model.safetensors, this one has none yet" in other.error


def test_the_picture_that_a_model_was_trained_with_names_its_style(
    limner: Callable, place: Path, drawn: Callable, network: str
) -> None:
    drawn(place / "photo.png", 32, 24), drawn(place / "paintings" / "red.jpg", 20, 20)
    words = ["stylize", "photo.png", "--model", network, "--style"]
    assert limner(*words, "paintings/red.jpg").code == 0
    assert limner(*words, "gone/blue.png").code == 0, "its name is enough"
    assert "paints red, blue, got 'rad': did you mean red?" in limner(*words, "rad").error


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["stylize", "p.png", "--style", "great-wav"], "did you mean great-wave?"),
        (["stylize", "p.png", "--style", "Great_Wave"], "did you mean great-wave?"),
        (["stylize", "p.png", "--style", "paintng.png"], "did you mean painting.png?"),
        (["stylize", "p.png", "--style", "mosaic", "--model", "many-style"], "did you mean many-styles or any-style?"),
        (["upscale", "p.png", "--model", "edsr_x2"], "did you mean edsr-x2"),
        (["upscale", "p.png", "--model", "nope"], "there is no model 'nope': name edsr-x2, edsr-x3, edsr-x4, perc"),
        (["generate", "--model", "nope"], "there is no model 'nope': name chairs, digits-"),
        (
            ["translate", "p.png", "--model", "vdsr"],
            "vdsr is a vdsr, for limner upscale, not for translate: name facades",
        ),
        (["texture", "--method", "network", "--model", "texture-stary-night"], "did you mean texture-starry-night?"),
        (["train", "pixtopix", "--data", "."], "did you mean pix2pix?"),
        (["train", "vdsr", "--data", ".", "--preset", "papre"], "did you mean paper?"),
        (["invert", "p.png", "--layer", "relu41"], "did you mean relu4_1"),
        (["imagine", "rellu4_1:3"], "did you mean relu4_1"),
        (["upscale", "p.png", "--scal", "2"], "did you mean --scale?"),
        (["stylize", "p.png", "--styl", "mosaic"], "did you mean"),
        (["evaluate", "super-resolution", "--data", "d", "--protocol", "sr-y-shav"], "did you mean sr-y-shave"),
        (["weights", "fetch", "vgg91"], "did you mean vgg19"),
        (["restore", "denoise", "p.png", "--preset", "cod"], "did you mean code?"),
    ],
)
def test_a_wrong_word_is_answered_by_the_right_one(
    limner: Callable, place: Path, drawn: Callable, words: list[str], message: str
) -> None:
    drawn(place / "p.png", 64, 64), drawn(place / "painting.png"), drawn(place / "d" / "a.png")
    refused = limner(*words)
    assert refused.code == 2
    assert message.lower() in refused.error.lower()


def test_a_model_has_a_name() -> None:
    assert model_name("net.onnx") == "net"
    assert Naming("{model}", model="a/b c").name() == "a_b_c"
