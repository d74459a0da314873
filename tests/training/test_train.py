import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image as PillowImage

from limner.catalog.models import load
from limner.errors import LimnerError
from limner.loops.step_report import StepReport
from limner.loops.watch import CsvLog
from limner.systems.feedforward.many_styles import ManyStyles
from limner.training.train import Plan, plan, read_plan, train

TINY = ["num_layers=2", "channels=2", "data.patch=16", "data.scales=[2]", "fit.batch_size=1", "fit.ema_decay=null"]


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    folder = tmp_path / "pictures"
    folder.mkdir()
    noise = np.random.default_rng(0).integers(0, 256, (32, 36, 3), dtype=np.uint8)
    PillowImage.fromarray(noise).save(folder / "a.png")
    return folder


def test_a_plan_says_all_that_is_trained(pictures: Path) -> None:
    goal = plan(
        "vdsr", pictures, preset="fast", assignments=[*TINY, "fit.optimizer.learning_rate=0.5"], steps=7, seed=3
    )
    assert goal.config == {"num_layers": 2, "channels": 2, "fold": 2}
    assert (goal.fit.steps, goal.fit.seed, goal.fit.batch_size, goal.fit.optimizer.learning_rate) == (7, 3, 1, 0.5)
    assert goal.data["patch"] == 16
    assert goal.folder == str(pictures)
    assert Plan.model_validate_json(goal.model_dump_json()) == goal


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"name": "nobody"}, "system must be one of"),
        ({"preset": "slow"}, "vdsr has the presets modern, fast, paper, got 'slow'"),
        ({"assignments": ["depth=3"]}, "VDSRConfig has no field 'depth'"),
        ({"assignments": ["fit.depth=3"]}, "FitConfig has no field 'depth'"),
        ({"assignments": ["data.depth=3"]}, "EnlargementConfig has no field 'depth'"),
        ({"assignments": ["channels=none"]}, "VDSRConfig.channels"),
        ({"minutes": -1}, "minutes must be above 0"),
        ({"steps": 0}, "steps must be a whole number of at least 1, got 0"),
        ({"seed": -1}, "seed must be a whole number from 0 to .*, got -1"),
    ],
)
def test_a_plan_that_cannot_be_is_refused(pictures: Path, options: dict, message: str) -> None:
    with pytest.raises(LimnerError, match=message):
        plan(**({"name": "vdsr", "folder": pictures} | options))


def test_a_texture_network_that_paints_is_told_its_style(pictures: Path) -> None:
    style = pictures / "a.png"
    goal = plan("texture-network", pictures, preset="style", styles=[style])
    assert (goal.data["style"], goal.config["content_weight"]) == (str(style), 1.0)
    with pytest.raises(LimnerError, match="learns a style from photos: pass its picture with --style, and them with"):
        plan("texture-network", pictures, preset="style")
    with pytest.raises(LimnerError, match="leave out --style, or pass --preset style to paint photos in it"):
        plan("texture-network", pictures, styles=[style])
    with pytest.raises(LimnerError, match="one style is learnt from such data, got 2: pass one --style"):
        plan("texture-network", pictures, preset="style", styles=[style, style])


def test_a_run_leaves_all_that_is_needed(pictures: Path, tmp_path: Path) -> None:
    goal, run = plan("vdsr", pictures, assignments=TINY, steps=2), tmp_path / "runs" / "one"
    result = train(goal, run)
    assert (result.step, result.finished) == (2, True)
    assert read_plan(run) == goal
    system, header = load(str(run / "model.safetensors"))
    assert header.provenance == "limner train vdsr, 2 steps"
    for name, tensor in result.system.state_dict().items():
        assert torch.equal(tensor, system.state_dict()[name])
    assert list((run / "samples").glob("*.png"))


SMALL_GAME = [
    "generator.num_blocks=1", "generator.channels=4", "crop=16", "discriminator_channels=2", "dense=4", "content=mse",
    "data.patch=16", "fit.batch_size=2", "fit.ema_decay=null", "fit.optimizer.learning_rate=1e-12",
]  # fmt: skip
SMALL_NETWORK = ["num_blocks=1", "channels=4", "data.patch=16", "fit.batch_size=1", "fit.ema_decay=null"]


@pytest.fixture
def trained(pictures: Path, tmp_path: Path) -> Path:
    train(plan("srresnet", pictures, assignments=SMALL_NETWORK, steps=2), tmp_path / "first")
    return tmp_path / "first" / "model.safetensors"


