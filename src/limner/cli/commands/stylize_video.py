"""`limner stylize-video`."""

from pathlib import Path
from typing import Annotated

import typer

from limner.cli.optimizing import Features, Seed, Set
from limner.cli.options import Device, Force, Json, Memory, Precision, Threads
from limner.cli.painting_options import GatysPreset, Method, Model, Styles

_Frames = Annotated[
    list[Path], typer.Argument(metavar="CLIP|FRAMES", help="One video; or a folder of pictures, or a pattern '*.png'.")
]
_Size = Annotated[
    int | None,
    typer.Option(
        min=16,
        metavar="N",
        help="The longer side of the result in pixels. Without it: that of the clip with fast and adain, 384 "
        "with gatys.",
        show_default=False,
    ),
]
_Steadiness = Annotated[
    float | None,
    typer.Option(
        metavar="0-1",
        help="For fast and adain: how much of the frame before each one keeps, where nothing hides it; 0 flickers. "
        "Without it: 0.7.",
        show_default=False,
    ),
]
_Strength = Annotated[
    float,
    typer.Option(
        metavar="0-1", help="For fast and adain: 0 is the clip, with adain as its network sees it; 1 the painting."
    ),
]
_Output = Annotated[
    Path | None,
    typer.Option(
        "--output",
        "-o",
        metavar="FILE|FOLDER",
        help="Without it: beside the clip, as clip_stylized.mp4, or beside the folder, as frames_stylized/.",
        show_default=False,
    ),
]
_Steps = Annotated[
    int | None,
    typer.Option(
        min=1,
        metavar="N",
        help="Of each frame; the first of a scene takes more. Without it: the preset's.",
        show_default=False,
    ),
]
_Passes = Annotated[
    int | None,
    typer.Option(
        min=1,
        metavar="N",
        help="Run over all frames N times, to and fro: for strong motion of the camera. The paper takes 15.",
        show_default=False,
    ),
]
_LongTerm = Annotated[
    str | None,
    typer.Option(
        metavar="1,10,20",
        help="How many frames back each frame looks, so that what was hidden for a while looks the same again. "
        "Without it: 1.",
        show_default=False,
    ),
]
_Flow = Annotated[
    Path | None,
    typer.Option(
        metavar="FOLDER",
        help="Optical flow as .flo files: forward_1_2.flo, backward_2_1.flo and so on. Without it: it is computed.",
        show_default=False,
    ),
]
_StyleScale = Annotated[
    float,
    typer.Option(
        metavar="X",
        help="For adain and gatys: size of the strokes; 1 shows the style as large as the result, with adain at most "
        "1024 pixels.",
    ),
]
_KeepColors = Annotated[bool, typer.Option("--keep-colors", help="Keep the colours of the clip.")]
_Quick = Annotated[bool, typer.Option("--quick", help="Fewer steps a frame, for a first look.")]
_Crf = Annotated[
    int | None,
    typer.Option(
        min=0, max=51, metavar="0-51", help="Of video: less is better and larger (default 17).", show_default=False
    ),
]
_Resume = Annotated[bool, typer.Option("--resume", help="Go on with the frames of a run that was stopped.")]


def stylize_video(
    frames: _Frames,
    style: Styles = None,
    output: _Output = None,
    method: Method = "auto",
    model: Model = None,
    size: _Size = None,
    steadiness: _Steadiness = None,
    strength: _Strength = 1.0,
    steps: _Steps = None,
    passes: _Passes = None,
    long_term: _LongTerm = None,
    flow: _Flow = None,
    style_scale: _StyleScale = 1.0,
    keep_colors: _KeepColors = False,
    preset: GatysPreset = None,
    quick: _Quick = False,
    assignments: Set = None,
    features: Features = None,
    crf: _Crf = None,
    seed: Seed = 0,
    device: Device = "auto",
    precision: Precision = "fast",
    memory: Memory = None,
    threads: Threads = None,
    resume: _Resume = False,
    force: Force = False,
    as_json: Json = False,
) -> None:
    """Paint a video in the style of a picture.

    There is little flicker, for each frame is held to the one before by optical flow.

    Audio, frame rate and colour tags stay. With gatys, finished frames lie in a folder beside the output until all are
    done: Ctrl-C loses none of them, and --resume goes on.
    """
    from limner.cli.work.stylize_video import Options, run

    run(
        Options(
            frames=frames,
            styles=style or [],
            output=output,
            method=method,
            model=model,
            size=size,
            steadiness=steadiness,
            strength=strength,
            steps=steps,
            passes=passes,
            long_term=long_term,
            flow=flow,
            style_scale=style_scale,
            keep_colors=keep_colors,
            preset=preset,
            quick=quick,
            assignments=assignments or [],
            features=features,
            crf=crf,
            seed=seed,
            device=device,
            precision=precision,
            memory=memory,
            threads=threads,
            resume=resume,
            force=force,
            as_json=as_json,
        )
    )
