"""Which of four ways paints some styles, with and without embedded networks."""

import shutil
from pathlib import Path

import pytest
import torch
from PIL import Image as PillowImage

from limner import LimnerError, Style, stylize
from limner.catalog import models as catalog
from limner.catalog.models import build
from limner.files.weights import Header, save_weights
from limner.runtime.run_options import RunOptions
from limner.systems.feedforward.adain import AdaINConfig
from limner.systems.feedforward.any_style import ANY_SLIM, AnyStyleConfig
from limner.systems.feedforward.fast_style import SLIM, FastStyleConfig
from limner.systems.feedforward.many_styles import RELEASED_SLIM, ManyStylesConfig
from limner.verbs import learnt_styles
from limner.verbs.stylize import stylize as verb
from limner.verbs.stylize.methods import chosen_method, kept_model, model_of_names, new_painting, one_pass_painter

NARROW = AdaINConfig(channels=(8, 4, 4))
PREDICTED = ANY_SLIM.model_copy(update={"channels": (4, 4, 4), "num_blocks": 0, "hidden": 4, "embedding": 3})
KNOWN = SLIM.model_copy(update={"channels": (4, 4, 4), "num_blocks": 0, "styles": ("mosaic", "woodcut")})


def save(path: Path, system: str, config: AdaINConfig | AnyStyleConfig | FastStyleConfig | ManyStylesConfig) -> None:
    torch.manual_seed(0)
    plain = config.model_dump(mode="json")
    save_weights(path, build(system, plain).state_dict(), Header(system=system, config=plain))


@pytest.fixture
def place(tmp_path, monkeypatch) -> Path:
    """A folder with `painting.png` and a model of each kind, where no network is embedded yet."""
    (tmp_path / "embedded").mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(catalog, "WEIGHTS", tmp_path / "embedded")
    PillowImage.new("RGB", (40, 40), (200, 40, 40)).save("painting.png")
    save(tmp_path / "any.safetensors", "adain", NARROW)
    save(tmp_path / "predicted.safetensors", "any-style", PREDICTED)
    save(tmp_path / "two.safetensors", "fast-style", KNOWN)
    return tmp_path


@pytest.fixture
def embed(place):
    """Embeds `many-styles`, `any-style` or `adain`."""
    files = {"many-styles": "two.safetensors", "any-style": "predicted.safetensors", "adain": "any.safetensors"}
    return lambda name: (place / "embedded" / f"{name}.safetensors").write_bytes((place / files[name]).read_bytes())


MOSAIC, PAINTING = Style("mosaic"), Style("painting.png")
MASKED, SCALED = Style("mosaic", mask="mask.png"), Style("mosaic", scale=0.5)


@pytest.mark.parametrize(
    ("styles", "embedded", "expected"),
    [
        ([MOSAIC], [], "gatys"),
        ([MOSAIC], ["many-styles"], "fast"),
        ([MOSAIC], ["adain"], "adain"),
        ([MOSAIC], ["many-styles", "adain"], "fast"),
        ([MOSAIC], ["many-styles", "any-style"], "fast"),
        ([PAINTING], ["any-style"], "any-style"),
        ([PAINTING], ["many-styles", "adain", "any-style"], "any-style"),
        ([MASKED, MOSAIC], ["many-styles", "adain", "any-style"], "any-style"),
        ([PAINTING], ["many-styles"], "gatys"),
        ([PAINTING], ["many-styles", "adain"], "adain"),
        ([MOSAIC, PAINTING], ["many-styles"], "gatys"),
        ([MOSAIC, PAINTING], ["many-styles", "adain"], "adain"),
        ([Style("the-scream")], ["many-styles", "adain"], "adain"),  # a name, of which the network does not know
        ([MASKED, MOSAIC], ["many-styles"], "gatys"),
        ([MASKED, MOSAIC], ["many-styles", "adain"], "adain"),
        ([SCALED], ["many-styles"], "gatys"),
        ([SCALED], ["many-styles", "adain"], "adain"),
    ],
)
def test_auto_takes_the_first_that_can(embed, styles, embedded, expected):
    for name in embedded:
        embed(name)
    assert chosen_method(styles, "auto") == expected
    assert chosen_method(styles, "auto", of_gatys=["--steps"]) == "gatys"