def test_a_game_begins_with_a_trained_generator_and_leaves_one(pictures: Path, tmp_path: Path, trained: Path) -> None:
    goal = plan("srgan", pictures, assignments=SMALL_GAME, steps=1, start_from=str(trained))
    train(goal, tmp_path / "game")
    before, (after, header) = load(str(trained))[0], load(str(tmp_path / "game" / "model.safetensors"))
    assert (header.system, type(after)) == ("srgan", type(before))
    for name, parameter in before.named_parameters():  # the rate is next to nothing
        torch.testing.assert_close(parameter, after.get_parameter(name), rtol=0, atol=1e-9)


def test_a_system_begins_where_an_earlier_run_of_it_ended(pictures: Path, tmp_path: Path, trained: Path) -> None:
    still = [*SMALL_NETWORK, "fit.optimizer.learning_rate=1e-12"]
    train(plan("srresnet", pictures, assignments=still, steps=1, start_from=str(trained)), tmp_path / "again")
    before, after = (load(str(path))[0] for path in (trained, tmp_path / "again" / "model.safetensors"))
    weights = (system.get_parameter("tail.weight") for system in (before, after))
    torch.testing.assert_close(*weights, rtol=0, atol=1e-9)


def test_a_system_goes_on_with_other_losses(pictures: Path, tmp_path: Path) -> None:
    small = ["channels=[4,4,4]", "data.patch=16", "data.resize=32", f'data.styles="{pictures}"', "fit.batch_size=1"]
    train(plan("adain", pictures, preset="inverse", assignments=small, steps=1), tmp_path / "first")
    model = tmp_path / "first" / "model.safetensors"
    still = [*small, "fit.optimizer.learning_rate=1e-12"]
    train(plan("adain", pictures, assignments=still, steps=1, start_from=str(model)), tmp_path / "then")
    before, after = (load(str(path))[0] for path in (model, tmp_path / "then" / "model.safetensors"))
    for name, parameter in before.named_parameters():
        torch.testing.assert_close(parameter, after.get_parameter(name), rtol=0, atol=1e-9)


def test_other_styles_begin_with_the_convolutions_of_a_network_of_many(pictures: Path, tmp_path: Path) -> None:
    tiny = ["channels=[4,4,4]", "num_blocks=1", "data.patch=48", "data.style_size=32", "fit.batch_size=1"]
    still = [*tiny, "fit.optimizer.learning_rate=1e-30", "fit.ema_decay=null"]
    two = sorted(pictures.iterdir())[:2]
    train(plan("many-styles", pictures, assignments=still, steps=1, styles=two), tmp_path / "two")
    model = tmp_path / "two" / "model.safetensors"
    for name, number in (("one", 1), ("two again", 2)):
        goal = plan(
            "many-styles", pictures, assignments=still, steps=1, seed=1, styles=two[:number], start_from=str(model)
        )
        train(goal, tmp_path / name)
        before, after = (load(str(path))[0].state_dict() for path in (model, tmp_path / name / "model.safetensors"))
        assert all(torch.equal(after[name], tensor) for name, tensor in before.items() if ".norm." not in name)
    network = load(str(tmp_path / "one" / "model.safetensors"))[0]
    assert isinstance(network, ManyStyles)
    assert network.config.styles == (two[0].stem,)


@pytest.mark.parametrize("system", ["unet", "hourglass"])
def test_other_classes_begin_with_the_layers_before_them(tmp_path: Path, system: str) -> None:
    """And with borders, which are one class more; the last layer is made anew."""
    for kind, scale in (("images", 100), ("instances", 1)):
        (tmp_path / "data" / kind).mkdir(parents=True)
        for number in range(2):
            objects = np.kron(np.array([[0, 1, 1, 0], [0, 1, 2, 2]]), np.ones((8, 8))) * scale
            PillowImage.fromarray(objects.astype(np.uint8)).save(tmp_path / "data" / kind / f"{number}.png")
    still = [
        "channels=4", "depth=1", "data.patch=16", "data.meaning=instances", "fit.batch_size=1", "fit.ema_decay=null",
        "fit.optimizer.learning_rate=1e-30",
    ]  # fmt: skip
    begun = None
    for name, border in (("two", 0), ("three", 1)):
        goal = plan(system, tmp_path / "data", assignments=[*still, f"data.border={border}"], steps=1, seed=border,
                    start_from=begun)  # fmt: skip
        train(goal, tmp_path / name)
        begun = str(tmp_path / name / "model.safetensors")
    before, after = (load(str(tmp_path / name / "model.safetensors"))[0].state_dict() for name in ("two", "three"))
    assert (len(before["last.bias"]), len(after["last.bias"])) == (2, 3)
    kept = [name for name in before if "last" not in name and "running" not in name and "num_batches" not in name]
    assert len(kept) > 4
    for name in kept:  # the rate is next to nothing
        torch.testing.assert_close(before[name], after[name], rtol=0, atol=1e-9)


