from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image as PillowImage
from PIL import ImageCms
from tests.runtime.conditional_networks import ByClass, Generator, Segmenter, Spade, TwoHeaded

from limner.errors import LimnerError
from limner.files.image import Picture, read_image, write_image
from limner.files.weights import Header, save_weights
from limner.ops.resample import imresize
from limner.runtime.export import write_export
from limner.runtime.run_options import RunOptions
from limner.systems.feedforward.srresnet import SRResNet, SRResNetConfig
from limner.systems.feedforward.vdsr import VDSR, VDSRConfig
from limner.verbs import run as run_module
from limner.verbs.export import export
from limner.verbs.run import ExportedModel, result_path, run
from limner.verbs.run_inputs import named_inputs
from limner.verbs.upscale.upscale import Upscaler

SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
SYSTEMS = {
    "vdsr": (VDSR, VDSRConfig(num_layers=3, channels=4, fold=2)),
    "srresnet": (SRResNet, SRResNetConfig(num_blocks=1, channels=4)),
}
FILES = [
    pytest.param("torchscript", "pt"),
    pytest.param("openvino", "xml", marks=pytest.mark.skipif(not find_spec("openvino"), reason="extra")),
    pytest.param("onnx", "onnx", marks=pytest.mark.skipif(not find_spec("onnxscript"), reason="extra")),
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write the weights of two small systems that change a picture by a few levels."""
    folder = tmp_path_factory.mktemp("models")
    torch.manual_seed(0)
    for name, (kind, config) in SYSTEMS.items():
        system = kind(config)
        with torch.no_grad():
            [*system.parameters()][-1].mul_(0.05)
        header = Header(system=name, config=config.model_dump())
        save_weights(folder / f"{name}.safetensors", system.state_dict(), header)
        export(str(folder / f"{name}.safetensors"), "torchscript", folder / f"{name}.pt")
    return folder


@pytest.fixture
def rgb() -> np.ndarray:
    coarse = np.random.default_rng(0).integers(0, 256, (3, 4, 3), dtype=np.uint8)
    return np.asarray(PillowImage.fromarray(coarse).resize((15, 11), PillowImage.Resampling.BICUBIC))


@pytest.mark.parametrize(("format", "suffix"), FILES)
@pytest.mark.parametrize(("name", "scale"), [("vdsr", 3), ("srresnet", 4)])
def test_an_enlargement_is_what_upscale_gives(
    folder: Path, tmp_path: Path, format: str, suffix: str, name: str, scale: int
) -> None:
    weights = str(folder / f"{name}.safetensors")
    (file, *_) = export(weights, format, tmp_path / f"net.{suffix}").files
    image = torch.rand(1, 3, 13, 19)
    model = ExportedModel(file, scale, precision="exact", trust=True)
    expected = Upscaler(weights, scale, RunOptions(precision="exact")).enlarge(image)
    torch.testing.assert_close(model(image), expected, atol=1e-5, rtol=0)


def test_parts_do_not_show(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    image = torch.rand(1, 3, 70, 30)
    whole = ExportedModel(folder / "vdsr.pt", 2, trust=True)(image)
    monkeypatch.setattr(run_module, "_PART_BYTES", 50_000)
    model, told = ExportedModel(folder / "vdsr.pt", 2, trust=True), []
    model.on_progress = lambda *progress: told.append(progress)
    torch.testing.assert_close(model(image), whole, atol=1e-5, rtol=0)
    assert len(told) > 1


@pytest.mark.parametrize(("name", "given", "taken"), [("vdsr", None, 2), ("vdsr", 4, 4), ("srresnet", None, 4)])
def test_the_scale_is_what_was_asked_or_what_it_can(folder: Path, name: str, given: int | None, taken: int) -> None:
    assert ExportedModel(folder / f"{name}.pt", given, trust=True).scale == taken


@pytest.mark.parametrize(("name", "message"), [("vdsr", "by 2 or 3 or 4, got 5"), ("srresnet", "by 4, got 5")])
def test_a_scale_that_it_has_not_is_refused(folder: Path, name: str, message: str) -> None:
    with pytest.raises(LimnerError, match=rf"{name}\.pt enlarges {message}: pass another scale"):
        ExportedModel(folder / f"{name}.pt", 5, trust=True)


def test_the_system_is_built_without_weights(folder: Path) -> None:
    model = ExportedModel(folder / "vdsr.pt", trust=True)
    assert model._system is not None
    assert {parameter.device.type for parameter in model._system.parameters()} == {"meta"}


def test_a_picture_keeps_what_its_file_said(folder: Path, tmp_path: Path, rgb: np.ndarray) -> None:
    deep = rgb.astype(np.uint16) * 257
    alpha = np.linspace(0, 65535, 11 * 15).reshape(11, 15).astype(np.uint16)
    write_image(tmp_path / "a.png", Picture(deep, alpha, icc_profile=SRGB, dpi=(300, 300), text={"Title": "x"}))
    written = run(folder / "vdsr.pt", str(tmp_path / "a.png"), scale=3, trust=True)
    assert written == str(tmp_path / "a_x3.png")
    result = read_image(written)
    assert (result.width, result.height, result.bit_depth) == (45, 33, 16)
    assert (result.icc_profile, result.text) == (SRGB, {"Title": "x"})
    expected = imresize(torch.from_numpy(alpha / 65535)[None, None], 3)[0, 0].clamp(0, 1).numpy()
    assert np.abs(result.alpha / 65535 - expected).max() < 1e-4
    with pytest.raises(LimnerError, match="already there"):
        run(folder / "vdsr.pt", tmp_path / "a.png", scale=3, trust=True)
    assert (
        run(folder / "vdsr.pt", tmp_path / "a.png", tmp_path / "b.tif", overwrite=True, trust=True)
        == tmp_path / "b.tif"
    )


def foreign(path: Path, shape: tuple, operator: str = "Add", out: tuple | None = None, **attributes: object) -> Path:
    """Write an ONNX network of one operator on an input of `shape`."""
    onnx = pytest.importorskip("onnx")
    pytest.importorskip("onnxruntime")
    given = onnx.helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, shape)
    made = onnx.helper.make_tensor_value_info("y", onnx.TensorProto.FLOAT, out or shape)
    node = onnx.helper.make_node(operator, ["x", "x"] if operator == "Add" else ["x"], ["y"], **attributes)
    graph = onnx.helper.make_graph([node], "g", [given], [made])
    model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 17)], ir_version=8)
    onnx.save(model, path)
    return path


def test_a_network_of_others_gets_rgb_and_gives_a_picture(tmp_path: Path, rgb: np.ndarray) -> None:
    alpha = np.maximum(rgb[..., 0], 1)  # what is not seen may be any colour
    write_image(tmp_path / "a.png", Picture(rgb // 2, alpha, icc_profile=SRGB))
    written = run(foreign(tmp_path / "twice.onnx", (1, 3, "h", "w")), tmp_path / "a.png")
    assert written == tmp_path / "a_twice.png"
    result = read_image(written)
    assert np.array_equal(result.pixels, rgb // 2 * 2)
    assert np.array_equal(result.alpha, alpha)
    assert result.icc_profile == SRGB


def test_a_network_of_others_for_gray_gets_luma(tmp_path: Path, rgb: np.ndarray) -> None:
    write_image(tmp_path / "a.png", Picture(rgb // 2))
    result = read_image(run(foreign(tmp_path / "gray.onnx", ("n", 1, "h", "w")), tmp_path / "a.png"))
    luma = (rgb // 2 @ np.array([0.299, 0.587, 0.114])) * 2
    assert result.pixels.shape == (11, 15, 3)
    assert np.abs(result.pixels - luma[..., None]).max() <= 0.51


def test_transparency_follows_a_network_of_others_that_resizes(tmp_path: Path, rgb: np.ndarray) -> None:
    pool = foreign(tmp_path / "p.onnx", (1, 3, "h", "w"), "AveragePool", (1, 3, "H", "W"), kernel_shape=[3, 2])
    write_image(tmp_path / "a.png", Picture(rgb, np.full((11, 15), 200, np.uint8)))
    result = read_image(run(pool, tmp_path / "a.png"))
    assert (result.width, result.height) == (14, 9)
    assert (result.alpha == 200).all()


@pytest.mark.parametrize(
    ("shape", "message"),
    [
        ((1, 3, 224, 320), r"a\.onnx takes pictures of 320x224 pixels, got 15x11: resize it first"),
        ((1, 3, "h", 320), r"a\.onnx takes pictures of 320xany pixels, got 15x11: resize it first"),
    ],
)
def test_a_network_of_others_of_a_fixed_size_refuses_other_pictures(
    tmp_path: Path, rgb: np.ndarray, shape: tuple, message: str
) -> None:
    write_image(tmp_path / "a.png", Picture(rgb))
    with pytest.raises(LimnerError, match=message):
        run(foreign(tmp_path / "a.onnx", shape), tmp_path / "a.png")
    assert not (tmp_path / "a_a.png").exists()


def test_a_network_of_others_of_a_fixed_size_takes_its_own(tmp_path: Path, rgb: np.ndarray) -> None:
    write_image(tmp_path / "a.png", Picture(rgb))
    assert run(foreign(tmp_path / "b.onnx", (1, 3, 11, 15)), tmp_path / "a.png") == tmp_path / "a_b.png"


@pytest.mark.parametrize(
    ("out", "attributes", "message"),
    [
        (
            ("n", 48, "H", "W"),
            {"operator": "SpaceToDepth", "blocksize": 4},
            r"a\.onnx: the network does not take an in",
        ),
        (("n", 27, "H", "W"), {"operator": "SpaceToDepth", "blocksize": 3}, r"a\.onnx gives \(1, 27, 3, 5\), which is"),
        (("n", "f"), {"operator": "Flatten"}, r"a\.onnx gives \(1, 405\), which is no picture"),
    ],
)
def test_a_network_of_others_that_gives_no_picture_is_refused(
    tmp_path: Path, out: tuple, attributes: dict, message: str
) -> None:
    model = ExportedModel(foreign(tmp_path / "a.onnx", ("n", 3, "h", "w"), out=out, **attributes))
    with pytest.raises(LimnerError, match=message) as refused:
        model(torch.rand(1, 3, 9, 15))
    assert "\n" not in str(refused.value)


def test_a_scale_is_refused_where_none_can_be_chosen(tmp_path: Path) -> None:
    with pytest.raises(LimnerError, match="does not say that it enlarges by a scale of choice: leave out the scale"):
        ExportedModel(foreign(tmp_path / "a.onnx", (1, 3, "h", "w")), 2)


def test_result_path(folder: Path, tmp_path: Path) -> None:
    assert result_path(ExportedModel(folder / "vdsr.pt", 3, trust=True), Path("in/me.jpg")) == Path("in/me_x3.jpg")
    other = ExportedModel(foreign(tmp_path / "night.v2.onnx", (1, 3, "h", "w")))
    assert result_path(other, Path("in/me.jpg")) == Path("in/me_night.v2.jpg")


@pytest.fixture
def conditional(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Give an opened export of a network that no catalog knows."""

    def opened(network: torch.nn.Module) -> ExportedModel:
        monkeypatch.setattr(run_module, "skeleton", lambda header: network)
        monkeypatch.setattr(run_module, "tasks_of", lambda header: ())
        write_export(network.eval(), Header(system="own", config={}), tmp_path / "own.pt", "torchscript")
        return ExportedModel(tmp_path / "own.pt", trust=True)

    return opened


def test_a_class_is_given_beside_a_photo(conditional, monkeypatch: pytest.MonkeyPatch) -> None:
    network, image = ByClass(), torch.rand(1, 3, 32, 40)
    model = conditional(network)
    made = model(image, named_inputs(model.inputs, ["digit=7"]))
    with torch.inference_mode():
        torch.testing.assert_close(made, network(image, torch.tensor([7])), atol=1e-5, rtol=0)
        assert not torch.allclose(made, network(image, torch.tensor([3])), atol=1e-2)
    with pytest.raises(LimnerError, match=r"own\.pt takes digit, a class: give it"):
        model(image)
    with pytest.raises(LimnerError, match=r"own\.pt takes image, digit, got nobody: leave it out"):
        model(image, {"nobody": image})
    with pytest.raises(LimnerError, match=r"digit of .* is a tensor of \(n\), got \(1, 2\)"):
        model(image, {"digit": torch.zeros(1, 2)})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("nobody=1", "the network takes image, digit, got 'nobody=1': pass NAME=VALUE"),
        ("digit", "digit takes numbers between commas, got ''"),
        ("digit=10", "digit takes a class below 10, got '10'"),
        ("digit=1.5", "digit takes a class below 10, got '1.5'"),
        ("digit=1,2", "digit takes a class below 10, got '1,2'"),
    ],
)
def test_a_text_that_does_not_fit_is_refused(text: str, message: str) -> None:
    with pytest.raises(LimnerError, match=message):
        named_inputs(ByClass.inputs, [text])


