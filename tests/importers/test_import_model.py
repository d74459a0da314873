"""What a stranger meets: names, places, wrong files, and what the weight file says of itself."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from tests.foreign import convolution
from tests.lua_files import Module, lua_file, sequential

from limner.errors import LimnerError
from limner.files.weights import Header, save_weights, sha256
from limner.verbs.import_model import import_model


def vdsr() -> dict[str, torch.Tensor]:
    state = convolution("input", 4, 1, 3, bias=False) | convolution("output", 1, 4, 3, bias=False)
    return state | convolution("residual_layer.0.conv", 4, 4, 3, bias=False)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    torch.save(vdsr(), tmp_path / "a.pth")
    return tmp_path / "a.pth"


def refusal(*files: Path, **options: object) -> str:
    with pytest.raises(LimnerError) as caught:
        import_model(*files, **options)  # type: ignore[arg-type]
    return str(caught.value)


def test_the_weight_file_names_its_source_and_leaves_the_licence_to_its_user(file: Path) -> None:
    made = import_model(file, output=file.parent)
    assert made.path == file.with_suffix(".safetensors")
    assert f"a.pth (SHA-256 {sha256(file)})" in made.header.provenance
    assert "for you to know" in made.header.licence


def test_a_file_in_the_way_is_left(file: Path) -> None:
    target = file.parent / "b.safetensors"
    target.write_text("precious")
    assert "is already there" in refusal(file, output=target)
    assert target.read_text() == "precious"
    assert import_model(file, output=target, overwrite=True).format == "vdsr-pytorch"


def test_wrong_files_are_named_for_what_they_are(file: Path, tmp_path: Path) -> None:
    out = {"output": tmp_path / "out.safetensors"}
    assert "is a folder" in refusal(tmp_path, **out)
    assert "there is no such file" in refusal(tmp_path / "none.pth", **out)
    assert "ends with .safetensors" in refusal(file, output=tmp_path / "out.pth")
    assert "is the checkpoint itself" in refusal(tmp_path / "x.safetensors", output=tmp_path / "x.safetensors")
    save_weights(tmp_path / "own.safetensors", vdsr(), Header(system="vdsr", config={}))
    assert "own.safetensors: it is a weight file of Limner already" in refusal(tmp_path / "own.safetensors", **out)
    assert "is one file, got 2" in refusal(file, file, **out)
    assert not out["output"].exists()


def test_a_safetensors_file_whose_header_is_as_long_as_a_pickle_begins_is_none(tmp_path: Path) -> None:
    """Of one header in thirty-two the length begins with the byte that a pickle begins with."""
    path = tmp_path / "a.safetensors"
    for number in range(400):
        save_file(vdsr(), path, {"note": "x" * number})
        if path.read_bytes()[0] == 0x80:
            break
    assert path.read_bytes()[0] == 0x80
    assert import_model(path, output=tmp_path / "out.safetensors").format == "vdsr-pytorch"


def test_as_leaves_other_formats_out(file: Path) -> None:
    out = {"output": file.parent / "out.safetensors"}
    assert "is of vdsr-pytorch, not of unet-milesial: leave out --as" in refusal(file, system="unet", **out)
    assert "did you mean cyclegan?" in refusal(file, system="cyclegn", **out)
    assert import_model(file, system="vdsr", **out).header.system == "vdsr"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"input.weight": torch.zeros(4, 2, 3, 3)}, "input.weight must be 4x1x3x3, got 4x2x3x3"),
        ({"extra.weight": torch.zeros(3)}, "holds 1 arrays that this has no place for, such as extra.weight"),
        ({"output.weight": torch.full((1, 4, 3, 3), float("nan"))}, "output.weight holds what are no finite numbers"),
    ],
)
def test_what_does_not_fit_is_told(file: Path, change: dict[str, torch.Tensor], message: str) -> None:
    torch.save(vdsr() | change, file)
    assert message in refusal(file, output=file.parent / "out.safetensors")


def test_a_discriminator_of_lua_is_named(file: Path) -> None:
    def layer(before: int, after: int) -> Module:
        weights = {"weight": torch.rand(after, before, 4, 4), "bias": torch.rand(after)}
        return "nn.SpatialConvolution", weights

    def norm(channels: int) -> Module:
        return "nn.SpatialBatchNormalization", {"weight": torch.rand(channels), "bias": torch.rand(channels)}

    leaky: Module = ("nn.LeakyReLU", {"negval": 0.2})
    parts = [layer(6, 4), leaky, layer(4, 8), norm(8), leaky, layer(8, 16), norm(16), leaky, layer(16, 1)]
    file.write_bytes(lua_file(sequential(*parts, ("nn.Sigmoid", {}))))
    assert "is a discriminator of Lua's pix2pix or CycleGAN, which Limner does not read" in refusal(
        file, output=file.parent / "out.safetensors"
    )