def test_the_styles_alone_are_trained_where_the_trunk_stays(pictures: Path, tmp_path: Path) -> None:
    tiny = ["channels=[4,4,4]", "num_blocks=1", "data.patch=48", "data.style_size=32", "fit.batch_size=1"]
    style = sorted(pictures.iterdir())[:1]
    for name, number, chosen in (("start", 1, []), ("kept", 2, ["train_trunk=false"]), ("trained", 2, [])):
        train(
            plan(
                "many-styles", pictures, assignments=[*tiny, *chosen, "fit.ema_decay=null"], steps=number, styles=style,
                start_from=str(tmp_path / "start" / "model.safetensors") if number > 1 else None,
            ),
            tmp_path / name,
        )  # fmt: skip
    start, kept, trained = (
        load(str(tmp_path / name / "model.safetensors"))[0].state_dict() for name in ("start", "kept", "trained")
    )
    convolutions = [name for name in start if ".norm." not in name]
    assert all(torch.equal(start[name], kept[name]) for name in convolutions)
    assert not any(torch.equal(start[name], trained[name]) for name in convolutions)
    assert not torch.equal(start["last.norm.bias"], kept["last.norm.bias"])


def test_what_training_begins_with(pictures: Path, trained: Path) -> None:
    assert plan("srgan", pictures).start_from == ("srresnet",)
    assert plan("srgan", pictures, start_from="none").start_from == ()
    assert plan("srgan", pictures, preset="paper").start_from == ()
    assert plan("srgan", pictures, start_from="vdsr").start_from == ("vdsr",)
    assert plan("vdsr", pictures).start_from == ()
    assert plan("vdsr", pictures, start_from="a.safetensors").start_from == (str(Path("a.safetensors").resolve()),)
    assert plan("srgan", pictures, start_from=["none", "vdsr", Path("a.safetensors")]).start_from == (
        "vdsr",
        str(Path("a.safetensors").resolve()),
    )