@pytest.mark.parametrize("styles", [[MOSAIC], [PAINTING], [MOSAIC, PAINTING]])
def test_quick_takes_what_is_there_at_once(embed, styles):
    embed("adain")
    assert chosen_method(styles, "auto", quick=True) == chosen_method(styles, "auto") == "adain"
    assert chosen_method(styles, "auto", quick=True, of_gatys=["--steps"]) == "gatys"
    assert chosen_method(styles, "gatys", quick=True) == "gatys"
    with pytest.raises(LimnerError, match="--quick is for the method gatys: leave it out, or choose that"):
        chosen_method(styles, "adain", quick=True)


def test_one_painting_can_be_learnt_where_there_is_what_learns_it(place, embed, monkeypatch):
    monkeypatch.setattr(learnt_styles, "fetched_folder", lambda: place / "kept")
    embed("adain")
    assert new_painting([PAINTING]) is None
    config = RELEASED_SLIM.model_copy(update={"channels": (4, 4, 4), "num_blocks": 0, "styles": ("mosaic", "wave")})
    save(place / "embedded" / "many-styles.safetensors", "many-styles", config)
    assert (chosen_method([PAINTING], "auto"), chosen_method([PAINTING], "auto", learn=True)) == ("adain", "fast")
    assert chosen_method([PAINTING], "auto", learn=True, of_gatys=["--steps"]) == "gatys"
    assert new_painting([PAINTING]) == new_painting([Style(Path("painting.png"), weight=3)]) == Path("painting.png")
    for others in ([MOSAIC], [PAINTING, PAINTING], [Style("painting.png", scale=2)], [Style(torch.rand(3, 9, 9))]):
        assert new_painting(others) is None
    with pytest.raises(LimnerError, match="the weight of a style must be above 0"):
        new_painting([Style("painting.png", weight=0)])
    (place / "kept" / "styles").mkdir(parents=True)
    shutil.copyfile("embedded/many-styles.safetensors", learnt_styles.kept_as("painting.png"))
    assert new_painting([PAINTING]) is None
    assert kept_model([PAINTING]) == str(learnt_styles.kept_as("painting.png"))
    assert kept_model([MOSAIC]) is None  # of its name, but an embedded network knows that


def test_the_verb_learns_only_when_it_is_asked_to(place, embed, monkeypatch):
    learnt = []
    monkeypatch.setattr(learnt_styles, "fetched_folder", lambda: place / "kept")
    embed("adain")
    config = RELEASED_SLIM.model_copy(update={"channels": (4, 4, 4), "num_blocks": 0, "styles": ("one",)})
    save(place / "embedded" / "many-styles.safetensors", "many-styles", config)

    def learn_style(painting, *, device):
        (place / "kept" / "styles").mkdir(parents=True)
        learnt.append(shutil.copyfile("embedded/many-styles.safetensors", learnt_styles.kept_as(painting)))

    monkeypatch.setattr(verb, "learn_style", learn_style)
    image = torch.rand(3, 40, 24)
    at_once = stylize(image, "painting.png")
    assert not learnt
    better = stylize(image, "painting.png", learn=True)
    assert learnt == [learnt_styles.kept_as("painting.png")]
    assert torch.equal(better, stylize(image, "painting.png"))
    assert not torch.equal(better, at_once)


def test_a_model_says_its_method(place):
    assert chosen_method([PAINTING], "auto", "any.safetensors") == "adain"
    assert chosen_method([PAINTING], "auto", "predicted.safetensors") == "any-style"
    assert chosen_method([MOSAIC], "auto", "two.safetensors") == "fast"
    with pytest.raises(LimnerError, match="no weight file at none"):
        chosen_method([PAINTING], "auto", "none.safetensors")


