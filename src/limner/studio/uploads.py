"""Files that are sent: named by the service, and refused before they are kept where they are not what is wanted."""

import base64
import itertools
import re
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from limner.errors import LimnerError, did_you_mean
from limner.files.header import ImageBytes, UnreadableError, check_planes, check_still
from limner.files.opening import has_pictures, open_image, video_name
from limner.files.quiet import quiet
from limner.studio.verbs import Input, Verb

MOST_FILES = 200
_SUFFIXES = {
    "PNG": ".png", "JPEG": ".jpg", "MPO": ".jpg", "WEBP": ".webp", "TIFF": ".tif", "BMP": ".bmp", "GIF": ".gif",
    "AVIF": ".avif", "HEIF": ".heic",
}  # fmt: skip
_VIDEO_SUFFIXES = {"MOV": ".mov", "AVI": ".avi", "3GP": ".3gp", "MP4": ".mp4", "Matroska or WebM": ".mkv"}
_HEAD = 512  # bytes that tell a format
_DEVICE = re.compile(r"con|prn|aux|nul|com\d|lpt\d")  # of Windows
_STYLE = re.compile(r"(@?)([^:]+)(:\d+(?:\.\d+)?)?")


@dataclass
class Sent:
    """A file of a request.

    Attributes:
        field: Of the form.
        was: What its sender calls it, cleaned.
        file: Open for reading.
    """

    field: str
    was: str
    file: ImageBytes


def decoded(name: str, text: Any) -> bytes:
    """The bytes of a field in base64, as they are or as a data: address.

    Raises:
        LimnerError: If it is none.
    """
    if not isinstance(text, str):
        raise LimnerError(f"{name} must be a file in base64, got {type(text).__name__}")
    try:
        return base64.b64decode(text.partition(",")[2] if text.startswith("data:") else text, validate=True)
    except ValueError:
        raise LimnerError(f"{name} must be a file in base64, got {text[:20]!r}: encode it") from None


def keep(
    verb: Verb, sent: Iterable[Sent], folder: Path, *, max_pixels: int, taken: Iterable[str] = ()
) -> list[dict[str, Any]]:
    """Check files, and copy them into a folder under names of our own: letters, digits and hyphens of theirs.

    Args:
        verb: Whose inputs they are.
        sent: By the names of the inputs.
        folder: Is there, and empty.
        max_pixels: Of a picture.
        taken: Names of styles, which the names of others must not be.

    Returns:
        Of each file `name`, `field`, `was`, `kind`, and of pictures `width` and `height`.

    Raises:
        LimnerError: If one is unknown, too many, missing, or no picture or video that is read.
    """
    inputs, counts, kept = {one.name: one for one in verb.inputs}, dict[str, int](), list[dict[str, Any]]()
    names = set(taken) if verb.gives == "style" or "style" in inputs else set()
    for one in sent:
        if one.field not in inputs:
            known = ", ".join(inputs) or "no files"
            raise LimnerError(f"{verb.name} takes {known}, got {one.field!r}: {did_you_mean(one.field, inputs)}")
        number = counts[one.field] = counts.get(one.field, 0) + 1
        if number > (MOST_FILES if inputs[one.field].many else 1):
            raise LimnerError(
                f"{verb.name} takes {one.field} {'once' if number == 2 else f'{MOST_FILES} times at most'}"
            )
        facts = _facts_of(one, inputs[one.field], f"{one.field} {one.was}".strip(), max_pixels)
        stem = _unlike(_slug(one.was) or one.field, names)
        names.add(stem)
        name = f"{stem}{facts.pop('suffix')}"
        with (folder / name).open("wb") as target:
            shutil.copyfileobj(one.file, target, 2**20)
        kept.append({"name": name, "field": one.field, "was": one.was, **facts})
    for name, known_input in inputs.items():
        if known_input.required and name not in counts:
            raise LimnerError(f"{verb.name} needs a {name}: send a file in the field {name}")
    return kept


