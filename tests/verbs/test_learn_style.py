import os
import shutil
import signal
from pathlib import Path

import pytest
import torch
from PIL import Image as PillowImage

from limner import stylize
from limner.catalog.models import load
from limner.errors import LimnerError
from limner.features.vgg16 import VGG
from limner.files.image import write_image
from limner.files.lock import alone_at
from limner.files.weights import Header, save_weights
from limner.loops.fit import STATE_FILE, FitResult
from limner.systems.feedforward.many_styles import RELEASED_SLIM, ManyStyles
from limner.verbs import learn_style as learning
from limner.verbs import learnt_styles
from limner.verbs.learn_style import FIT, PHOTOS, learn_style, one_style, style_distances

TWO = RELEASED_SLIM.model_copy(update={"channels": (4, 4, 4), "num_blocks": 1, "styles": ("gray", "red")})
STEPS = FIT.model_copy(update={"steps": 3})


@pytest.fixture(autouse=True)
def small_crops(monkeypatch):
    monkeypatch.setattr(learning, "_PATCH", 32)


@pytest.fixture
def trunk(tmp_path):
    """Two styles that paint all of a picture gray or red."""
    network = ManyStyles(TWO)
    with torch.no_grad():
        network.get_parameter("last.norm.weight").fill_(0.1)
        network.get_parameter("last.norm.bias").copy_(torch.tensor([[0.0, 0, 0], [3, -3, -3]]))
    path = tmp_path / "two.safetensors"
    save_weights(path, network.state_dict(), Header(system="many-styles", config=TWO.model_dump(mode="json")))
    return str(path)


@pytest.fixture
def photos(tmp_path):
    folder = tmp_path / "photos"
    folder.mkdir()
    PillowImage.effect_noise((48, 48), 60).convert("RGB").save(folder / "noise.png")
    return folder


def painting(folder, color="red"):
    path = folder / f"{color}-painting.png"
    PillowImage.new("RGB", (64, 40), color).save(path)
    return path


@pytest.fixture
def learn(tmp_path, trunk, photos):
    def learn(**others):
        given = {"minutes": None, "config": STEPS, "size": 32, "photos": photos, "trunk": trunk} | others
        output = given.pop("output", tmp_path / "learnt.safetensors")
        return learn_style(painting(tmp_path), output, **given)

    return learn


def test_a_learnt_style_has_the_trunks_convolutions_and_a_model_of_its_own(learn, trunk, tmp_path):
    done = learn()
    assert (done.step, done.finished, done.start) == (3, True, "red")
    network, header = load(str(done.model))
    assert isinstance(network, ManyStyles)
    assert (header.system, network.config.styles) == ("many-styles", ("red-painting",))
    before = load(trunk)[0].state_dict()
    for name, tensor in network.state_dict().items():
        if ".norm." not in name:
            assert torch.equal(tensor, before[name]), name
    assert not torch.equal(network.state_dict()["last.norm.bias"], before["last.norm.bias"][1])
    assert not (tmp_path / "learnt.learning").exists()


def test_learning_brings_a_painting_nearer(learn, photos, tmp_path):
    done = learn(config=FIT.model_copy(update={"steps": 40}))
    network, _ = load(str(done.model))
    style, photo = torch.tensor([1.0, 0, 0]).view(1, 3, 1, 1).expand(1, 3, 32, 32), torch.rand(1, 3, 32, 32)
    after = style_distances(network, style, photo)["red-painting"]
    before = style_distances(load(str(tmp_path / "two.safetensors"))[0], style, photo)["red"]
    assert after < 0.7 * before


def test_the_nearest_style_is_the_one_of_the_colour(trunk):
    network = load(trunk)[0]
    found = style_distances(network, torch.full((1, 3, 32, 32), 0.5), torch.rand(1, 3, 32, 32))
    assert min(found, key=found.__getitem__) == "gray"


