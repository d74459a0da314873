"""Videos: what is read, what is written, what is kept beside the frames, what is refused."""

import sys
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image
from tests.clips import LANGUAGE, TITLE, av, make_clip, packets, smooth

from limner.errors import LimnerError
from limner.files.video import Frame, is_video_path, written_suffix
from limner.files.video_reader import VideoReader, open_video
from limner.files.video_writer import VideoWriter

LUMA_WEIGHTS = {1: (0.2126, 0.0722), 5: (0.299, 0.114), 6: (0.299, 0.114), 9: (0.2627, 0.0593)}  # of red and blue
FLAT = [(0, 0, 0), (255, 255, 255), (200, 60, 20), (20, 180, 90), (30, 40, 220), (128, 128, 128)]


def copied(source: Path, target: Path, **options: object) -> tuple[VideoReader, VideoWriter]:
    """Write the frames of a video as they are."""
    video = open_video(source)
    with VideoWriter(target, video, **({"width": video.width, "height": video.height} | options)) as writer:
        for frame in video:
            writer.write(frame)
    return video, writer


def coded(rgb: tuple[int, int, int], matrix: int, full_range: bool, bits: int = 8) -> np.ndarray:
    """Y, Cb and Cr by the formulas of ITU-T H.273, section 8.3."""
    (kr, kb), (r, g, b) = LUMA_WEIGHTS[matrix], np.array(rgb) / 255
    y = kr * r + (1 - kr - kb) * g + kb * b
    cb, cr = (b - y) / (2 * (1 - kb)), (r - y) / (2 * (1 - kr))
    if full_range:
        return np.array([y, cb + 0.5, cr + 0.5]) * (2**bits - 1)
    return np.array([16 + 219 * y, 128 + 224 * cb, 128 + 224 * cr]) * 2 ** (bits - 8)


def planes(path: Path) -> list[np.ndarray]:
    """The stored samples of the first frame."""
    with av.open(str(path)) as container:
        frame = next(container.decode(video=0))
        wide = np.uint16 if frame.format.components[0].bits > 8 else np.uint8
        rows = [np.frombuffer(plane, wide).reshape(plane.height, -1)[:, : plane.width] for plane in frame.planes]
        return [row.astype(int) for row in rows]


def tags(path: Path) -> tuple[int, ...]:
    with av.open(str(path)) as container:
        context = container.streams.video[0].codec_context
        return context.color_primaries, context.color_trc, context.colorspace, context.color_range


def flat(rgb: tuple[int, int, int], deep: bool = False) -> np.ndarray:
    return np.full((32, 32, 3), np.array(rgb) * (257 if deep else 1), np.uint16 if deep else np.uint8)


# What is read


def test_what_a_video_is(tmp_path: Path) -> None:
    video = open_video(make_clip(tmp_path / "a.mp4", 12))
    assert (video.width, video.height, video.num_frames, video.rate) == (64, 48, 12, Fraction(25))
    assert (video.is_variable, video.duration, video.bit_depth) == (False, Fraction(12, 25), 8)
    assert (video.audio, video.subtitles, video.metadata["title"]) == (("aac",), (), TITLE)
    assert (video.pixel_format, video.orientation.rotation, video.pixel_aspect) == ("yuv420p", 0, Fraction(1))
    assert video.notes == ()
    frames = list(video)
    assert [frame.pts * video.time_base for frame in frames] == [Fraction(index, 25) for index in range(12)]
    for index, frame in enumerate(frames):
        assert frame.pixels.shape == (48, 64, 3)
        assert np.abs(frame.pixels.astype(int) - smooth(index)).mean() < 4


@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
@pytest.mark.parametrize("rate", [Fraction(25), Fraction(30000, 1001), Fraction(24000, 1001)])
def test_a_constant_rate_is_known_also_where_times_are_rounded(tmp_path: Path, suffix: str, rate: Fraction) -> None:
    video = open_video(make_clip(tmp_path / f"a{suffix}", 40, rate=rate, audio=None))
    assert video.rate == rate
    assert not video.is_variable