def by_field(verb: Verb, kept: Iterable[Mapping[str, Any]], styles: list[str]) -> dict[str, Any]:
    """What the command's fields are given: the names of files.

    Args:
        verb: Whose inputs they are.
        kept: As `keep` gives them.
        styles: As the options name them: names, or `@1` for the first style that is sent, each with a weight.

    Raises:
        LimnerError: If a style is meant that was not sent.
    """
    found: dict[str, Any] = {}
    for one in verb.inputs:
        names = [file["name"] for file in kept if file["field"] == one.name]
        if one.field == "styles":
            found["styles"] = _styles(styles, names)
        elif names:
            found[one.field] = names if one.many else names[0]
    return found


def check_styles(styles: Iterable[str], known: Iterable[str]) -> None:
    """Refuse the names of styles that there are not.

    Raises:
        LimnerError: If one is unknown.
    """
    names = list(known)
    for text in styles:
        match = _STYLE.fullmatch(text)
        if not match or (not match[1] and match[2] not in names):
            asked = match[2] if match else text
            raise LimnerError(f"there is no style {asked!r}: {did_you_mean(asked, names, 'see /v1/styles')}")


def _slug(name: str) -> str:
    """Letters, digits and hyphens of a name without its suffix; nothing of names that systems keep for themselves."""
    words = re.sub(r"[^a-z0-9]+", "-", Path(name).stem.lower()).strip("-")[:40].strip("-")
    return "" if _DEVICE.fullmatch(words) else words


def _unlike(name: str, others: set[str]) -> str:
    """The name, with a number where there is one already."""
    numbered = (f"{name}-{number}" for number in itertools.count(2))
    return next(one for one in itertools.chain([name], numbered) if one not in others)


def _styles(styles: list[str], sent: list[str]) -> list[str]:
    rest, found = list(sent), []
    for text in styles:
        match = _STYLE.fullmatch(text)
        assert match
        if not match[1]:
            found.append(text)
            continue
        number = int(match[2]) if match[2].isdecimal() else 0
        if not 1 <= number <= len(sent):
            raise LimnerError(f"{text} means the style that was sent as number {match[2]}, and {len(sent)} were sent")
        found.append(sent[number - 1] + (match[3] or ""))
        rest.remove(sent[number - 1])
    return found + rest


def _facts_of(one: Sent, wanted: Input, name: str, max_pixels: int) -> dict[str, Any]:
    one.file.seek(0)
    head = one.file.read(_HEAD)
    one.file.seek(0)
    if not head:
        raise LimnerError(f"{name}: is empty: get the file once more")
    video = None if has_pictures(head) else video_name(head)
    if video and (wanted.video or wanted.kind == "video"):
        return {"suffix": _VIDEO_SUFFIXES.get(video, ".mpg"), "kind": "video"}
    if wanted.kind == "video":
        raise LimnerError(f"{name}: is no video that Limner knows by its first bytes: send MP4, MOV, MKV or WebM")
    try:
        with quiet():
            image = open_image(one.file)
            if image.width * image.height > max_pixels:
                raise UnreadableError(
                    f"has {image.width}x{image.height} pixels, and at most {max_pixels} are taken: shrink it"
                )
            check_still(image)
            check_planes(image)
            facts = {"suffix": _SUFFIXES[str(image.format)], "kind": "picture"}
            return {**facts, "width": image.width, "height": image.height}
    except UnreadableError as error:
        raise LimnerError(f"{name}: {error}") from None
    except Exception as error:  # the parsers of damaged files raise whatever they trip over
        reason = " ".join(str(error).split())[:100] or type(error).__name__
        raise LimnerError(f"{name}: is damaged, cut short or not an image ({reason}): get the file once more") from None
    finally:
        one.file.seek(0)


def clean_name(name: str | None) -> str:
    """A file name that its sender chose, as words that can be shown and no place: at most 80 characters.

    >>> clean_name("../../etc/my photo.jpg")
    'my photo.jpg'
    """
    last = re.split(r"[/\\\\]", name or "")[-1]
    return "".join(one for one in last if one.isprintable() and one not in "<>\"&'|:*?")[:80].strip(". ")