def test_a_style_distance_is_the_loss_of_the_photo_painted_in_it(trunk):
    network = load(trunk)[0]
    style, photo, expected = torch.rand(1, 3, 32, 32), torch.rand(1, 3, 32, 32), torch.zeros(())
    assert isinstance(network, ManyStyles)
    with torch.no_grad():
        vgg = VGG(TWO.style_layers)
        painted, wanted = vgg(network.paint(photo, torch.tensor([[0.0, 1.0]]))), vgg(style)
        for layer, weight in TWO.style_layers.items():
            grams = [(x[layer][0].flatten(1) @ x[layer][0].flatten(1).T) / x[layer].numel() for x in (painted, wanted)]
            expected += weight * ((grams[0] - grams[1]) ** 2).sum() / (grams[1] ** 2).sum()
    assert style_distances(network, style, photo)["red"] == pytest.approx(expected.item(), rel=0.05)  # bf16 may be used


def test_a_preview_shows_the_painting_and_photos_and_changes_nothing(learn, tmp_path, monkeypatch):
    plain = load(str(learn().model))[0].state_dict()
    (tmp_path / "learnt.safetensors").unlink()
    monkeypatch.setattr(learning, "_EVERY", 0.0)
    seen = []

    def write(path, picture, **how):
        seen.append(path)
        write_image(path, picture, **how)

    monkeypatch.setattr(learning, "write_image", write)
    watched = load(str(learn(preview=tmp_path / "now.png").model))[0].state_dict()
    assert seen == [tmp_path / "now.png"] * 3
    with PillowImage.open(tmp_path / "now.png") as shown:
        assert shown.size == (2 * 256, 256)  # the painting and the one photo
        assert shown.getpixel((128, 128)) == (255, 0, 0)
    assert all(torch.equal(tensor, watched[name]) for name, tensor in plain.items())


@pytest.mark.parametrize(
    ("config", "minutes", "steps", "most"),
    [(None, None, FIT.steps, 5.0), (None, 9.0, 1_000_000, 9.0), (STEPS, None, 3, None), (STEPS, 9.0, 3, 9.0)],
)
def test_what_is_said_of_its_length_counts(learn, monkeypatch, config, minutes, steps, most):
    asked = []

    def fit(network, samples, config, *, minutes, **others):
        asked.append((config.steps, minutes))
        return FitResult(network, 1, 1.0, False)

    monkeypatch.setattr(learning, "fit", fit)
    learn(config=config, minutes=minutes)
    assert asked == [(steps, most)]


def test_a_stopped_run_goes_on(learn):
    class Stopper:
        def start(self, step):
            self.began = step

        def step(self, report):
            if report.step == 2:
                os.kill(os.getpid(), signal.SIGINT)

        def close(self):
            pass

    stopped = learn(watchers=[Stopper()])
    assert (stopped.step, stopped.finished) == (2, False)
    assert not stopped.model.exists()
    watcher = Stopper()
    done = learn(resume=True, watchers=[watcher])
    assert (watcher.began, done.step, done.finished) == (2, 3, True)


def test_what_cannot_be_learnt_is_refused(tmp_path, trunk, photos):
    picture = painting(tmp_path)
    with pytest.raises(LimnerError, match=r"written as \.safetensors, got .*style\.png"):
        learn_style(picture, tmp_path / "style.png")
    (tmp_path / "there.safetensors").write_bytes(b"")
    with pytest.raises(LimnerError, match="is already there"):
        learn_style(picture, tmp_path / "there.safetensors")
    with pytest.raises(LimnerError, match=r"nothing\.png: there is no such picture"):
        learn_style(tmp_path / "nothing.png")
    with pytest.raises(LimnerError, match="minutes must be finite, got nan"):
        learn_style(picture, tmp_path / "new.safetensors", minutes=float("nan"))
    with pytest.raises(LimnerError, match="learnt by a model of many-styles, got vdsr-fast, a vdsr"):
        learn_style(picture, tmp_path / "new.safetensors", trunk="vdsr-fast", photos=photos)


def test_learning_begins_where_it_is_told(learn, tmp_path):
    assert learn(start="gray").start == "gray"
    (tmp_path / "learnt.safetensors").unlink()
    with pytest.raises(LimnerError, match="the network knows gray, red, got 'blue'"):
        learn(start="blue")


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """A cache of its own."""
    monkeypatch.setattr(learnt_styles, "fetched_folder", lambda: tmp_path / "kept")
    return tmp_path / "kept"


