"""`stylize_video`: a video, or pictures in order, in a style: in one pass, or by optimisation."""

from collections.abc import Callable, Sequence
from os import PathLike
from pathlib import Path
from typing import Literal

from limner.arguments import check_number, check_path, check_seed, check_size, check_word, model_text
from limner.media.footage import footage_path
from limner.runtime.run_options import RunOptions
from limner.systems.optimize.video_style import VideoStyleConfig
from limner.types import OnProgress, Precision
from limner.verbs.stylize.methods import Method, chosen_method, one_pass_painter
from limner.verbs.stylize.network_painter import check_strength
from limner.verbs.stylize.network_video import STEADINESS, paint_video
from limner.verbs.stylize.optimized_video import GATYS_SIZE, PRESETS, OnStep, Preset
from limner.verbs.stylize.optimized_video import stylize_video as optimize_video
from limner.verbs.stylize.style import Style, styles_of
from limner.verbs.stylize.stylize_names import stylize_naming


def stylize_video(
    source: str | PathLike[str] | Sequence[str | PathLike[str]],
    style: str | PathLike[str] | Style | Sequence[str | PathLike[str] | Style],
    *,
    method: Method = "auto",
    model: str | PathLike[str] | None = None,
    output: str | PathLike[str] | None = None,
    size: int | None = None,
    steadiness: float | None = None,
    strength: float = 1.0,
    style_scale: float = 1.0,
    keep_colors: bool = False,
    preset: Preset = "modern",
    config: VideoStyleConfig | None = None,
    flow: str | PathLike[str] | None = None,
    features: str | PathLike[str] | None = None,
    crf: int | None = None,
    device: str = "auto",
    precision: Precision = "fast",
    backend: Literal["auto", "torch", "onnxruntime", "openvino"] = "auto",
    memory: int | None = None,
    threads: int | None = None,
    seed: int = 0,
    resume: bool = False,
    overwrite: bool = False,
    on_progress: OnProgress | None = None,
    on_step: OnStep | None = None,
    on_note: Callable[[str], None] | None = None,
) -> Path:
    """Paint a video, or pictures in order, in the style of one picture or several, and give back where it is.

    Of a video audio, frame times, colour tags, rotation (as upright frames) and metadata stay. Pictures become PNG
    files in a folder, with their names. There is little flicker, for each frame is held to the one before.

    Args:
        source: A video, a folder of pictures, or pictures.
        style: The picture whose style is wanted or the name of a style that comes with Limner, or several, or each
            with its weight and scale; masks are for photos.
        method: As for `stylize`.
        model: For `fast` and `adain`: a model; None takes the embedded one.
        output: A video or a folder; None puts it beside the source as `<name>_<style>`.
        size: The longer side of the result in pixels; None is that of the source for `fast` and `adain`, and 384 for
            `gatys`.
        steadiness: For `fast` and `adain`: how much of the frame before each one keeps, from 0 to below 1; None: 0.7.
        strength: For `fast` and `adain`: from 0, the frames themselves, to 1, the painting.
        style_scale: For `adain` and `gatys`: size of the strokes of all styles.
        keep_colors: Keep the colours of the frames.
        preset: For `gatys`: `modern`, `quick`, or `paper` as published.
        config: For `gatys`: instead of a preset.
        flow: For `gatys`: a folder of .flo files; None computes the flow.
        features: For `gatys`: a file of weights of VGG-16 or VGG-19; None takes the embedded ones.
        crf: The rate factor of H.264, 0 to 51: less is better and larger. None takes 17.
        device: `auto`, `cpu`, `cuda` or `mps`.
        precision: `fast` or `exact`.
        backend: For `fast` and `adain`: what computes on the CPU.
        memory: Bytes that the process may hold in all; None takes half of what is free.
        threads: Of the CPU; None takes one for each core.
        seed: Of what is random.
        resume: For `gatys`: go on with the frames of a run that was stopped.
        overwrite: Replace an existing output.
        on_progress: For `fast` and `adain`: called with how many frames of how many are painted.
        on_step: For `gatys`: called after each step.
        on_note: Called, before the work, with each thing of the video that is not kept.

    Raises:
        LimnerError: If something cannot be read or written, or an option does not fit the method.
        KeyboardInterrupt: If it was stopped by Ctrl-C or SIGTERM; with `gatys`, what is painted is kept.

    Example:
        >>> limner.stylize_video("clip.mp4", "great-wave")  # doctest: +SKIP
        PosixPath('clip_great-wave.mp4')
    """
    check_word("preset", preset, PRESETS)
    check_seed(seed)
    check_size(size)
    check_strength(strength)
    check_number("style_scale", style_scale, "1 is that of the picture")
    for one in [source] if isinstance(source, str | PathLike) or not isinstance(source, Sequence) else source:
        check_path("source", one)
    for what, path in {"output": output, "flow": flow, "features": features}.items():
        if path is not None:
            check_path(what, path)
    model = None if model is None else model_text(model)
    where = Path(source) if isinstance(source, str | PathLike) else [Path(one) for one in source]
    styles = [one._replace(scale=one.scale * style_scale) for one in styles_of(style, of_model=model is not None)]
    slow = {
        "preset": preset != "modern", "config": config, "flow": flow, "features": features, "resume": resume,
        "on_step": on_step,
    }  # fmt: skip
    quick = {"model": model, "steadiness": steadiness is not None, "strength": strength != 1}
    chosen = chosen_method(
        styles, method, model, of_gatys=[name for name, given in slow.items() if given],
        of_one_pass=[name for name, given in quick.items() if given],
    )  # fmt: skip
    target = Path(output) if output else footage_path(where, stylize_naming(styles, method=method, model=model))
    if chosen == "gatys":
        return optimize_video(
            where, styles, output=target, preset=preset, config=config, size=size or GATYS_SIZE, flow=flow,
            keep_colors=keep_colors, features=features, crf=crf, device=device, precision=precision, memory=memory,
            seed=seed, resume=resume, overwrite=overwrite, on_step=on_step, on_note=on_note,
        )  # fmt: skip
    options = RunOptions(device=device, precision=precision, backend=backend, memory=memory, threads=threads)
    painter = one_pass_painter(
        chosen, styles, model, strength=strength, keep_colors=keep_colors, seed=seed, options=options
    )
    return paint_video(
        painter, where, output=target, size=size, steadiness=STEADINESS if steadiness is None else steadiness,
        crf=crf, overwrite=overwrite, on_progress=on_progress, on_note=on_note,
    )  # fmt: skip