def test_a_variable_rate_is_noticed_and_its_times_are_read(tmp_path: Path) -> None:
    times = [0, 40, 90, 100, 300, 1300]
    video = open_video(make_clip(tmp_path / "a.mkv", 6, times=times, time_base=Fraction(1, 1000)))
    assert video.is_variable
    assert [1000 * frame.pts * video.time_base for frame in video] == times


def test_10_bits_come_as_16(tmp_path: Path) -> None:
    ramp = np.linspace(0, 65535, 64).astype(np.uint16)
    deep = np.repeat(np.broadcast_to(ramp[None, :, None], (48, 64, 3)), 1, axis=0)
    video = open_video(make_clip(tmp_path / "a.mp4", [np.ascontiguousarray(deep)], pixel_format="yuv420p10le"))
    (frame,) = video
    assert video.bit_depth == 10
    assert frame.pixels.dtype == np.uint16
    error = np.abs(frame.pixels.astype(int) - deep)
    assert error.mean() < 257, "less than one of 256 levels"
    assert len(np.unique(frame.pixels[24, :, 0])) == 64


@pytest.mark.skipif(not hasattr(av.video.stream.VideoStream, "set_display_rotation"), reason="an older PyAV")
@pytest.mark.parametrize("flips", [(False, False), (True, False), (False, True)])
@pytest.mark.parametrize("degrees", [0, 90, 180, 270])
def test_turned_and_mirrored_videos_are_upright(tmp_path: Path, degrees: int, flips: tuple[bool, bool]) -> None:
    stored = smooth()
    path = make_clip(tmp_path / "a.mp4", [stored], turned=(degrees, *flips), audio=None)
    video = open_video(path)
    expected = np.rot90(stored, degrees // 90)  # counter-clockwise
    expected = expected[:, ::-1] if flips[0] else expected
    expected = expected[::-1] if flips[1] else expected
    (frame,) = video
    assert frame.pixels.shape == expected.shape == (video.height, video.width, 3)
    assert np.abs(frame.pixels.astype(int) - expected).mean() < 4
    if flips == (False, False):
        assert video.orientation.rotation == (360 - degrees) % 360


@pytest.mark.parametrize(("degrees", "aspect"), [(0, Fraction(4, 3)), (90, Fraction(3, 4))])
def test_the_shape_of_a_pixel_turns_with_the_video(tmp_path: Path, degrees: int, aspect: Fraction) -> None:
    path = make_clip(
        tmp_path / "a.mp4",
        2,
        context={"sample_aspect_ratio": Fraction(4, 3)},
        turned=(degrees, False, False),
        audio=None,
    )
    video, _ = copied(path, tmp_path / "b.mp4")
    assert video.pixel_aspect == open_video(tmp_path / "b.mp4").pixel_aspect == aspect


@pytest.mark.parametrize("full_range", [False, True])
@pytest.mark.parametrize("matrix", [1, 6, 9])
@pytest.mark.parametrize("bits", [8, 10])
def test_colours_are_read_by_the_matrix_and_range_of_the_file(
    tmp_path: Path, matrix: int, full_range: bool, bits: int
) -> None:
    for rgb in FLAT:
        frame = av.VideoFrame(32, 32, "yuv420p" if bits == 8 else "yuv420p10le")
        for plane, value in zip(frame.planes, coded(rgb, matrix, full_range, bits), strict=True):
            samples = np.full((plane.height, plane.line_size // (bits > 8 or 1)), round(value))
            plane.update(samples.astype(np.uint8) if bits == 8 else samples[:, : plane.line_size // 2].astype("<u2"))
        with av.open(str(tmp_path / "a.mp4"), "w") as output:
            stream = output.add_stream("libx264", rate=25, options={"crf": "1", "preset": "ultrafast"})
            stream.width = stream.height = 32
            stream.pix_fmt = frame.format.name
            stream.codec_context.colorspace, stream.codec_context.color_range = matrix, 2 if full_range else 1
            output.mux((*stream.encode(frame), *stream.encode(None)))
        (read,) = open_video(tmp_path / "a.mp4")
        assert np.abs(read.pixels / (257 if bits > 8 else 1) - np.array(rgb)).max() <= 2


@pytest.mark.parametrize(("height", "matrix"), [(576, 6), (578, 1)])
def test_colours_without_a_tag_are_those_that_players_take_for_the_size(
    tmp_path: Path, height: int, matrix: int
) -> None:
    path = make_clip(tmp_path / "a.mp4", [np.zeros((height, 32, 3), np.uint8)], audio=None)
    assert tags(path)[2] == 2
    assert open_video(path).colour.matrix == matrix
    copied(path, tmp_path / "b.mp4")
    assert tags(tmp_path / "b.mp4")[2] == matrix, "a larger one must not be taken for another"


@pytest.mark.parametrize(
    ("options", "note"),
    [
        ({"codec": "qtrle", "pixel_format": "argb"}, "its transparency is not kept"),
        ({"options": {"flags": "+ildct", "x264-params": "tff=1"}}, "is interlaced"),
    ],
)
def test_what_frames_do_not_hold_is_told(tmp_path: Path, options: dict, note: str) -> None:
    (told,) = open_video(make_clip(tmp_path / "a.mov", 3, audio=None, **options)).notes
    assert told.startswith(note)


@pytest.mark.parametrize(("codec", "pixel_format"), [("libx264rgb", "rgb24"), ("qtrle", "rgb24")])
def test_rgb_is_read_as_it_is(tmp_path: Path, codec: str, pixel_format: str) -> None:
    lossless = {"crf": "0"} if codec == "libx264rgb" else {}
    video = open_video(
        make_clip(tmp_path / "a.mov", 1, codec=codec, pixel_format=pixel_format, options=lossless, audio=None)
    )
    np.testing.assert_array_equal(next(iter(video)).pixels, smooth())


# What is written


@pytest.mark.parametrize("deep", [False, True])
@pytest.mark.parametrize("full_range", [False, True])
@pytest.mark.parametrize("matrix", [1, 5, 6, 9])
def test_flat_colours_are_written_by_the_matrix_and_range_and_come_back(
    tmp_path: Path, matrix: int, full_range: bool, deep: bool
) -> None:
    source = make_clip(tmp_path / "a.mp4", [flat((0, 0, 0))], audio=None)
    like = open_video(source)
    like = replace(like, colour=replace(like.colour, matrix=matrix, full_range=full_range), bit_depth=10 if deep else 8)
    for rgb in FLAT:
        path = tmp_path / "b.mp4"
        with VideoWriter(path, like, width=32, height=32, crf=1, overwrite=True) as writer:
            writer.write(Frame(flat(rgb, deep), 0, 0))
        for plane, value in zip(planes(path), coded(rgb, matrix, full_range, 10 if deep else 8), strict=True):
            assert np.abs(plane - value).max() <= (4 if deep else 1.6)
        (read,) = open_video(path)
        assert np.abs(read.pixels / (257 if deep else 1) - np.array(rgb)).max() <= 2


def test_chroma_lies_on_the_even_columns_as_h264_has_it(tmp_path: Path) -> None:
    like = open_video(make_clip(tmp_path / "a.mp4", 1, audio=None))
    ramp = np.full((48, 64, 3), 90, np.uint8)
    ramp[..., 2] = 40 + 2 * np.arange(64)
    with VideoWriter(tmp_path / "b.mp4", like, width=64, height=48, crf=1) as writer:
        writer.write(Frame(ramp, 0, 0))
    blue_of_column = [coded((90, 90, 40 + 2 * column), 6, False)[1] for column in range(64)]
    error = planes(tmp_path / "b.mp4")[1][12, 4:28] - np.array(blue_of_column)[8:56:2]
    assert abs(error.mean()) < 0.15, "half a column off would be 0.44"


def test_colour_tags_are_kept(tmp_path: Path) -> None:
    context = {"color_primaries": 9, "color_trc": 16, "colorspace": 9, "color_range": 1}
    make_clip(tmp_path / "a.mkv", 2, pixel_format="yuv420p10le", context=context, audio=None)
    copied(tmp_path / "a.mkv", tmp_path / "b.mp4")
    assert tags(tmp_path / "b.mp4") == (9, 16, 9, 1)
    assert open_video(tmp_path / "b.mp4").pixel_format == "yuv420p10le"


@pytest.mark.parametrize("rate", [Fraction(25), Fraction(30000, 1001)])
@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".mkv", ".m4v"])
def test_audio_times_and_metadata_are_kept(tmp_path: Path, suffix: str, rate: Fraction) -> None:
    source = make_clip(tmp_path / f"a{suffix}", 30, rate=rate)
    before, writer = copied(source, target := tmp_path / f"b{suffix}")
    after = open_video(target)
    assert writer.notes == []
    assert packets(target, "audio") == packets(source, "audio") != []
    assert [frame.pts * after.time_base for frame in after] == [frame.pts * before.time_base for frame in before]
    assert (after.rate, after.duration, after.num_frames) == (before.rate, before.duration, before.num_frames)
    assert after.metadata["title"] == TITLE
    with av.open(str(target)) as container, av.open(str(source)) as original:
        assert container.streams.audio[0].language == LANGUAGE
        assert container.streams.video[0].codec_context.framerate == rate, "what the stream itself says"
        spare = 22_000 if suffix == ".mkv" else 0  # microseconds: it does not say how much of a last packet counts
        assert abs(container.duration - original.duration) <= spare


def test_a_variable_rate_is_kept_with_the_time_of_the_last_frame(tmp_path: Path) -> None:
    times = [0, 40, 90, 100, 300, 1300]
    source = make_clip(tmp_path / "a.mp4", 6, times=times, time_base=Fraction(1, 1000))
    before, _ = copied(source, tmp_path / "b.mp4")
    after = open_video(tmp_path / "b.mp4")
    assert after.is_variable
    assert [1000 * frame.pts * after.time_base for frame in after] == times
    assert after.duration == before.duration


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".mov"])
@pytest.mark.parametrize("start", [0, 500])
def test_sound_and_pictures_stay_together(tmp_path: Path, start: int, suffix: str) -> None:
    times = [start + 40 * index for index in range(8)]
    source = make_clip(tmp_path / "a.mp4", 8, times=times, time_base=Fraction(1, 1000))
    copied(source, target := tmp_path / f"b{suffix}")
    apart = []
    for path in (source, target):
        video = open_video(path)
        apart.append(next(iter(video)).pts * video.time_base - packets(path, "audio")[0][0])
    assert abs(apart[0] - apart[1]) < Fraction(1, 1000)


@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_audio_whose_times_go_back_is_put_right(tmp_path: Path, suffix: str) -> None:
    content = bytearray(make_clip(tmp_path / "a.mkv").read_bytes())
    sounds = [sound for _, sound in packets(tmp_path / "a.mkv", "audio")]
    places = [bytes(content).find(sound) - 3 for sound in sounds[3:5]]  # of the two bytes that tell the time
    first, second = (content[place : place + 2] for place in places)
    content[places[0] : places[0] + 2], content[places[1] : places[1] + 2] = second, first
    (tmp_path / "a.mkv").write_bytes(content)
    times = [time for time, _ in packets(tmp_path / "a.mkv", "audio")]
    assert times != sorted(times)
    copied(tmp_path / "a.mkv", target := tmp_path / f"b{suffix}")
    times = [time for time, _ in packets(target, "audio")]
    assert times == sorted(times)
    assert [sound for _, sound in packets(target, "audio")] == sounds


def test_webm_becomes_webm_with_its_audio(tmp_path: Path) -> None:
    source = make_clip(tmp_path / "a.webm", 8, codec="libvpx-vp9", audio="libopus")
    before, _ = copied(source, tmp_path / "b.webm")
    after = open_video(tmp_path / "b.webm")
    assert (after.num_frames, after.audio, after.duration) == (8, ("opus",), before.duration)
    assert packets(tmp_path / "b.webm", "audio") == packets(source, "audio") != []
    for ours, theirs in zip(after, before, strict=True):
        assert np.abs(ours.pixels.astype(int) - theirs.pixels).mean() < 3


@pytest.mark.skipif("libsvtav1" not in av.codecs_available, reason="PyAV has no AV1 encoder")
def test_10_bits_in_webm_are_av1(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    pictures = [smooth(index, 128, 128) for index in range(3)]
    source = make_clip(tmp_path / "a.mkv", pictures, pixel_format="yuv420p10le", audio=None)
    copied(source, tmp_path / "b.webm")
    after = open_video(tmp_path / "b.webm")
    assert (after.pixel_format, after.num_frames) == ("yuv420p10le", 3)


def test_a_smaller_rate_factor_is_better_and_larger(tmp_path: Path) -> None:
    pictures = [np.random.default_rng(index).integers(0, 256, (48, 64, 3), np.uint8) for index in range(3)]
    source = make_clip(tmp_path / "a.mp4", pictures, audio=None)
    for crf in (5, None, 40):
        copied(source, tmp_path / f"{crf}.mp4", crf=crf)
    sizes = [(tmp_path / f"{crf}.mp4").stat().st_size for crf in (5, None, 40)]
    assert sizes == sorted(sizes, reverse=True)


def test_odd_sides_lose_nothing(tmp_path: Path) -> None:
    like = open_video(make_clip(tmp_path / "a.mp4", 1, audio=None))
    pixels = smooth(0, 51, 35)
    with VideoWriter(tmp_path / "b.mp4", like, width=51, height=35, crf=1) as writer:
        assert writer.notes == ["51x35 becomes 52x36, for the sides must be even: the last row or column stands twice"]
        writer.write(Frame(pixels, 0, 0))
    assert (writer.width, writer.height) == (52, 36)
    (frame,) = open_video(tmp_path / "b.mp4")
    expected = np.pad(pixels, ((0, 1), (0, 1), (0, 0)), mode="edge")
    assert np.abs(frame.pixels.astype(int) - expected).mean() < 4


def make_rich(path: Path) -> Path:
    """Write a Matroska file with a subtitle, a font and a chapter."""
    with av.open(str(path), "w") as output:
        stream = output.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        subtitles = output.add_mux_stream("subrip")
        chapter = {"id": 1, "start": 0, "end": 200, "time_base": Fraction(1, 1000), "metadata": {"title": "One"}}
        output.set_chapters([chapter])
        output.add_attachment("font.ttf", "font/ttf", b"letters")
        for index in range(10):
            frame = av.VideoFrame.from_ndarray(smooth(index), format="rgb24")
            frame.pts = index
            output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
        line = av.Packet(b"Hello")
        line.stream, line.pts, line.dts, line.duration = subtitles, 40, 40, 200
        line.time_base = Fraction(1, 1000)
        output.mux(line)
    return path


def test_subtitles_fonts_and_chapters_are_kept_where_the_container_can(tmp_path: Path) -> None:
    source = make_rich(tmp_path / "a.mkv")
    video, writer = copied(source, tmp_path / "b.mkv")
    assert (video.subtitles, writer.notes) == (("srt",), [])
    assert packets(tmp_path / "b.mkv", "subtitle") == packets(source, "subtitle") == [(Fraction(1, 25), b"Hello")]
    with av.open(str(tmp_path / "b.mkv")) as container:
        assert [chapter["metadata"]["title"] for chapter in container.chapters()] == ["One"]
        assert [stream.data for stream in container.streams.attachments] == [b"letters"]
    _, writer = copied(source, tmp_path / "b.mp4")
    assert writer.notes == [
        "its subtitle stream 2 (srt) is not kept",
        "its attached file stream 3 (font.ttf) is not kept",
    ]
    with av.open(str(tmp_path / "b.mp4")) as container:
        assert [chapter["metadata"]["title"] for chapter in container.chapters()] == ["One"]
    _, writer = copied(tmp_path / "b.mp4", tmp_path / "c.mp4")
    assert writer.notes == [], "the stream that holds the titles of chapters is no loss"


def unknown(clip: Path, changed: Path, *codecs: tuple[bytes, bytes]) -> Path:
    """The same file with names of codecs that no FFmpeg knows."""
    data = clip.read_bytes()
    for known, strange in codecs:
        assert known in data
        data = data.replace(known, strange)
    changed.write_bytes(data)
    return changed


UNKNOWN_AUDIO = "its audio stream 2 (unknown codec) is not kept"


@pytest.mark.parametrize("name", ["a.mp4", "a.mov", "a.m4v", "a.mkv"])
def test_an_audio_stream_of_unknown_codec_is_left_and_told(tmp_path: Path, name: str) -> None:
    in_mp4 = [(b"mp4a", b"apac"), (b"esds", b"free")]
    source = unknown(
        make_clip(tmp_path / f"known{name[1:]}"),
        tmp_path / name,
        *([(b"A_AAC", b"A_APC")] if name.endswith("mkv") else in_mp4),
    )
    video, writer = copied(source, tmp_path / f"b{source.suffix}")
    assert (video.audio, writer.notes) == (("unknown codec",), [UNKNOWN_AUDIO])
    assert (video.num_frames, len(list(open_video(tmp_path / f"b{source.suffix}")))) == (10, 10)
    assert open_video(tmp_path / f"b{source.suffix}").audio == ()


def with_second_picture(path: Path) -> Path:
    """A video of two picture streams, the second of another codec and size."""
    with av.open(str(path), "w") as output:
        streams = [output.add_stream(codec, rate=25) for codec in ("libx264", "mpeg4")]
        for stream, side in zip(streams, (64, 32), strict=True):
            stream.width, stream.height, stream.pix_fmt = side, side, "yuv420p"
        for stream, side in zip(streams, (64, 32), strict=True):
            for index in range(10):
                frame = av.VideoFrame.from_ndarray(smooth(index, side, side), format="rgb24")
                frame.pts = index
                output.mux(stream.encode(frame))
            output.mux(stream.encode(None))
    return path


@pytest.mark.parametrize("name", ["two.mp4", "two.mov", "two.mkv"])
def test_a_second_picture_stream_is_left_and_told(tmp_path: Path, name: str) -> None:
    source = with_second_picture(tmp_path / name)
    video, writer = copied(source, tmp_path / f"b_{name}")
    assert (video.width, writer.notes) == (64, ["its picture stream 2 (mpeg4) is not kept"])
    with av.open(str(tmp_path / f"b_{name}")) as container:
        assert [stream.type for stream in container.streams] == ["video"]


@pytest.mark.parametrize(("codecs", "width", "note"), [((b"mp4v", b"esds"), 64, 2), ((b"avc1",), 32, 1)])
def test_of_two_picture_streams_that_which_can_be_decoded_is_taken(
    tmp_path: Path, codecs: tuple[bytes, ...], width: int, note: int
) -> None:
    two = with_second_picture(tmp_path / "two.mp4")
    source = unknown(two, tmp_path / "a.mp4", *((codec, b"zzzz") for codec in codecs))
    video, writer = copied(source, tmp_path / "b.mp4")
    assert (video.width, writer.notes) == (width, [f"its picture stream {note} (unknown codec) is not kept"])


def test_pictures_of_unknown_codec_alone_are_refused(tmp_path: Path) -> None:
    source = unknown(make_clip(tmp_path / "known.mp4"), tmp_path / "a.mp4", (b"avc1", b"zzzz"))
    assert "no video that can be decoded" in refusal(open_video, source)


def test_nothing_is_printed(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    copied(make_clip(tmp_path / "a.mp4"), tmp_path / "b.mkv")
    (tmp_path / "cut.mp4").write_bytes((tmp_path / "a.mp4").read_bytes()[:2000])
    with pytest.raises(LimnerError):
        open_video(tmp_path / "cut.mp4")
    assert capfd.readouterr() == ("", "")


# What is refused


def refusal(call: Callable, *args: object, **options: object) -> str:
    with pytest.raises(LimnerError) as caught:
        call(*args, **options)
    message = str(caught.value)
    assert "\n" not in message
    return message


def test_what_is_no_video_is_refused(tmp_path: Path) -> None:
    (tmp_path / "text.mp4").write_text("this is no video")
    (tmp_path / "empty.mp4").touch()
    make_clip(tmp_path / "whole.mkv")
    (tmp_path / "list.mp4").write_text(f"#EXTM3U\n#EXTINF:5,\n{tmp_path / 'whole.mkv'}\n#EXT-X-ENDLIST\n")
    for name, reason in {
        "text.mp4": "is damaged, cut short or not a video",
        "empty.mp4": "is empty",
        "list.mp4": "is damaged, cut short or not a video",
        "none.mp4": "there is no such file",
        ".": "is a folder",
    }.items():
        assert refusal(open_video, tmp_path / name).startswith(f"{tmp_path / name}: {reason}")


def test_sound_alone_is_refused(tmp_path: Path) -> None:
    with av.open(str(tmp_path / "a.mp4"), "w") as output:
        stream = output.add_stream("aac", rate=48000)
        frame = av.AudioFrame.from_ndarray(np.zeros((2, 1024), np.float32), format="fltp", layout="stereo")
        frame.sample_rate, frame.pts = 48000, 0
        output.mux((*stream.encode(frame), *stream.encode(None)))
    assert "holds no video" in refusal(open_video, tmp_path / "a.mp4")


def test_colours_that_are_not_converted_are_refused(tmp_path: Path) -> None:
    path = make_clip(tmp_path / "a.mp4", 2, context={"colorspace": 14}, audio=None)
    assert "matrix 14 of ITU-T H.273" in refusal(open_video, path)


def test_frames_beyond_the_limit_are_refused(tmp_path: Path) -> None:
    path = make_clip(tmp_path / "a.mp4", 2)
    assert "frames of 64x48 pixels, and at most 3071 pixels are read" in refusal(open_video, path, max_pixels=3071)
    assert open_video(path, max_pixels=3072).width == 64


def test_frames_of_another_size_are_refused(tmp_path: Path) -> None:
    video = replace(open_video(make_clip(tmp_path / "a.mp4", 2)), width=66)
    assert "got 64x48 after 66x48" in refusal(list, video)


@pytest.mark.parametrize(("suffix", "codec"), [(".mp4", "libx264"), (".mkv", "libx264"), (".avi", "mpeg4")])
def test_a_video_that_is_cut_short_is_refused(tmp_path: Path, suffix: str, codec: str) -> None:
    data = make_clip(tmp_path / f"a{suffix}", 75, codec=codec).read_bytes()
    path = tmp_path / f"cut{suffix}"
    for tenths in range(1, 8):
        path.write_bytes(data[: len(data) * tenths // 10])
        assert "cut short" in refusal(open_video, path)


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_damaged_videos_never_escape(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    folder = tmp_path_factory.getbasetemp()
    path = folder / data.draw(st.sampled_from(["whole.mp4", "whole.mkv"]))
    content = bytearray((path if path.exists() else make_clip(path)).read_bytes())
    for _ in range(data.draw(st.integers(1, 6))):
        last = min(len(content) - 1, data.draw(st.sampled_from([64, 1024, 100_000])))  # headers are where parsers live
        content[data.draw(st.integers(0, last))] = data.draw(st.integers(0, 255))
    damaged = folder / f"damaged{path.suffix}"
    damaged.write_bytes(content)
    try:
        video = open_video(damaged, max_pixels=100_000)
        for frame in video:
            assert frame.pixels.shape == (video.height, video.width, 3)
    except LimnerError as error:
        assert "\n" not in str(error)


def test_places_and_options_that_will_not_do(tmp_path: Path) -> None:
    video = open_video(make_clip(tmp_path / "a.mp4", 2))
    size = {"width": 64, "height": 48}
    (tmp_path / "folder.mp4").mkdir()
    assert ".m4v .mkv" in refusal(VideoWriter, tmp_path / "a.avi", video, **size)
    assert "is a folder" in refusal(VideoWriter, tmp_path / "folder.mp4", video, **size)
    assert "make it first" in refusal(VideoWriter, tmp_path / "none" / "a.mp4", video, **size)
    assert "--force" in refusal(VideoWriter, tmp_path / "a.mp4", video, **size)
    assert "from 0 to 51, got 52" in refusal(VideoWriter, tmp_path / "b.mp4", video, crf=52, **size)


def test_audio_that_the_container_cannot_hold_is_refused_before_the_first_frame(tmp_path: Path) -> None:
    video = open_video(make_clip(tmp_path / "a.mp4", 2))
    writer = VideoWriter(tmp_path / "b.webm", video, width=64, height=48)
    message = refusal(writer.__enter__)
    assert message.startswith(f"{tmp_path / 'b.webm'}: .webm holds no aac audio: name an --output that ends in .mkv")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.mp4"]


def test_a_size_that_the_encoder_cannot_take_is_one_line(tmp_path: Path) -> None:
    video = open_video(make_clip(tmp_path / "a.mp4", 2))
    writer = VideoWriter(tmp_path / "b.mp4", video, width=70000, height=48)
    assert "cannot be written" in refusal(writer.__enter__)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.mp4"]


@pytest.mark.parametrize("failure", [KeyboardInterrupt, LimnerError])
def test_a_failure_leaves_the_old_file_and_no_other(tmp_path: Path, failure: type[BaseException]) -> None:
    video = open_video(make_clip(tmp_path / "a.mp4"))
    (tmp_path / "b.mp4").write_bytes(b"old")
    frames = iter(video)
    with (
        pytest.raises(failure),
        VideoWriter(tmp_path / "b.mp4", video, width=64, height=48, overwrite=True) as writer,
    ):
        for _ in range(4):
            writer.write(next(frames))
        raise failure
    assert (tmp_path / "b.mp4").read_bytes() == b"old"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.mp4", "b.mp4"]


def test_an_encoder_that_is_missing_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    video = open_video(make_clip(tmp_path / "a.mp4", 2))
    monkeypatch.setattr("av.codecs_available", {"mpeg4"})
    message = refusal(VideoWriter(tmp_path / "b.mp4", video, width=64, height=48).__enter__)
    assert "needs the encoder libx264, which this PyAV lacks" in message


def test_the_missing_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = make_clip(tmp_path / "a.mp4", 2)
    monkeypatch.setitem(sys.modules, "av", None)
    assert refusal(open_video, path) == "video needs the video extra: pip install '.[video]' in the folder of Limner"


def test_names() -> None:
    assert is_video_path("a/b.MKV")
    assert not is_video_path("a/b.gif")
    assert written_suffix(Path("a.MP4")) == ".MP4"
    assert written_suffix(Path("a.avi")) == ".mkv"


OTHERS = [
    ("a.ts", "libx264", "aac"), ("a.m2ts", "libx264", "ac3"), ("a.flv", "libx264", "aac"), ("a.3gp", "libx264", "aac"),
    ("a.mpg", "mpeg2video", "mp2"), ("a.vob", "mpeg2video", "mp2"), ("a.mxf", "mpeg2video", None),
    ("a.avi", "mpeg4", "mp2"), ("a.webm", "libvpx-vp9", "libopus"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "codec", "audio"), OTHERS)
def test_other_containers_are_known_by_their_bytes_read_and_written_as_mkv(
    tmp_path: Path, name: str, codec: str, audio: str | None
) -> None:
    path = make_clip(tmp_path / name, 6, codec=codec, audio=audio)
    nameless = path.rename(tmp_path / "film")
    assert is_video_path(name) and is_video_path(nameless)
    video = open_video(nameless)
    assert (video.width, video.num_frames, len(video.audio)) == (64, 6, 0 if audio is None else 1)
    with VideoWriter(tmp_path / "out.mkv", video, width=64, height=48) as writer:
        for frame in video:
            writer.write(frame)
    assert not writer.notes
    written = open_video(tmp_path / "out.mkv")
    assert (written.num_frames, written.audio, written.rate) == (6, video.audio, video.rate)


def test_what_is_no_video_is_none_whatever_it_is_called(tmp_path: Path) -> None:
    (tmp_path / "program.ts").write_text("export const size: number = 3;\n")
    (tmp_path / "a.bin").write_bytes(bytes(500))
    smooth_picture = Image.fromarray(smooth())
    for suffix in ("png", "jpg", "webp", "gif", "tif", "bmp"):
        smooth_picture.save(tmp_path / f"a.{suffix}")
    assert not [path.name for path in tmp_path.iterdir() if is_video_path(path)]
    assert written_suffix(Path("a.ts")) == written_suffix(Path("a.3gp")) == ".mkv"
