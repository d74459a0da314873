"""`limner stylize-video`."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import typer

from limner.cli.options import (
    ComputeOptions,
    Crf,
    Features,
    GatysPreset,
    Method,
    ResultOptions,
    Resume,
    Seed,
    Set,
    StyleModel,
    Styles,
    StyleScale,
    name_option,
    output_option,
    unset,
)

_Frames = Annotated[
    list[Path], typer.Argument(metavar="CLIP|FRAMES", help="One video; or a folder of pictures, or a pattern '*.png'.")
]
_Size = Annotated[
    int | None,
    unset(
        "N",
        "The longer side of the result in pixels. Without it: that of the clip, with gatys 384.",
        min=16,
    ),
]
_Steadiness = Annotated[
    float | None,
    unset(
        "0-1",
        "In one pass: how much of the frame before each one keeps, where nothing hides it; 0 flickers. "
        "Without it: 0.7.",
    ),
]
_Strength = Annotated[
    float,
    typer.Option(
        metavar="0-1",
        help="In one pass: 0 is the clip, with adain as its network sees it; 1 the painting.",
    ),
]
_Output = Annotated[
    str | None,
    output_option(
        "FILE|FOLDER", "beside the clip, as clip_great-wave.mp4, or beside the folder, as frames_great-wave/."
    ),
]
_Name = Annotated[
    str | None,
    name_option(
        "{stem}_{style}, with _{model} and _{method} where these are given",
        "{stem}, {style}, {model}, {method}, {seed}",
    ),
]
_Steps = Annotated[
    int | None,
    unset("N", "Of each frame; the first of a scene takes more. Without it: as many as is usual.", min=1),
]
_Passes = Annotated[
    int | None,
    unset("N", "Run over all frames N times, to and fro: for strong motion of the camera. The paper takes 15.", min=1),
]
_LongTerm = Annotated[
    str | None,
    unset(
        "1,10,20",
        "How many frames back each frame looks, so that what was hidden for a while looks the same again. "
        "Without it: 1.",
    ),
]
_Flow = Annotated[
    Path | None,
    unset(
        "FOLDER", "Optical flow as .flo files: forward_1_2.flo, backward_2_1.flo and so on. Without it: it is computed."
    ),
]
_KeepColors = Annotated[bool, typer.Option("--keep-colors", help="Keep the colours of the clip.")]
_Quick = Annotated[
    bool,
    typer.Option(
        "--quick", help="Take what paints at once: a new painting is not learnt first. With gatys fewer steps a frame."
    ),
]


@dataclass(frozen=True, kw_only=True)
class VideoResultOptions(ResultOptions):
    """What becomes of results, and of the frames of a run that was stopped."""

    resume: Resume = False


@dataclass(frozen=True, kw_only=True)
class Options(ComputeOptions, VideoResultOptions):
    """Paint a video in the style of a picture.

    There is little flicker, for each frame is held to the one before by optical flow.

    Audio, frame rate and colour tags stay. Finished frames lie in a folder beside the output until all are done: Ctrl-C
    loses none of them, and --resume goes on.

    Examples:
        limner stylize-video clip.mp4 --style great-wave
        limner stylize-video clip.mp4 --style painting.jpg --size 640
        limner stylize-video frames/ --style painting.jpg --method gatys --quick
    """

    frames: _Frames
    styles: Styles = field(default_factory=list)
    output: _Output = None
    name: _Name = None
    method: Method = "auto"
    model: StyleModel = None
    size: _Size = None
    steadiness: _Steadiness = None
    strength: _Strength = 1.0
    steps: _Steps = None
    passes: _Passes = None
    long_term: _LongTerm = None
    flow: _Flow = None
    style_scale: StyleScale = 1.0
    keep_colors: _KeepColors = False
    preset: GatysPreset = None
    quick: _Quick = False
    assignments: Set = field(default_factory=list)
    features: Features = None
    crf: Crf = None
    seed: Seed = 0
