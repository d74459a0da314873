"""`limner evaluate`."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Literal

import typer

from limner.cli.command import command
from limner.cli.options import Device, ResultOptions, unset

app = typer.Typer(help="Measure models as their papers do.", rich_markup_mode=None)

_Data = Annotated[Path, typer.Option(metavar="FOLDER", help="Folder of benchmark sets (as Set5/HR), or of pictures.")]
_Model = Annotated[
    list[str],
    typer.Option(
        "--model",
        metavar="NAMES|all",
        help="Names, weight files or folders of runs, repeatable or with commas between; all: the embedded ones.",
    ),
]
_Scale = Annotated[list[str], typer.Option(metavar="LIST", help="Enlargements, repeatable or with commas between.")]
_Protocol = Annotated[
    list[str],
    typer.Option(
        metavar="LIST",
        help="sr-y-shave (VDSR's), sr-y-4 (SRGAN's), rgb, photo (with blur, noise, JPEG); repeatable or with commas "
        "between.",
    ),
]
_Limit = Annotated[int | None, unset("N", "Only the first pictures of each set.", min=1)]
_Distance = Annotated[
    bool, typer.Option("--distance", help="Also compare colours as VGG-16 sees them, which takes longer.")
]
_Output = Annotated[
    Path | None,
    unset(
        "FOLDER|FILE",
        "An .md or a .json file, or a folder for super-resolution.md and .json. Without it: this folder.",
        "--output",
        "-o",
    ),
]
_Precision = Annotated[Literal["fast", "exact"], typer.Option(help="exact: float32; fast: bfloat16 where it pays.")]


@dataclass(frozen=True, kw_only=True)
class Options(ResultOptions):
    """PSNR and SSIM of bicubic and of each model, on each set, at each scale, beside the papers' figures.

    Examples:
        limner evaluate super-resolution --data benchmarks/
        limner evaluate super-resolution --data photos/ --model runs/vdsr --scale 2
        limner evaluate super-resolution --data benchmarks/ --model edsr-x2,vdsr --output report.md
    """

    data: _Data
    model: _Model = field(default_factory=lambda: ["all"])
    scale: _Scale = field(default_factory=lambda: ["2,3,4"])
    protocol: _Protocol = field(default_factory=lambda: ["sr-y-shave"])
    limit: _Limit = None
    distance: _Distance = False
    output: _Output = None
    precision: _Precision = "exact"
    device: Device = "auto"


_SegmentedData = Annotated[Path, typer.Option(metavar="FOLDER", help="Folder of pictures and masks.")]
_SegmentingModel = Annotated[
    list[str],
    typer.Option(
        "--model",
        metavar="NAMES",
        help="Names, weight files or folders of runs, which tell the classes of the masks apart; repeatable or with "
        "commas between.",
    ),
]
_Images = Annotated[str, typer.Option(metavar="FOLDER|PATTERN", help="Of the pictures, such as *_photo.jpg.")]
_Masks = Annotated[
    str | None,
    unset("FOLDER|PATTERN", "Of the masks, such as *_mask.png. Without it: labels, masks or instances.", "--masks"),
]
_Instances = Annotated[bool, typer.Option("--instances", help="Masks number objects.")]
_Metrics = Annotated[
    list[str],
    typer.Option(
        metavar="LIST",
        help="overlap (IoU, Dice, boundary F1, wrong pixels), isbi-2012 (warping, Rand and pixel error), instances "
        "(F1, average precision); repeatable or with commas between. Without it: overlap, and instances where masks "
        "number objects.",
    ),
]
_Colors = Annotated[bool, typer.Option("--colors", help="Masks have an RGB colour for each class.")]
_Ignore = Annotated[list[int], typer.Option(metavar="N", help="Values of masks that are not counted. Repeatable.")]
_Views = Annotated[bool, typer.Option("--views", help="Take the mean over eight positions of each picture.")]
_SegmentationOutput = Annotated[
    Path | None,
    unset(
        "FOLDER|FILE",
        "An .md or a .json file, or a folder for segmentation.md and .json. Without it: this folder.",
        "--output",
        "-o",
    ),
]


@dataclass(frozen=True, kw_only=True)
class SegmentationOptions(ResultOptions):
    """IoU, Dice and boundary F1 of each class, and the share of wrong pixels, of models on pictures with masks.

    Examples:
        limner evaluate segmentation --data cells/ --model runs/unet --metrics overlap,isbi-2012
        limner evaluate segmentation --data nuclei/ --model runs/unet --instances --views
        limner evaluate segmentation --data photos/ --images *_photo.jpg --masks *_mask.png --model runs/unet --colors
    """

    data: _SegmentedData
    model: _SegmentingModel
    images: _Images = "images"
    masks: _Masks = None
    metrics: _Metrics = field(default_factory=list)
    instances: _Instances = False
    colors: _Colors = False
    ignore: _Ignore = field(default_factory=list)
    views: _Views = False
    output: _SegmentationOutput = None
    precision: _Precision = "exact"
    device: Device = "auto"


_PairsData = Annotated[Path, typer.Option(metavar="FOLDER", help="Folder of pairs, or with --derive of photos.")]
_TranslatingModel = Annotated[
    list[str],
    typer.Option(
        "--model",
        metavar="NAMES",
        help="Names, weight files or folders of runs, which take the same; repeatable or with commas between.",
    ),
]
_Source = Annotated[
    Literal["left", "right", "A", "B"],
    typer.Option(help="What goes in: a half of each picture, or one of two folders with pictures of the same names."),
]
_Derived = Annotated[
    Literal["edges", "gray", "low-resolution", "mask-holes", "noise"] | None,
    typer.Option("--derive", help="Make what goes in from plain photos, as limner train does.", show_default=False),
]
_Side = Annotated[int, typer.Option(min=11, metavar="N", help="Sides that all pictures are resized to, in pixels.")]
_Segmenter = Annotated[
    str | None,
    unset("NAME|FILE|RUN", "A model of limner train unet that reads the labels in the results: seg-score."),
]
_TranslationSeed = Annotated[
    int, typer.Option("--seed", min=0, metavar="N", help="Of the noise that models are given.")
]
_Seeds = Annotated[int | None, unset("N", "Also how far results of N seeds lie apart.", "--seeds", min=2)]
_TranslationOutput = Annotated[
    Path | None,
    unset(
        "FOLDER|FILE",
        "An .md or a .json file, or a folder for translation.md and .json. Without it: this folder.",
        "--output",
        "-o",
    ),
]


@dataclass(frozen=True, kw_only=True)
class TranslationOptions(ResultOptions):
    """L1, PSNR, SSIM, a perceptual distance and seg-score of models that translate, on pairs.

    Examples:
        limner evaluate translation --data maps/val --model runs/pix2pix --distance
        limner evaluate translation --data facades/val --source right --model facades --segmenter runs/unet
        limner evaluate translation --data photos/ --derive edges --model runs/drawings --side 128
    """

    data: _PairsData
    model: _TranslatingModel
    source: _Source = "left"
    derive: _Derived = None
    side: _Side = 256
    segmenter: _Segmenter = None
    limit: _Limit = None
    distance: _Distance = False
    seed: _TranslationSeed = 0
    seeds: _Seeds = None
    output: _TranslationOutput = None
    precision: _Precision = "exact"
    device: Device = "auto"


_RealData = Annotated[
    Path,
    typer.Option(metavar="FOLDER|FILE", help="Real pictures that were not learnt from, as limner train takes them."),
]
_GeneratingModel = Annotated[
    list[str],
    typer.Option(
        "--model",
        metavar="NAMES",
        help="Names, weight files or folders of runs that generate; repeatable or with commas between.",
    ),
]
_TrainingData = Annotated[
    Path | None,
    unset("FOLDER|FILE", "What was learnt from: whether models copy it, with a sheet of the nearest pictures."),
]
_SamplesCount = Annotated[int, typer.Option(min=20, metavar="N", help="Pictures that are made and compared, at most.")]
_GenerationOutput = Annotated[
    Path | None,
    unset(
        "FOLDER|FILE",
        "An .md or a .json file, or a folder for generation.md and .json. Without it: this folder.",
        "--output",
        "-o",
    ),
]
_RealSet = Annotated[
    list[str], unset("FIELD=VALUE", "How the pictures are read, such as tile=20. Repeatable.", "--set")
]


@dataclass(frozen=True, kw_only=True)
class GenerationOptions(ResultOptions):
    """How like real pictures those of generators are, how diverse, of the class asked for, and whether they are copies.

    Examples:
        limner evaluate generation --data faces/ --model runs/dcgan
        limner evaluate generation --data digits.png --set tile=20 --set margin=4 --model runs/conditional-gan
        limner evaluate generation --data held_out/ --training faces/ --model runs/dcgan,runs/vae
    """

    data: _RealData
    model: _GeneratingModel
    training: _TrainingData = None
    count: _SamplesCount = 1000
    assignments: _RealSet = field(default_factory=list)
    output: _GenerationOutput = None
    device: Device = "auto"


_MovedData = Annotated[
    Path,
    typer.Option(
        metavar="FOLDER|FILE",
        help="Of models that redirect: eyes with meta.json; of those that straighten: small pictures with classes.",
    ),
]
_MovingModel = Annotated[
    list[str],
    typer.Option(
        "--model",
        metavar="NAMES",
        help="Names, weight files or folders of runs that all redirect or all straighten; repeatable or with commas "
        "between.",
    ),
]
_HeldOut = Annotated[
    float,
    typer.Option(metavar="SHARE", help="Of the people that training was kept from, as data.held_out; 0 takes all."),
]
_GeometryOutput = Annotated[
    Path | None,
    unset(
        "FOLDER|FILE",
        "An .md or a .json file, or a folder for geometry.md and .json. Without it: this folder.",
        "--output",
        "-o",
    ),
]


@dataclass(frozen=True, kw_only=True)
class GeometryOptions(ResultOptions):
    """What models that move pixels are worth: eyes turned, over the angle; distorted pictures straightened, by class.

    Examples:
        limner evaluate geometry --data eyes/ --model gaze --held-out 0.1
        limner evaluate geometry --data eyes/ --model gaze,runs/one-scale,runs/painted
        limner evaluate geometry --data mnist/ --model transformer-digits
    """

    data: _MovedData
    model: _MovingModel
    held_out: _HeldOut = 0.1
    assignments: _RealSet = field(default_factory=list)
    output: _GeometryOutput = None
    device: Device = "auto"


@app.callback()
def _evaluate() -> None:
    pass


command(app, "super-resolution", Options, "limner.cli.work.evaluate:run")
command(app, "segmentation", SegmentationOptions, "limner.cli.work.evaluate_segmentation:run")
command(app, "translation", TranslationOptions, "limner.cli.work.evaluate_translation:run")
command(app, "geometry", GeometryOptions, "limner.cli.work.evaluate_geometry:run")
command(app, "generation", GenerationOptions, "limner.cli.work.evaluate_generation:run")