def test_a_file_of_ones_own_goes_before_a_name(place, embed):
    embed("many-styles")
    (place / "mosaic").write_bytes((place / "painting.png").read_bytes())
    assert chosen_method([MOSAIC], "auto") == "gatys"


@pytest.mark.parametrize("method", ["fast", "any-style", "adain"])
def test_an_option_of_another_method_is_refused(place, method):
    assert chosen_method([MOSAIC], method) == method
    with pytest.raises(LimnerError, match="--steps is for the method gatys: leave it out, or choose that"):
        chosen_method([MOSAIC], method, of_gatys=["--steps"])
    with pytest.raises(
        LimnerError, match="--tile is for the methods fast, any-style and adain: leave it out, or choose"
    ):
        chosen_method([MOSAIC], "gatys", of_one_pass=["--tile"])
    with pytest.raises(LimnerError, match="--model is for the methods fast, any-style and adain"):
        chosen_method([MOSAIC], "auto", "any.safetensors", of_gatys=["--steps"], of_one_pass=["--model"])


@pytest.mark.parametrize("style", [MASKED, SCALED])
def test_fast_takes_neither_masks_nor_scales(place, style):
    with pytest.raises(
        LimnerError, match="a mask or a scale of a style is for the methods any-style, adain and gatys, got fast"
    ):
        one_pass_painter("fast", [style], "two.safetensors")


@pytest.mark.parametrize("method", ["fast", "any-style", "adain"])
def test_what_is_not_embedded_is_named_with_a_mend(place, method):
    with pytest.raises(LimnerError, match="comes with this Limner: name as the model one that limner train"):
        one_pass_painter(method, [MOSAIC])


def test_the_verb_paints_as_it_is_given(place):
    image, style = torch.rand(3, 40, 24), torch.rand(3, 40, 40)
    options = {"model": "any.safetensors", "precision": "exact"}
    painted = stylize(image, style, **options)
    assert painted.shape == image.shape
    assert torch.equal(painted, stylize(image, [style], method="adain", size="photo", **options))
    expected = one_pass_painter(
        "adain", [Style(style)], "any.safetensors", options=RunOptions(precision="exact")
    ).paint(image[None])[0]
    assert torch.equal(painted, expected)
    assert stylize(image, style, size=30, **options).shape == (3, 30, 18)
    PillowImage.new("RGBA", (32, 24), (90, 80, 20, 77)).save("photo.png")
    assert stylize("photo.png", "painting.png", **options) == "photo_painting_any.png"
    with PillowImage.open("photo_painting_any.png") as result:
        assert (result.size, result.mode, result.getchannel("A").getextrema()) == ((32, 24), "RGBA", (77, 77))


@pytest.mark.parametrize("given", ["preset", "features", "watch"])
def test_the_verb_refuses_what_its_method_does_not_have(place, given):
    option = {"preset": "quick", "features": "vgg.pth", "watch": lambda progress: None}[given]
    image = torch.rand(3, 40, 24)
    with pytest.raises(LimnerError, match=f"{given} is for the method gatys"):
        stylize(image, image, method="adain", model="any.safetensors", **{given: option})
    with pytest.raises(LimnerError, match="model is for the methods fast, any-style and adain"):
        stylize(image, image, model="any.safetensors", **{given: option})


def test_the_embedded_network_paints_the_names_that_it_knows(place, embed):
    embed("many-styles")
    assert model_of_names([MOSAIC]) == model_of_names([Style("woodcut"), MOSAIC]) == "many-styles"
    assert model_of_names([Style("wave"), Style("woodcut")]) is None
    assert model_of_names([MASKED]) is None
    photo = torch.rand(1, 3, 16, 16)
    by_name, by_model = (
        one_pass_painter("fast", [Style("woodcut")], model).paint(photo) for model in (None, "many-styles")
    )
    assert torch.equal(by_name, by_model)
    (place / "mosaic").write_bytes((place / "painting.png").read_bytes())
    assert model_of_names([MOSAIC]) is None