def test_a_style_is_kept_for_its_painting_and_for_its_name(learn, cache, tmp_path):
    picture = painting(tmp_path)
    done = learn(output=None)
    assert done.model == learnt_styles.kept_as(picture)
    assert learnt_styles.learnt_model("red-painting") == done.model
    assert learnt_styles.learnt_model("another") is None
    with pytest.raises(LimnerError, match=r"red-painting\.png is learnt already: paint in it, or pass --force"):
        learn(output=None)


def test_two_paintings_of_one_name_are_told_apart_by_their_files(learn, cache, tmp_path):
    kept = learn(output=None).model
    shutil.copyfile(kept, kept.with_name("other.safetensors"))
    with pytest.raises(LimnerError, match="2 learnt styles are called red-painting: name the painting, or one of "):
        learnt_styles.learnt_model("red-painting")
    assert learnt_styles.forget_style(str(kept)) == kept
    assert learnt_styles.learnt_model("red-painting") == kept.with_name("other.safetensors")


@pytest.mark.parametrize("given", ["red-painting", "painting", "model"])
def test_a_style_is_forgotten(learn, cache, tmp_path, given):
    picture, kept = painting(tmp_path), learn(output=None).model
    (learnt_styles.run_folder(kept)).mkdir()
    assert learnt_styles.forget_style({"painting": picture, "model": str(kept)}.get(given, given)) == kept
    assert list(kept.parent.iterdir()) == []
    with pytest.raises(LimnerError, match="learnt styles are none, got 'red-painting'"):
        learnt_styles.forget_style("red-painting")
    with pytest.raises(LimnerError, match="learnt styles are none"):
        learnt_styles.forget_style(picture)


def test_what_a_stopped_run_has_left_is_forgotten_by_its_painting(cache, tmp_path):
    picture = painting(tmp_path)
    folder = learnt_styles.run_folder(learnt_styles.kept_as(picture))
    folder.mkdir(parents=True)
    learnt_styles.forget_style(picture)
    assert not folder.exists()


def test_one_style_is_all_of_one_and_nothing_of_the_others(trunk):
    assert one_style(load(trunk)[0], "red").tolist() == [0, 1]


def test_the_photos_that_come_with_limner_can_be_learnt_from():
    assert len(list(PHOTOS.glob("*.jpg"))) == 9
    assert all(min(PillowImage.open(path).size) >= 192 for path in PHOTOS.glob("*.jpg"))


def test_a_kept_style_paints_at_once_whatever_its_painting_is_called(learn, tmp_path, monkeypatch):
    monkeypatch.setattr(learnt_styles, "fetched_folder", lambda: tmp_path / "kept")
    picture, photo = painting(tmp_path), tmp_path / "photo.png"
    PillowImage.new("RGB", (20, 12), "blue").save(photo)
    kept = learnt_styles.kept_as(picture)
    assert learnt_styles.learnt_model(picture) is None
    kept.parent.mkdir(parents=True)
    shutil.copyfile(learn().model, kept)
    assert learnt_styles.learnt_names() == {str(kept): "red-painting"}
    again = Path(shutil.copyfile(picture, tmp_path / "renamed.png"))
    assert learnt_styles.learnt_model(again) == kept
    assert learnt_styles.learnt_model(photo) is None
    assert learnt_styles.learnt_model(tmp_path / "nothing.png") is None
    by_itself = stylize(photo, again, output=tmp_path / "a.png")
    by_model = stylize(photo, [], model=str(kept), output=tmp_path / "b.png")
    assert Path(by_itself).read_bytes() == Path(by_model).read_bytes()


def test_a_style_that_another_run_is_learning_is_left_to_it(learn, tmp_path):
    run = learnt_styles.run_folder(tmp_path / "learnt.safetensors")
    run.mkdir()
    (run / STATE_FILE).write_bytes(b"of the other")
    with alone_at(run, "this style"), pytest.raises(LimnerError, match="another run is at work on this style: wait"):
        learn()
    assert (run / STATE_FILE).read_bytes() == b"of the other"