def test_a_label_map_is_read_by_the_indices_of_its_palette(conditional, tmp_path: Path) -> None:
    labels = np.random.default_rng(0).integers(0, 5, (24, 32), dtype=np.uint8)
    file = PillowImage.fromarray(labels)
    file.putpalette([255, 0, 0, 0, 255, 0, 0, 0, 255, 9, 9, 9, 200, 200, 0])
    file.save(tmp_path / "labels.png")
    network, image = Spade("nearest"), torch.rand(1, 3, 24, 32)
    model = conditional(network)
    made = model(image, named_inputs(model.inputs, [f"labels={tmp_path / 'labels.png'}"]))
    with torch.inference_mode():
        expected = network(image, torch.from_numpy(labels.astype(np.int64))[None, None])
    torch.testing.assert_close(made, expected, atol=1e-5, rtol=0)
    PillowImage.fromarray(labels + 1).save(tmp_path / "more.png")
    with pytest.raises(LimnerError, match="labels must be below 5, got 5: check the classes"):
        named_inputs(model.inputs, [f"labels={tmp_path / 'more.png'}"])


def test_a_latent_is_drawn_by_its_seed(conditional) -> None:
    model = conditional(Generator())
    one, same, other = (model(None, named_inputs(model.inputs, ["digit=2"]), seed=seed) for seed in (1, 1, 2))
    assert one.shape == (1, 3, 8, 8)
    assert torch.equal(one, same)
    assert not torch.allclose(one, other, atol=1e-3)


def test_the_first_picture_of_several_results_is_shown(conditional) -> None:
    assert conditional(TwoHeaded())(torch.rand(1, 3, 16, 24)).shape == (1, 3, 32, 48)


def test_a_network_that_gives_no_picture_is_refused(conditional) -> None:
    with pytest.raises(LimnerError, match=r"own\.pt gives label map, which is no picture"):
        conditional(Segmenter())(torch.rand(1, 3, 16, 24))


def test_sides_that_a_network_does_not_take_are_told_from_its_ports(conditional):
    model, image = conditional(Spade("nearest")), torch.rand(1, 3, 18, 24)  # it takes multiples of 4
    with pytest.raises(LimnerError, match=r"own\.pt takes sides of 4 pixels or more .* multiples of 4, got 24x18: "):
        model(image, {"labels": torch.zeros(1, 1, 18, 24, dtype=torch.int64)})


def test_so_many_threads_that_none_can_be_made_are_refused() -> None:
    with pytest.raises(LimnerError, match=r"threads must be a whole number from 1 to \d+, got 100000: None takes"):
        ExportedModel("net.onnx", threads=100_000)
