"""How many steps a second a network of one style is trained: `python -m benchmarks.style.fast_style_training`.

Limner's loop with its preset, and the plain one with the same network, start, batches, losses and learning rate, each
in a process of its own, take turns. Limner's time has the drawing of its batches in it, the plain one's has not. The
medians, and the losses of both networks in the end, judged in float32 on photos as a whole, are written to
results/fast_style_training.json and .md beside this file.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any

import torch
import typer

from benchmarks.runtime.reports import RESULTS, made_by, publish
from benchmarks.runtime.workers import in_turns, medians, serve, started
from benchmarks.style.plain_style import COMMON, PlainTraining, copy_weights
from limner.cli.work.demo import PHOTO
from limner.data.sampler import batches
from limner.data.stylization import StylizationConfig
from limner.loops.checkpoint import seed_everything
from limner.loops.fit import Fit
from limner.loops.optimizers import ScheduleConfig
from limner.measure.fast_style import figures_of
from limner.processor import Machine
from limner.runtime.allocator import keep_freed_memory
from limner.runtime.device import choose_device
from limner.systems.feedforward.fast_style import FIT_MODERN, JOHNSON_IN, SLIM, FastStyle
from limner.verbs.stylize.named_styles import style_picture

PLAIN, LIMNER = "plain", "limner"
WAYS = (PLAIN, LIMNER)
PRESETS = {name: one.model_copy(update=COMMON) for name, one in (("johnson", JOHNSON_IN), ("slim", SLIM))}
FIT = FIT_MODERN.model_copy(update={"schedule": ScheduleConfig()})  # a rate that rises or falls hides what steps do
PHOTOS = (PHOTO, PHOTO.with_name("chelsea.jpg"))
AIM = 1.5


@dataclass(frozen=True)
class Task:
    """What both ways train: a preset, a style by name, a folder of photos, sides and batches, and where."""

    preset: str
    style: str
    data: str
    patch: int
    batch: int
    device: str

    def system(self) -> FastStyle:
        """The network as it begins, the same in both ways."""
        seed_everything(FIT.seed)
        return FastStyle(PRESETS[self.preset].model_copy(update={"styles": (self.style,)}))

    def batches(self) -> Iterator[Any]:
        """The same batches in both ways, from photos that are held in memory."""
        samples = StylizationConfig(styles=(style_picture(self.style),), patch=self.patch).load(Path(self.data))
        return batches(samples, self.batch, FIT.seed)


@dataclass(frozen=True)
class Trainer:
    """A way: `step` makes one and gives its seconds, `trained` the network so far."""

    step: Callable[[], float]
    trained: Callable[[], FastStyle]


def plain_trainer(task: Task) -> Trainer:
    """Batches are drawn before the clock runs."""
    stream, device, system = task.batches(), choose_device(task.device), task.system()
    training = PlainTraining(system, next(stream).style_crops[0], FIT.optimizer.learning_rate, device)
    stream = task.batches()

    def step() -> float:
        batch = next(stream)
        return _timed(lambda: training.step(batch), device)

    def trained() -> FastStyle:
        copy_weights(training.network, system)
        return system

    return Trainer(step, trained)


def limner_trainer(task: Task) -> Trainer:
    """The loop of `limner train`, batches and all."""
    keep_freed_memory()
    stream, device = task.batches(), choose_device(task.device)
    fit = FIT.model_copy(update={"batch_size": task.batch})
    training = Fit(task.system(), fit, device=str(device))

    def trained() -> FastStyle:
        system = task.system()
        copy_weights(training.system, system)  # not the average, which looks back
        return system

    return Trainer(lambda: _timed(lambda: training.step([next(stream)]), device), trained)


def _timed(work: Callable[[], object], device: torch.device) -> float:
    begun = time.perf_counter()
    work()
    if device.type == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter() - begun


def work(way: str, task: Task) -> None:
    """Be the worker of a way: a step when it is asked for one, else the losses of its network."""
    trainer = plain_trainer(task) if way == PLAIN else limner_trainer(task)
    seed_everything(FIT.seed)  # the same noise for the photos of both

    def answer(question: Any) -> Any:
        if question == "step":
            return trainer.step()
        (figures,) = figures_of(trainer.trained(), PHOTOS, task.patch).values()
        return figures.model_dump()

    serve(answer)


def measure(task: Task, steps: int) -> dict[str, Any]:
    """The figures of a preset."""
    options = [text for name, value in asdict(task).items() for text in (f"--{name}", str(value))]
    with started(Path(__file__), WAYS, *options) as workers:
        rounds = in_turns(workers, steps - 1, "step")
        losses = {way: worker.ask("losses") for way, worker in workers.items()}
    return medians(rounds, PLAIN) | {"losses": losses}


def report(found: dict[str, Any]) -> Iterator[str]:
    """The lines of the Markdown report."""
    side = found["patch"]
    yield "# Training a network of one style"
    yield from ("", made_by(found), "")
    yield f"{found['steps']} steps of each way in turns, device {found['device']}, batches of {found['batch']} photos"
    yield f"of {side}x{side}, style {found['style']}. *plain* is float32, channels first, VGG-16 up to relu4_3 over"
    yield "paintings and photos, malloc as it is, its batches drawn before the clock runs; *limner* is its loop and"
    yield "preset, batches and all. Both have the same network, start, batches, losses and constant learning rate."
    yield "Losses are those of the networks in the end on photos as a whole, in float32, relative to a blank picture;"
    yield "so early they go up and down by tens of per cent from step to step."
    yield ""
    yield "| network | way | seconds a step | steps a second | times faster | style loss | content loss |"
    yield "|---|---|---|---|---|---|---|"
    for preset, one in found["presets"].items():
        for way in WAYS:
            seconds, losses = one["seconds"][way], one["losses"][way]
            yield (
                f"| {preset} | {way} | {seconds:.3f} | {1 / seconds:.2f} | {one['times_faster'][way]:.2f} "
                f"| {losses['style']:.4f} | {losses['content']:.4f} |"
            )
    for preset, one in found["presets"].items():
        yield from ("", verdict(preset, one))


def verdict(preset: str, one: dict[str, Any]) -> str:
    """Whether it is fast enough, and how far it leads."""
    apart = one["losses"][LIMNER]["style"] / one["losses"][PLAIN]["style"] - 1
    met = "met" if one["times_faster"][LIMNER] >= AIM else "**missed**"
    aim = f"{preset}: aim: {AIM:g} times faster: {met}."
    return f"{aim} Style loss after as many steps: {100 * apart:+.0f} % beside plain."


def main(
    preset: Annotated[list[str] | None, typer.Option(help="johnson or slim; again for both.")] = None,
    style: Annotated[str, typer.Option(help="One that comes with Limner.")] = "starry-night",
    data: Annotated[Path, typer.Option(help="Folder of training photos.")] = PHOTO.parent,
    patch: Annotated[int, typer.Option(help="Side of the photos in training, in pixels.")] = 256,
    batch: Annotated[int, typer.Option(min=1, help="Photos of a step.")] = 4,
    steps: Annotated[int, typer.Option(min=2, help="Of each way.")] = 60,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda or mps.")] = "cpu",
    out: Annotated[Path, typer.Option(help="Folder of the report.")] = RESULTS,
    way: Annotated[str | None, typer.Option(hidden=True)] = None,
) -> None:
    """Measure and write the report."""
    tasks = {name: Task(name, style, str(data), patch, batch, device) for name in preset or PRESETS}
    if way:
        work(way, *tasks.values())
        return
    found = {
        "machine": asdict(Machine.here()),
        "command": "python -m benchmarks.style.fast_style_training",
        "steps": steps,
        **{name: value for name, value in asdict(next(iter(tasks.values()))).items() if name != "preset"},
        "data": data.name,  # where it lies is one machine's own
        "presets": {name: measure(task, steps) for name, task in tasks.items()},
    }
    publish("fast_style_training", found, report(found), out)


if __name__ == "__main__":
    typer.run(main)
