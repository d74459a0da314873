"""Frames to videos, with all else that their source holds, by PyAV."""

import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Self

import numpy as np

from limner.errors import LimnerError
from limner.files.atomic import atomic_path, check_place
from limner.files.picture import Samples
from limner.files.video import WRITTEN_SUFFIXES, Frame, import_av, telling
from limner.files.video_reader import VideoReader
from limner.files.video_remux import Remux

CRF = 17
"""The default rate factor: x264's makers call about 17 or 18 visually lossless."""


class _Container(NamedTuple):
    format: str
    encoders: tuple[str, ...]  # the first that has the pixel format is taken


_H264 = ("libx264",)
_CONTAINERS = {
    ".mp4": _Container("mp4", _H264),
    ".m4v": _Container("mp4", _H264),
    ".mov": _Container("mov", _H264),
    ".mkv": _Container("matroska", _H264),
    ".webm": _Container("webm", ("libvpx-vp9", "libsvtav1")),
}


class VideoWriter:
    """Writes a video whose frames are made from those of another one; use it with `with`.

    What is kept of the other one: the times of the frames, its audio and subtitles packet by packet, its colour, the
    shape of its pixels, chapters and metadata. It is H.264, in WebM VP9. What has more than 8 bits gets 10, in WebM as
    AV1. Chroma has half the resolution (4:2:0), so sides are even: of an odd one the last row or column stands twice.

    Args of the constructor:
        path: Its suffix names the container; its folder must exist.
        like: The video that it is made from.
        width: Of the frames that will come, in pixels.
        height: Of the frames that will come, in pixels.
        crf: 0 (lossless) to 51; 6 more halve the size of the file, about. None takes 17. VP9 and AV1 take it as a share
            of their 63.
        overwrite: Whether a file that is already there may be replaced.

    Attributes:
        width: Of what is written: even.
        height: Of what is written: even.
        notes: What of the other one is lost, known once the `with` block has begun.

    Raises:
        LimnerError: If the suffix, the place or the rate factor will not do.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        like: VideoReader,
        *,
        width: int,
        height: int,
        crf: int | None = None,
        overwrite: bool = False,
    ) -> None:
        self.path, self.like, self.crf = Path(path), like, CRF if crf is None else crf
        self.width, self.height = width + width % 2, height + height % 2
        self.notes: list[str] = []
        self._given = (width, height)
        check_video(self.path, self.crf, overwrite=overwrite)
        self._context: AbstractContextManager[None] = self._writing()

    def __enter__(self) -> Self:
        """Open the file and write its head.

        Raises:
            LimnerError: If the container cannot hold the audio, or the file cannot be written.
        """
        self._context.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool | None:
        return self._context.__exit__(kind, error, trace)

    def write(self, frame: Frame) -> None:
        """Add a frame; they come in the order in which they are shown."""
        converted = self._convert(frame.pixels)
        converted.pts, converted.time_base = frame.pts, self.like.time_base
        self._durations[frame.pts] = frame.duration
        self._mux(self._stream.encode(converted))

    @contextmanager
    def _writing(self) -> Iterator[None]:
        av = import_av()
        container = _CONTAINERS[self.path.suffix.lower()]
        with (
            telling(self.path, "cannot be written ({}): name another --output"),
            atomic_path(self.path) as temporary,
            av.open(f"file:{temporary}", "w", format=container.format) as output,
        ):
            output.metadata.update(self.like.metadata)
            encoder, pixel_format = self._choose(container)
            self._stream = self._add_stream(output, encoder, pixel_format)
            self._convert = _Converter(*self._given, self.like, pixel_format)
            self._durations: dict[int, int] = {}
            with Remux(self.like, output, self.path) as self._others:
                self.notes += self._others.notes
                output.start_encoding()
                yield
                self._mux(self._stream.encode(None))
                self._others.until(None)

    def _choose(self, container: _Container) -> tuple[str, str]:
        """The encoder and the pixel format."""
        av = import_av()
        there = [name for name in container.encoders if name in av.codecs_available]
        wanted = ["yuv420p10le", "yuv420p"] if self.like.bit_depth > 8 else ["yuv420p"]
        for pixel_format in wanted:
            for name in there:
                if pixel_format in [one.name for one in av.codec.Codec(name, "w").video_formats or ()]:
                    if pixel_format != wanted[0]:
                        self.notes.append(f"its {self.like.bit_depth} bits are rounded to 8, for {name} has no more")
                    return name, pixel_format
        names = " or ".join(container.encoders)
        raise LimnerError(f"{self.path}: needs the encoder {names}, which this PyAV lacks: install its wheel from PyPI")

    def _add_stream(self, output: Any, encoder: str, pixel_format: str) -> Any:
        like, colour = self.like, self.like.colour
        stream = output.add_stream(
            encoder, rate=like.rate.limit_denominator(100_000), options=_options(encoder, self.crf, like.is_variable)
        )
        context = stream.codec_context
        context.width, context.height = self.width, self.height
        context.pix_fmt, context.sample_aspect_ratio = pixel_format, like.pixel_aspect
        context.time_base = stream.time_base = like.time_base
        context.color_primaries, context.color_trc = colour.primaries, colour.transfer
        context.colorspace, context.color_range = colour.matrix, 2 if colour.full_range else 1
        if (self.width, self.height) != self._given:
            self.notes.append(
                f"{self._given[0]}x{self._given[1]} becomes {self.width}x{self.height}, for the sides must be even: "
                "the last row or column stands twice"
            )
        return stream

    def _mux(self, packets: list[Any]) -> None:
        for packet in packets:
            packet.duration = self._durations.pop(packet.pts, 0) or packet.duration
            self._others.until(packet.dts * Fraction(packet.time_base))
            self._stream.container.mux(packet)


def check_video(path: Path, crf: int = CRF, *, overwrite: bool = False) -> None:
    """Refuse, before the work, a place that no video can be written to.

    Raises:
        LimnerError: If the suffix or the rate factor is none, or a file is there that may not be replaced.
    """
    check_video_kind(path, crf)
    check_place(path, overwrite=overwrite)


def check_video_kind(path: Path, crf: int = CRF) -> None:
    """Refuse a suffix that no video is written with, or what is no rate factor.

    Raises:
        LimnerError: It is.
    """
    import_av()
    if path.suffix.lower() not in WRITTEN_SUFFIXES:
        known = " ".join(sorted(WRITTEN_SUFFIXES))
        raise LimnerError(f"{path}: videos are written as one of {known}, got '{path.suffix}': change the suffix")
    if not 0 <= crf <= 51:
        raise LimnerError(f"{path}: the rate factor must be from 0 to 51, got {crf}: {CRF} is a good choice")


def _options(encoder: str, crf: int, is_variable: bool) -> dict[str, str]:
    if encoder == "libx264":
        even = {} if is_variable else {"x264-params": "force-cfr=1"}  # else the stream tells its time base as its rate
        return {"crf": str(crf), "preset": "medium", "rc-lookahead": "20"} | even  # it holds each of these frames
    share = {"crf": str(round(crf * 63 / 51))}
    return share | ({"cpu-used": "4", "row-mt": "1"} if encoder == "libvpx-vp9" else {"preset": "8"})


class _Converter:
    """RGB to what is encoded: matrix and range of the source, chroma between the rows and on the even columns.

    FFmpeg's scale filter, for PyAV's own reformatter leaves no choice where chroma lies, and puts it half a pixel off.
    """

    def __init__(self, width: int, height: int, like: VideoReader, pixel_format: str) -> None:
        av = import_av()
        self._av, self._padding = av, ((0, height % 2), (0, width % 2), (0, 0))
        self._format = "rgb24" if like.bit_depth <= 8 else "rgb48le"
        self._graph = av.filter.Graph()
        source = self._graph.add_buffer(
            width=width + width % 2, height=height + height % 2, format=self._format, time_base=like.time_base
        )
        settings = {
            "flags": "bicubic+accurate_rnd+full_chroma_int+full_chroma_inp",
            "out_color_matrix": like.colour.matrix_name,
            "out_range": "full" if like.colour.full_range else "limited",
            "out_h_chr_pos": "0",
            "out_v_chr_pos": "128",
        }
        scale = self._graph.add("scale", ":".join(f"{key}={value}" for key, value in settings.items()))
        self._graph.link_nodes(
            source, scale, self._graph.add("format", f"pix_fmts={pixel_format}"), self._graph.add("buffersink")
        ).configure()

    def __call__(self, pixels: Samples) -> Any:
        """A frame for the encoder, without its time."""
        if any(after for _, after in self._padding):
            pixels = np.pad(pixels, self._padding, mode="edge")
        self._graph.push(self._av.VideoFrame.from_ndarray(np.ascontiguousarray(pixels), format=self._format))
        return self._graph.pull()
