"""What a video holds beside its pictures, from one file to another, packet by packet."""

from collections.abc import Iterator
from contextlib import ExitStack
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from limner.errors import LimnerError
from limner.files.video import import_av, telling
from limner.files.video_reader import DAMAGED, VideoReader, codec_of, opened

_STALE = ("duration", "bps", "number_of_", "_statistics")  # Matroska's tags that count the packets of a stream


class Remux:
    """Copies audio, subtitles, attachments and chapters of `like` to `output`, in step with its pictures.

    Attributes:
        notes: What `output` cannot hold.

    Raises:
        LimnerError: If `output` cannot hold an audio stream; the message names `target`.
    """

    def __init__(self, like: VideoReader, output: Any, target: Path) -> None:
        self._like, self._output, self._target = like, output, target
        self._stack = ExitStack()
        self._copies: dict[int, Any] = {}
        self._earliest: dict[int, int] = {}
        self._next: Any = None
        self.notes: list[str] = []

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            source = stack.enter_context(opened(self._like.path))
            hidden = import_av().stream.Discard.all  # MP4 keeps the titles of its chapters in a stream
            for stream in source.streams:
                if stream.index != self._like.stream and stream.discard != hidden:
                    self._add(stream)
            self._output.set_chapters(source.chapters())
            self._packets = self._drawn(source)
            self._next = next(self._packets, None)
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()  # without the error: it is of the output, and would seem to be of the source

    def until(self, time: Fraction | None) -> None:
        """Write the packets that come before a time, in seconds; None writes all that are left."""
        while self._next is not None and (time is None or _time_of(self._next) <= time):
            self._mux(self._next)
            self._next = next(self._packets, None)

    def _mux(self, packet: Any) -> None:
        """Write a packet, no earlier than the one before it in its stream: FFmpeg refuses what sloppy files do."""
        copy, flags = self._copies[packet.stream.index], import_av().format.Flags
        unit = Fraction(copy.time_base)
        scale = Fraction(packet.time_base) / unit
        decoded = round(_stamp_of(packet) * scale)
        shown = decoded if packet.pts is None else round(packet.pts * scale)
        decoded = max(decoded, self._earliest.get(copy.index, decoded))
        self._earliest[copy.index] = decoded + (not self._output.format.flags & flags.ts_nonstrict.value)
        packet.dts, packet.pts, packet.duration = decoded, max(decoded, shown), round((packet.duration or 0) * scale)
        packet.time_base, packet.stream = unit, copy
        self._output.mux(packet)

    def _drawn(self, source: Any) -> Iterator[Any]:
        with telling(self._like.path, DAMAGED):
            for packet in source.demux():
                if packet.stream.index in self._copies and (packet.dts is not None or packet.pts is not None):
                    yield packet

    def _add(self, stream: Any) -> None:
        copy = self._copy_of(stream)
        is_known = stream.type == "audio" and stream.codec_context is not None
        if copy is None and is_known and self._target.suffix.lower() != ".mkv":
            raise LimnerError(
                f"{self._target}: {self._target.suffix} holds no {codec_of(stream)} audio: name an --output "
                "that ends in .mkv, which holds any"
            )
        if copy is None:
            kind = {"video": "picture", "attachment": "attached file"}.get(stream.type, stream.type)
            self.notes.append(f"its {kind} stream {stream.index + 1} ({codec_of(stream)}) is not kept")
            return
        tags = {key: value for key, value in stream.metadata.items() if not key.lower().startswith(_STALE)}
        copy.metadata.update(tags)
        copy.disposition = stream.disposition
        self._copies[stream.index] = copy

    def _copy_of(self, stream: Any) -> Any:
        """A stream of the output that takes the packets of this one, or None where it cannot."""
        kinds = ("audio", "subtitle", "attachment") if self._target.suffix.lower() == ".mkv" else ("audio", "subtitle")
        if stream.type not in kinds or (stream.type != "attachment" and stream.codec_context is None):
            return None
        try:
            return self._output.add_stream_from_template(stream, opaque=True)
        except ValueError:
            return None


def _stamp_of(packet: Any) -> int:
    return packet.pts if packet.dts is None else packet.dts


def _time_of(packet: Any) -> Fraction:
    return _stamp_of(packet) * Fraction(packet.time_base)
