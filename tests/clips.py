"""Small videos for the tests, made with PyAV alone."""

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

av = pytest.importorskip("av")

LANGUAGE, TITLE = "fin", "A clip"


def smooth(index: int = 0, width: int = 64, height: int = 48) -> np.ndarray:
    """Ramps of red and green whose blue tells the number of the frame."""
    pixels = np.zeros((height, width, 3), np.uint8)
    pixels[..., 0] = np.linspace(0, 255, width)[None]
    pixels[..., 1] = np.linspace(0, 255, height)[:, None]
    pixels[..., 2] = index * 8 % 256
    return pixels


def make_clip(
    path: Path,
    frames: Sequence[np.ndarray] | int = 10,
    *,
    rate: Fraction = Fraction(25),
    times: Sequence[int] | None = None,
    time_base: Fraction | None = None,
    codec: str = "libx264",
    pixel_format: str = "yuv420p",
    audio: str | None = "aac",
    context: dict[str, Any] | None = None,
    options: dict[str, str] | None = None,
    turned: tuple[int, bool, bool] | None = None,
    title: str = TITLE,
) -> Path:
    """Write a video with a tone of 440 Hz.

    Args:
        path: Its suffix names the container.
        frames: RGB pictures, or how many of `smooth`.
        rate: Frames a second.
        times: In `time_base`; None spaces the frames evenly.
        time_base: None is one frame.
        codec: Of the pictures.
        pixel_format: Of the pictures.
        audio: Its codec, or None.
        context: What is set on the encoder: colour tags, shape of a pixel.
        options: Of the encoder.
        turned: Degrees counter-clockwise, and whether columns and rows are flipped after that, for the display matrix.
        title: Of the film.
    """
    pictures = [smooth(index) for index in range(frames)] if isinstance(frames, int) else frames
    time_base = time_base or 1 / rate
    with av.open(str(path), "w") as output:
        output.metadata["title"] = title
        stream = output.add_stream(codec, rate=rate, options=options or _quick(codec))
        stream.height, stream.width = pictures[0].shape[:2]
        stream.pix_fmt, stream.codec_context.time_base = pixel_format, time_base
        for name, value in (context or {}).items():
            setattr(stream.codec_context, name, value)
        if turned:
            stream.set_display_rotation(*turned)
        sound = output.add_stream(audio, rate=48000) if audio else None
        if sound:
            sound.metadata["language"] = LANGUAGE
        for index, picture in enumerate(pictures):
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24" if picture.dtype == np.uint8 else "rgb48le")
            frame.pts, frame.time_base = times[index] if times else index, time_base
            output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
        if sound:
            _add_tone(output, sound, len(pictures) / rate)
    return path


def _quick(codec: str) -> dict[str, str]:
    return {"preset": "ultrafast", "crf": "10"} if codec == "libx264" else {}


def _add_tone(output: Any, stream: Any, seconds: Fraction) -> None:
    wave = 0.3 * np.sin(2 * np.pi * 440 * np.arange(int(48000 * seconds)) / 48000)
    samples = np.ascontiguousarray(np.stack([wave, wave]).astype(np.float32))
    frame = av.AudioFrame.from_ndarray(samples, format="fltp", layout="stereo")
    frame.sample_rate, frame.pts = 48000, 0
    size = stream.codec_context.frame_size or 1024
    resampler = av.AudioResampler(format=stream.format, layout="stereo", rate=48000, frame_size=size)
    for part in (*resampler.resample(frame), *resampler.resample(None)):
        output.mux(stream.encode(part))
    output.mux(stream.encode(None))


def packets(path: Path, kind: str) -> list[tuple[Fraction, bytes]]:
    """The time in seconds and the bytes of every packet of the streams of one kind."""
    with av.open(str(path)) as container:
        streams = [stream for stream in container.streams if stream.type == kind]
        drawn = container.demux(streams) if streams else []
        return [(packet.pts * packet.time_base, bytes(packet)) for packet in drawn if packet.pts is not None]
