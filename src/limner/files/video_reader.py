"""Videos to frames, by PyAV."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from limner.errors import LimnerError
from limner.files.ordinary import check_ordinary
from limner.files.picture import Samples
from limner.files.video import MATRICES, Colour, Frame, import_av, telling

# no playlists: whatever one is called, it could name any file or address
_FORMATS = "mov,matroska,avi,mpegts,mpeg,mpegvideo,flv,asf,ogg,mxf"
_FROM_ZERO = "matroska,webm"  # whose length counts from 0, not from its first frame
DAMAGED = (
    "is damaged, cut short or not a video ({}): get the file once more, or repair it with ffmpeg -i FILE -c copy NEW"
)
"""The error for a file that FFmpeg cannot read; `{}` is the reason."""

_FULL_RANGE = 2
_RGB, _UNSPECIFIED = 0, 2  # matrices of ITU-T H.273
_OF_THE_FILE = {"major_brand", "minor_version", "compatible_brands", "encoder", "software"}  # and not of the film


class Orientation(NamedTuple):
    """How stored frames become upright: swap rows and columns first, then flip."""

    transposed: bool = False
    flip_rows: bool = False
    flip_columns: bool = False

    @property
    def rotation(self) -> int:
        """Degrees clockwise: 0, 90, 180 or 270; of a mirrored one, those that follow the flip of the columns."""
        if self.transposed:
            return 270 if self.flip_rows else 90
        return 180 if self.flip_rows else 0

    def apply(self, pixels: Samples) -> Samples:
        """The upright pixels."""
        if self.transposed:
            pixels = pixels.swapaxes(0, 1)
        if self.flip_rows:
            pixels = pixels[::-1]
        if self.flip_columns:
            pixels = pixels[:, ::-1]
        return np.ascontiguousarray(pixels)


@dataclass(frozen=True)
class VideoReader:
    """What a video is; iterating gives its frames, decoded one by one.

    Attributes:
        path: The file.
        width: Columns of the upright frames, in pixels.
        height: Rows of the upright frames, in pixels.
        num_frames: As many as the file has packets; in some old files two make one frame.
        rate: Frames a second, on average.
        is_variable: Whether the frames come at uneven times.
        time_base: Seconds; the unit of the frames' times.
        duration: Seconds from the first frame to the end of the last.
        orientation: What turns the stored frames upright; iterating applies it.
        pixel_aspect: Width of an upright pixel over its height.
        pixel_format: Of the stored frames, in FFmpeg's words.
        bit_depth: Bits of a stored sample.
        colour: What the stored numbers mean; what the file leaves open is what players take for its size.
        audio: The codecs of the audio streams, as `codec_of` says.
        subtitles: The codecs of the subtitle streams.
        metadata: Title, date and what else the file says.
        notes: What of it is lost when it becomes frames.
        stream: The number of the video stream.
    """

    path: Path
    width: int
    height: int
    num_frames: int
    rate: Fraction
    is_variable: bool
    time_base: Fraction
    duration: Fraction
    orientation: Orientation
    pixel_aspect: Fraction
    pixel_format: str
    bit_depth: int
    colour: Colour
    audio: tuple[str, ...] = ()
    subtitles: tuple[str, ...] = ()
    metadata: dict[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    stream: int = 0

    def __iter__(self) -> Iterator[Frame]:
        """The frames in the order in which they are shown.

        Raises:
            LimnerError: If the file is damaged, or frames change their size.
        """
        convert = _Converter(self.colour, self.bit_depth)
        last = None
        with opened(self.path) as container:
            for frame in container.decode(container.streams[self.stream]):
                pixels = self.orientation.apply(convert(frame))
                if pixels.shape[:2] != (self.height, self.width):
                    raise LimnerError(
                        f"{self.path}: its frames must be of one size, got {pixels.shape[1]}x{pixels.shape[0]} after "
                        f"{self.width}x{self.height}: cut it where the size changes"
                    )
                last = _time_of(frame, last)
                yield Frame(pixels, last, frame.duration or 0)


def open_video(path: str | os.PathLike[str], *, max_pixels: int | None = 178_956_970) -> VideoReader:
    """Read what a video is: all its packets and its first frame, so that a file that is cut short is found at once.

    Args:
        path: An MP4, MOV, 3GP, Matroska, WebM, AVI, MPEG-TS, MPEG-PS, FLV, ASF, Ogg or MXF; found by content.
        max_pixels: Larger frames are refused before they are decoded; None lifts the limit.

    Raises:
        LimnerError: There is no such file, it is damaged, cut short, no video, or too large; PyAV is missing.
    """
    path = Path(path)
    with opened(path) as container:
        stream = _picture_stream(path, container)
        context = stream.codec_context
        if max_pixels is not None and context.width * context.height > max_pixels:
            raise LimnerError(
                f"{path}: has frames of {context.width}x{context.height} pixels, and at most {max_pixels} pixels are "
                "read: raise the limit with --max-pixels if you trust the file"
            )
        scan = _Scan(path, container, stream)
        return _described(path, container, stream, scan)


@contextmanager
def opened(path: Path) -> Iterator[Any]:
    """The container; every failure of FFmpeg inside becomes one line that names the file."""
    av = import_av()
    if path.is_dir():
        raise LimnerError(f"{path}: is a folder: name a video in it")
    check_ordinary(path)
    options = {"format_whitelist": _FORMATS, "protocol_whitelist": "file"}
    with telling(path, DAMAGED), av.open(f"file:{path}", options=options, metadata_errors="replace") as container:
        yield container


class _Scan:
    """One pass over the packets of all streams; of the video stream the first frame is decoded."""

    def __init__(self, path: Path, container: Any, stream: Any) -> None:
        self.first: Any = None
        self.times: list[int] = []
        self.last_duration = 0
        end = Fraction(0)
        for packet in container.demux():
            stamp = packet.dts if packet.pts is None else packet.pts
            if packet.stream is stream and self.first is None:
                self.first = next(iter(packet.decode()), None)
            if stamp is None:
                continue
            end = max(end, (stamp + (packet.duration or 0)) * packet.time_base)
            if packet.is_corrupt:
                raise LimnerError(f"{path}: {DAMAGED.format(f'at {float(end):.1f} s')}")
            if packet.stream is stream and not packet.is_discard:
                self.times.append(stamp)
                self.last_duration = packet.duration or self.last_duration
        self.times.sort()
        if self.first is None:
            raise LimnerError(f"{path}: {DAMAGED.format('it has no frames')}")
        _check_whole(path, container, end)

    def is_even(self) -> bool:
        """Whether the frames come at even times, but for their rounding to the time base."""
        times = np.array(self.times, dtype=np.float64)
        even = np.linspace(times[0], times[-1], len(times))
        return bool(np.abs(times - even).max() <= 1)


def _check_whole(path: Path, container: Any, end: Fraction) -> None:
    if container.duration is None:
        return
    av = import_av()
    start = 0 if container.format.name == _FROM_ZERO else container.start_time or 0
    promised = Fraction(container.duration + start, av.time_base)
    if promised - end > Fraction(1, 2):
        reason = f"it ends at {float(end):.1f} s of {float(promised):.1f} s"
        raise LimnerError(f"{path}: {DAMAGED.format(reason)}")


def _picture_stream(path: Path, container: Any) -> Any:
    """The first video stream that is no cover picture, and can be decoded."""
    av = import_av()
    for stream in container.streams.video:
        if not stream.disposition & av.stream.Disposition.attached_pic and stream.codec_context is not None:
            return stream
    raise LimnerError(f"{path}: holds no video that can be decoded: convert it to H.264 first")


def codec_of(stream: Any) -> str:
    """The codec of a stream, or the name of an attached file; `unknown codec` where FFmpeg knows none."""
    is_unknown = stream.codec_context is None and stream.type in ("video", "audio", "subtitle")  # it has no name then
    return (None if is_unknown else stream.name) or "unknown codec"


def _described(path: Path, container: Any, stream: Any, scan: _Scan) -> VideoReader:
    first, time_base = scan.first, Fraction(stream.time_base)
    orientation = _orientation_of(first)
    height, width = orientation.apply(np.empty((first.height, first.width, 0), np.uint8)).shape[:2]
    aspect = Fraction(stream.sample_aspect_ratio or 1)
    duration = (scan.times[-1] - scan.times[0] + scan.last_duration) * time_base
    return VideoReader(
        path=path,
        width=width,
        height=height,
        num_frames=len(scan.times),
        rate=Fraction(stream.average_rate or stream.guessed_rate or len(scan.times) / (duration or 1)),
        is_variable=not scan.is_even(),
        time_base=time_base,
        duration=duration,
        orientation=orientation,
        pixel_aspect=1 / aspect if orientation.transposed else aspect,
        pixel_format=first.format.name,
        bit_depth=max(component.bits for component in first.format.components),
        colour=_colour_of(path, stream.codec_context, first),
        audio=tuple(codec_of(one) for one in container.streams.audio),
        subtitles=tuple(codec_of(one) for one in container.streams.subtitles),
        metadata={key: value for key, value in container.metadata.items() if key.lower() not in _OF_THE_FILE},
        notes=tuple(_notes_of(first)),
        stream=stream.index,
    )


def _colour_of(path: Path, context: Any, first: Any) -> Colour:
    matrix = int(first.colorspace)
    if matrix == _RGB:
        matrix = 1
    elif matrix == _UNSPECIFIED:  # players go by the size, and would go by another one once it is enlarged
        matrix = 1 if first.width >= 1280 or first.height > 576 else 6
    if matrix not in MATRICES:
        raise LimnerError(
            f"{path}: codes its colours in a way that is not converted (matrix {matrix} of ITU-T H.273): "
            "convert it to BT.709 or BT.2020 first"
        )
    full_range = int(first.color_range) == _FULL_RANGE or first.format.name.startswith("yuvj") or first.format.is_rgb
    return Colour(int(context.color_primaries), int(context.color_trc), matrix, bool(full_range))


def _notes_of(first: Any) -> Iterator[str]:
    if any(component.is_alpha for component in first.format.components):
        yield "its transparency is not kept"
    if max(component.bits for component in first.format.components) > 10:
        yield "its samples of more than 10 bits are rounded to 10"
    if first.interlaced_frame:
        yield "is interlaced, and its combs are enlarged too: deinterlace it first"
    if first.side_data.get("MASTERING_DISPLAY_METADATA") or first.side_data.get("CONTENT_LIGHT_LEVEL"):
        yield "what it says of the HDR screen that it was graded on is not kept"


def _orientation_of(frame: Any) -> Orientation:
    """From the display matrix: it takes (x, y) to (a x + c y, b x + d y), with y downwards."""
    matrix = frame.side_data.get("DISPLAYMATRIX")
    if matrix is None:
        return Orientation()
    a, b, _, c, d = np.frombuffer(bytes(matrix), np.int32)[:5].tolist()
    if abs(a) + abs(d) >= abs(b) + abs(c):
        return Orientation(False, d < 0, a < 0)
    return Orientation(True, b < 0, c < 0)


def _time_of(frame: Any, last: int | None) -> int:
    """When a frame is shown: times go up, whatever a sloppy file says."""
    stamp = frame.dts if frame.pts is None else frame.pts
    if stamp is None:
        stamp = 0 if last is None else last + (frame.duration or 1)
    return int(stamp) if last is None else max(int(stamp), last + 1)


class _Converter:
    """Decoded frames to RGB."""

    def __init__(self, colour: Colour, bit_depth: int) -> None:
        av = import_av()
        reformatter = av.video.reformatter
        names, how = reformatter.Colorspace, reformatter.Interpolation
        self._reformatter = reformatter.VideoReformatter()
        self._format = "rgb24" if bit_depth <= 8 else "rgb48le"
        known = {1: names.ITU709, 4: names.FCC, 5: names.ITU601, 6: names.ITU601, 7: names.SMPTE240M, 9: names.BT2020}
        ranges = reformatter.ColorRange
        self._options = {
            "src_colorspace": known[colour.matrix],
            "src_color_range": ranges.JPEG if colour.full_range else ranges.MPEG,
            "dst_color_range": ranges.JPEG,
            "interpolation": how.BICUBIC | how.ACCURATE_RND | how.FULL_CHR_H_INT | how.FULL_CHR_H_INP,
        }

    def __call__(self, frame: Any) -> Samples:
        """(h, w, 3) of uint8 or uint16."""
        options = {} if frame.format.is_rgb else self._options
        return self._reformatter.reformat(frame, format=self._format, **options).to_ndarray()