@pytest.mark.parametrize("model", ["srresnet", "vdsr"])
def test_training_does_not_begin_with_another_network(pictures: Path, tmp_path: Path, model: str) -> None:
    goal = plan("srgan", pictures, assignments=SMALL_GAME, steps=1, start_from=model)
    with pytest.raises(LimnerError, match=f"begins with a SRResNet of .*channels=4 .*, got {model}, .* or none"):
        train(goal, tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_another_run_in_its_folder_is_refused_and_changes_nothing(pictures: Path, tmp_path: Path) -> None:
    goal, run = plan("vdsr", pictures, assignments=TINY, steps=1), tmp_path / "run"
    train(goal, run)
    before = {path: path.read_bytes() for path in run.rglob("*") if path.is_file()}
    with pytest.raises(LimnerError, match="holds a run already"):
        train(goal.model_copy(update={"minutes": 3.0}), run)
    assert {path: path.read_bytes() for path in run.rglob("*") if path.is_file()} == before


def test_more_steps_later_are_the_same_as_more_steps_at_once(pictures: Path, tmp_path: Path) -> None:
    constant = [*TINY, "fit.schedule.kind=constant"]
    short, long = (plan("vdsr", pictures, assignments=constant, steps=steps) for steps in (2, 4))
    train(short, tmp_path / "two")
    resumed = train(long, tmp_path / "two", resume=True)
    at_once = train(long, tmp_path / "four")
    for name, tensor in at_once.system.state_dict().items():
        assert torch.equal(tensor, resumed.system.state_dict()[name]), name


def test_a_plan_of_when_it_named_the_memory_layout_is_read(pictures: Path, tmp_path: Path) -> None:
    goal = plan("vdsr", pictures, assignments=TINY, steps=2)
    older = goal.model_dump(mode="json")
    older["fit"]["channels_last"] = True
    (tmp_path / "plan.json").write_text(json.dumps(older))
    assert read_plan(tmp_path) == goal


@pytest.mark.parametrize("text", [None, b"{", b"\xff", b'{"system": "vdsr"}', b"[1]"])
def test_a_damaged_plan_is_refused(tmp_path: Path, text: bytes | None) -> None:
    if text is not None:
        (tmp_path / "plan.json").write_bytes(text)
    with pytest.raises(LimnerError):
        read_plan(tmp_path)


def test_a_sheet_shows_a_system_of_two_pictures(pictures: Path, tmp_path: Path) -> None:
    """Content, style and result beside each other, in four rows."""
    tiny = ["channels=[4,4,4]", "data.patch=16", "data.resize=32", f"data.styles={pictures}", "fit.batch_size=1"]
    train(plan("adain", pictures, assignments=tiny, steps=1), tmp_path / "run")
    with PillowImage.open(tmp_path / "run" / "samples" / "step-0000001.png") as sheet:
        assert sheet.size == (3 * 16, 4 * 16)


def test_two_sheets_of_an_unchanged_network_are_equal(pictures: Path, tmp_path: Path) -> None:
    """A texture network draws its noise anew each time, so that sheets hang on the seed."""
    tiny = ["num_scales=2", "channels=2", 'layers={"relu1_1": 1}', "data.patch=16", "fit.optimizer.learning_rate=1e-12"]
    goal = plan("texture-network", pictures, assignments=[*tiny, "fit.ema_decay=null"], steps=1)
    train(goal, tmp_path / "run")
    train(
        plan("texture-network", pictures, assignments=[*tiny, "fit.ema_decay=null"], steps=2),
        tmp_path / "run",
        resume=True,
    )
    first, second = ((tmp_path / "run" / "samples" / f"step-000000{step}.png").read_bytes() for step in (1, 2))
    assert first == second


def test_the_data_decide_what_they_know(pictures: Path) -> None:
    style = [pictures / "a.png"]
    assert plan("fast-style", pictures, styles=style).config["styles"] == ["a"]
    assert plan("fast-style", pictures, styles=style, assignments=['styles=["a"]']).config["styles"] == ["a"]
    with pytest.raises(LimnerError, match=r"styles is \('a',\) in the data, got \('b',\): leave out --set styles"):
        plan("fast-style", pictures, styles=style, assignments=['styles=["b"]'])


@pytest.mark.parametrize("scale", [3, 4])
def test_another_scale_begins_with_the_trunk_alone(pictures: Path, tmp_path: Path, scale: int) -> None:
    """As section 3.2 of EDSR's paper says; what enlarges is made afresh, as without a beginning."""
    small = ["num_blocks=1", "channels=4", "data.patch=24", "fit.batch_size=1"]
    still = ["fit.optimizer.learning_rate=1e-12", "fit.ema_decay=null"]
    train(plan("edsr", pictures, assignments=small, steps=1, seed=1), tmp_path / "x2")
    other = [*small, *still, f"scale={scale}", f"data.scales=[{scale}]"]
    begun, fresh = (
        train(plan("edsr", pictures, assignments=other, steps=1, start_from=start), tmp_path / name).system
        for name, start in [("begun", str(tmp_path / "x2" / "model.safetensors")), ("fresh", "none")]
    )
    trunk = load(str(tmp_path / "x2" / "model.safetensors"))[0]
    for name, tensor in begun.state_dict().items():
        source = fresh if name.startswith("upsample.") else trunk
        torch.testing.assert_close(tensor, source.state_dict()[name], atol=1e-6, rtol=0)


def test_another_scale_does_not_begin_with_another_trunk(pictures: Path, tmp_path: Path) -> None:
    small = ["num_blocks=1", "channels=4", "data.patch=24"]
    train(plan("edsr", pictures, assignments=small, steps=1), tmp_path / "x2")
    other = ["num_blocks=2", "channels=4", "data.patch=24", "scale=3", "data.scales=[3]"]
    goal = plan("edsr", pictures, assignments=other, steps=1, start_from=str(tmp_path / "x2" / "model.safetensors"))
    with pytest.raises(LimnerError, match=r"begins with a EDSR of .*num_blocks=2"):
        train(goal, tmp_path / "x3")


class Removing:
    """Takes the folder of a run away after its second step."""

    def __init__(self, run: Path) -> None:
        self.run = run

    def start(self, step: int) -> None:
        pass

    def step(self, report: StepReport) -> None:
        if report.step == 2:
            shutil.rmtree(self.run)

    def close(self) -> None:
        pass


@pytest.mark.parametrize("save_every", [0.0, 300.0])
def test_a_run_whose_folder_goes_away_says_so(pictures: Path, tmp_path: Path, save_every: float) -> None:
    run = tmp_path / "run"
    goal = plan("vdsr", pictures, assignments=TINY, steps=4, validation=0)
    with pytest.raises(LimnerError, match="run: the folder of the run must stay while it is trained") as caught:
        train(goal, run, save_every=save_every, watchers=[CsvLog(run / "log.csv", every=1), Removing(run)])
    assert caught.value.exit_code == 1
