"""Options that several commands have, and the groups of them that those commands share."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from limner.errors import LimnerError

if TYPE_CHECKING:
    from limner.runtime.run_options import RunOptions


def unset(metavar: str, help: str, *names: str, min: int | None = None, max: int | None = None) -> Any:
    """An option that has no default to show: its help says what holds without it."""
    return typer.Option(*names, min=min, max=max, metavar=metavar, help=help, show_default=False)


PHOTOS = "Photos, patterns such as '*.jpg', folders of photos."


def output_option(metavar: str, usual: str) -> Any:
    """`--output`, and where results go without it."""
    return unset(metavar, f"Where results go. Without it: {usual}", "--output", "-o")


def name_option(usual: str, fields: str) -> Any:
    """`--name`, and what results are called without it."""
    return unset("TEMPLATE", f"What results are called, from {fields}. Without it: {usual}.")


Device = Annotated[str, typer.Option(help="auto, cpu, cuda or mps.", metavar="NAME")]
Precision = Annotated[
    Literal["fast", "exact"],
    typer.Option(
        help="fast: with fewer digits where that pays (bfloat16); exact: with all (float32), each bit as before."
    ),
]
Backend = Annotated[
    Literal["auto", "torch", "onnxruntime", "openvino"],
    typer.Option(help="What computes on the CPU; auto takes the fastest that was measured here."),
]
Memory = Annotated[
    str | None,
    unset("SIZE", "What the process may hold in all, such as 2GB. Without it: half of what is free."),
]
Threads = Annotated[int | None, unset("N", "CPU threads. Without it: one for each core.", min=1)]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object on standard output, and nothing else.")]
Force = Annotated[bool, typer.Option("--force", help="Replace files that are already there.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what would be made from what, and make nothing.")]
Photos = Annotated[list[Path], typer.Argument(metavar="PHOTO", help=PHOTOS)]
Output = Annotated[str | None, output_option("FILE|FOLDER", "beside the photo.")]
ImageFormat = Annotated[
    Literal["png", "jpg", "webp", "tif", "bmp", "avif"] | None,
    typer.Option("--format", help="Of pictures. Without it: that of the photo, or of --output.", show_default=False),
]
Recursive = Annotated[bool, typer.Option("--recursive", "-r", help="Search the subfolders of folders too.")]
Quality = Annotated[int | None, unset("1-100", "Of JPEG, WebP and AVIF. Without it: 95 for JPEG.", min=1, max=100)]
MaxPixels = Annotated[
    str, typer.Option(metavar="N|none", help="Refuse larger photos before they are decoded; none lifts the limit.")
]
Crf = Annotated[int | None, unset("0-51", "Of video: less is better and larger (default 17).", min=0, max=51)]

Preset = Annotated[
    Literal["modern", "paper"], typer.Option(help="paper: as it was published, and slow; --set changes either.")
]
Quick = Annotated[bool, typer.Option("--quick", help="A first look in under a minute at 512 pixels.")]
Steps = Annotated[int | None, unset("N", "More are better and slower. Without it: as many as is usual.", min=1)]
Set = Annotated[list[str], unset("FIELD=VALUE", "A field of the configuration, as JSON. Repeatable.", "--set")]
Features = Annotated[Path | None, unset("FILE", "Weights of VGG-16 or VGG-19, .pth or .safetensors.")]
Seed = Annotated[int, typer.Option(min=0, metavar="N", help="Of all that is random; one seed gives one picture.")]
PreviewEvery = Annotated[
    int | None,
    unset("N", "Write the picture every N steps to a file beside the result, NAME_preview.png.", min=1),
]
Resume = Annotated[
    bool, typer.Option("--resume", help="Go on with what was stopped, and pass by what is finished already.")
]
On = Annotated[
    str | None,
    unset("ray[://HOST:PORT]", "Work on a Ray cluster, which also takes buckets such as s3://photos. See docs/ray.md."),
]

GROUPS = {
    "Results": (
        "output", "name", "format", "quality", "crf", "size", "compare", "columns", "recursive", "resume", "force",
        "dry_run", "as_json",
    ),
    "Models and styles": (
        "model", "method", "styles", "classes", "inputs", "features", "preset", "start_from", "assignments", "seed",
    ),
    "Machine": ("on", "device", "precision", "backend", "tile", "memory", "threads", "max_pixels", "workers"),
}  # fmt: skip
"""The fields of all commands under the headings that `--help` shows them by; others belong to the command alone."""

Styles = Annotated[
    list[str],
    unset(
        "NAME|FILE[:WEIGHT]",
        "A style of limner stylize --list, or a picture in the style that is wanted. Repeatable, with weights.",
        "--style",
        "-s",
    ),
]
Method = Annotated[
    Literal["auto", "fast", "any-style", "adain", "gatys"],
    typer.Option(
        help="fast: in one pass, the styles of limner stylize --list or of --model; any-style: in one pass, any "
        "picture; adain: the same by another network; "
        "gatys: by optimisation, any picture, slow and best; auto: the first of these that is there and can."
    ),
]
StyleModel = Annotated[
    str | None,
    unset(
        "FILE",
        "For fast: what limner train fast-style wrote, or limner train texture-network --preset style. "
        "For any-style and adain: what limner train wrote of them.",
        "--model",
    ),
]
StyleScale = Annotated[
    float,
    typer.Option(
        metavar="X",
        help="For any-style, adain and gatys: size of the strokes; 1 shows the style as large as the result, with "
        "any-style at most 384 pixels, with adain 1024.",
    ),
]
GatysPreset = Annotated[
    Literal["modern", "paper"] | None,
    typer.Option("--preset", help="For gatys: modern, or as it was published, and slow.", show_default=False),
]


def pixel_limit(text: str) -> int | None:
    """The number that `--max-pixels` names; None for `none`.

    Raises:
        LimnerError: If it is neither a positive number nor `none`.
    """
    if text == "none":
        return None
    if not text.isdecimal() or int(text) == 0:
        raise LimnerError(f"--max-pixels must be a number of pixels above 0 or none, got {text!r}")
    return int(text)


@dataclass(frozen=True, kw_only=True)
class ComputeOptions:
    """How networks are run. A command that offers a backend or tiles declares them itself."""

    device: Device = "auto"
    precision: Precision = "fast"
    backend: Literal["auto", "torch", "onnxruntime", "openvino"] = "auto"
    tile: int | None = None
    memory: Memory = None
    threads: Threads = None

    def run_options(self, *, work: int = 0) -> "RunOptions":
        """The same for the runtime; `work` is the pixels of all results.

        Raises:
            LimnerError: If the memory is no size.
        """
        from limner.runtime.memory import parse_bytes
        from limner.runtime.run_options import RunOptions

        return RunOptions(
            device=self.device,
            precision=self.precision,
            backend=self.backend,
            tile=self.tile,
            memory=None if self.memory is None else parse_bytes(self.memory),
            threads=self.threads,
            work=work,
        )


@dataclass(frozen=True, kw_only=True)
class ResultOptions:
    """What becomes of a result that is there already, and how results are reported."""

    force: Force = False
    dry_run: DryRun = False
    as_json: Json = False


@dataclass(frozen=True, kw_only=True)
class PictureOptions(ResultOptions):
    """How results that are pictures are written."""

    format: ImageFormat = None
    quality: Quality = None

    @property
    def suffix(self) -> str | None:
        """Of the results, with the dot; None keeps that of the photos."""
        return f".{self.format}" if self.format else None


@dataclass(frozen=True, kw_only=True)
class ManyOptions(PictureOptions):
    """The same of many pictures, which can be stopped and gone on with."""

    recursive: Recursive = False
    resume: Resume = False


@dataclass(frozen=True, kw_only=True)
class GrowingOptions(ComputeOptions, ManyOptions):
    """Of pictures that are optimised, and so can be watched and stopped."""

    assignments: Set = field(default_factory=list)
    seed: Seed = 0
    preview_every: PreviewEvery = None


@dataclass(frozen=True, kw_only=True)
class FeatureOptions(GrowingOptions):
    """Of a picture that is optimised by the features of a network."""

    quick: Quick = False
    steps: Steps = None
    assignments: Set = field(default_factory=list)
    features: Features = None
