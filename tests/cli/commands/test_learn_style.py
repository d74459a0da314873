"""`limner learn-style`: a painting in, a style that paints in one pass out."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from limner.files.weights import Header, read_header, save_weights
from limner.systems.feedforward.many_styles import RELEASED_SLIM, ManyStyles
from limner.verbs import learn_style, learnt_styles

FEW = ["--minutes", "0.0001", "--size", "64"]


@pytest.fixture
def painting(place: Path, drawn: Callable, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A painting, in a folder where little is learnt from little."""
    (place / "photos").mkdir()
    drawn(place / "photos" / "a.png", 48, 40)
    config = RELEASED_SLIM.model_copy(update={"channels": (4, 4, 4), "num_blocks": 0, "styles": ("one", "other")})
    torch.manual_seed(0)
    trunk = place / "trunk.safetensors"
    header = Header(system="many-styles", config=config.model_dump(mode="json"))
    save_weights(trunk, ManyStyles(config).state_dict(), header)
    monkeypatch.setattr(learn_style, "_PATCH", 32)
    monkeypatch.setattr(learn_style, "TRUNK", str(trunk))
    monkeypatch.setattr(learnt_styles, "fetched_folder", lambda: place / "kept")
    return drawn(place / "my painting.png", 80, 64)


def test_a_style_is_written_and_paints(limner: Callable, painting: Path, drawn: Callable) -> None:
    done = limner("learn-style", painting.name, "-o", "mine.safetensors", "--photos", "photos", *FEW)
    assert (done.code, done.out.split("  ")[0]) == (0, "mine.safetensors")
    assert "use it with: limner stylize photo.jpg --model mine.safetensors" in done.err
    assert read_header(Path("mine.safetensors")).config["styles"] == ["my painting"]
    drawn(Path("photo.png"), 20, 12)
    assert limner("stylize", "photo.png", "--model", "mine.safetensors").code == 0
    assert Path("photo_mine.png").exists()


def test_a_style_is_kept_for_its_painting_and_listed(limner: Callable, painting: Path, drawn: Callable) -> None:
    done = limner("learn-style", painting.name, "--photos", "photos", *FEW)
    assert done.code == 0
    assert "use it with: limner stylize photo.jpg --style 'my painting.png'" in done.err
    drawn(Path("photo.png"), 20, 12)
    painted = limner("stylize", "photo.png", "--style", painting.name, "--json")
    assert '"method": "fast"' in painted.out
    assert "my painting  learnt, " in limner("stylize", "--list", "-o", "sheet.png").out


def test_what_is_there_is_not_learnt_again(limner: Callable, painting: Path) -> None:
    given = ("learn-style", painting.name, "-o", "mine.safetensors", "--photos", "photos", *FEW)
    assert limner(*given).code == 0
    again = limner(*given)
    assert (again.code, again.err.startswith("error: mine.safetensors is there already")) == (2, True)
    assert limner(*given, "--force").code == 0


def test_a_painting_that_is_not_there_is_told(limner: Callable, painting: Path) -> None:
    done = limner("learn-style", "nothing.jpg")
    assert (done.code, done.err.startswith("error: nothing.jpg: there is no such picture")) == (2, True)
