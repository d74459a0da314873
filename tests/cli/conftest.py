from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from limner.catalog.models import build
from limner.cli.main import main
from limner.files.weights import Header, save_weights
from limner.systems.feedforward.adain import AdaINConfig
from limner.systems.feedforward.fast_style import SLIM
from limner.systems.feedforward.vdsr import VDSR, VDSRConfig


class Outcome:
    """What a command line came to."""

    def __init__(self, code: int, out: str, err: str) -> None:
        self.code, self.out, self.err = code, out, err

    @property
    def error(self) -> str:
        """The one line of the error: nothing else stands on standard error or output."""
        (line,) = self.err.splitlines()
        assert line.startswith("error: ")
        assert not self.out
        return line.removeprefix("error: ")


@pytest.fixture
def limner(capsys: pytest.CaptureFixture[str]) -> Callable[..., Outcome]:
    """Run the command in this process."""

    def run(*arguments: object) -> Outcome:
        capsys.readouterr()
        code = main([str(argument) for argument in arguments])
        return Outcome(code, *capsys.readouterr())

    return run


@pytest.fixture(autouse=True)
def nothing_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder of learnt styles and of pulled models of each test's own."""
    for module in ("verbs.learnt_styles", "catalog.pulled"):
        monkeypatch.setattr(f"limner.{module}.fetched_folder", lambda: tmp_path / "own cache")


@pytest.fixture
def quickly() -> list[str]:
    """What makes `limner train vdsr` quick."""
    assignments = ["num_layers=2", "channels=2", "data.patch=16", "fit.batch_size=1"]
    return ["--device", "cpu", *(word for assignment in assignments for word in ("--set", assignment))]


@pytest.fixture
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A weight file of a very small VDSR."""
    torch.manual_seed(0)
    config = VDSRConfig(num_layers=3, channels=4)
    path = tmp_path_factory.mktemp("weights") / "tiny.safetensors"
    save_weights(path, VDSR(config).state_dict(), Header(system="vdsr", config=config.model_dump()))
    return path


@pytest.fixture
def network(place: Path) -> str:
    """A network that paints `red` and `blue`, whatever the photo."""
    config = SLIM.model_copy(update={"channels": (4, 4, 4), "num_blocks": 0, "styles": ("red", "blue")})
    tensors = build("fast-style", config.model_dump(mode="json")).state_dict()
    for name, tensor in tensors.items():
        tensor.zero_()
        if name == "up.1.norm.bias":
            tensor[0, 0] = tensor[1, 1] = 1.0
        if name.startswith("last") and name.endswith("weight"):
            tensor[0, 0, 4, 4], tensor[2, 1, 4, 4] = 0.5, 0.5
    save_weights(place / "two.safetensors", tensors, Header(system="fast-style", config=config.model_dump(mode="json")))
    return "two.safetensors"


@pytest.fixture
def adain(place: Path) -> str:
    """An AdaIN with a narrow decoder that is not trained, whose results are not all but one gray."""
    torch.manual_seed(0)
    config = AdaINConfig(channels=(8, 4, 4)).model_dump(mode="json")
    tensors = build("adain", config).state_dict()
    last = [name for name in tensors if name.endswith("weight")][-1]
    tensors[last] *= 10
    save_weights(place / "any.safetensors", tensors, Header(system="adain", config=config))
    return "any.safetensors"
