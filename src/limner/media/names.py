"""What results are called: a template with fields, such as `{stem}_{style}`."""

import re
import string
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

from limner.errors import LimnerError, did_you_mean
from limner.files.image import READ_SUFFIXES, written_image_suffix
from limner.files.video import VIDEO_SUFFIXES
from limner.files.weights import MODEL_FILE

_LONGEST = 80  # characters of what one field becomes
_NO_NAME = re.compile(r"[/\\\x00-\x1f\x7f]")  # what separates folders, and what terminals act upon
_NUMBER = r"\d+(?:\.\d+)?"


class Naming:
    """A template and what its fields mean in one run.

    >>> Naming("{stem}_x{scale}", scale=2).name("photo")
    'photo_x2'

    Args of the constructor:
        template: Text with fields in braces; `{stem}` is the name of the photo without its suffix.
        others: What the fields may have been in other runs, by field, so that their results are known again. Of a
            number that is any number.
        usual: Templates of other runs.
        values: What the fields are in this run.

    Raises:
        LimnerError: If the template has a field that is not there, or is no name of a file.
    """

    def __init__(
        self,
        template: str,
        others: Mapping[str, Collection[str]] | None = None,
        usual: Sequence[str] = (),
        **values: str | float,
    ) -> None:
        self.template, self._others = template, others or {}
        self.values = {name: _text(value) for name, value in values.items()}
        self._numbers = {name for name, value in values.items() if isinstance(value, int | float)}
        self._pieces = _pieces(template, ["stem", *values])
        self._known = [self._pattern(_pieces(one, ["stem", *values])) for one in dict.fromkeys((template, *usual))]

    def name(self, stem: str = "") -> str:
        """What the result of a photo is called, without its suffix."""
        fields = {**self.values, "stem": stem}
        return "".join(text + (fields[field] if field else "") for text, field in self._pieces)

    def path(self, source: Path, suffix: str | None = None) -> Path:
        """The same beside the photo, with its suffix or another."""
        return source.with_name(self.name(source.stem) + (written_image_suffix(source) if suffix is None else suffix))

    def made_from(self, stem: str) -> str | None:
        """The photo, without its suffix, that a name is made from, in this run or another; None if from none.

        >>> naming = Naming("{stem}_x{scale}", scale=2)
        >>> naming.made_from("photo_x3"), naming.made_from("photo_x"), naming.made_from("photo")
        ('photo', None, None)
        """
        for known in self._known:
            found = known.fullmatch(stem)
            if found and "stem" in known.groupindex and found["stem"] != stem:
                return found["stem"]
        return None

    def _pattern(self, pieces: Sequence[tuple[str, str | None]]) -> re.Pattern[str]:
        pattern = ""
        for text, field in pieces:
            is_again = field == "stem" and "(?P<stem>" in pattern
            pattern += re.escape(text) + ("(?P=stem)" if is_again else self._field_pattern(field))
        return re.compile(pattern)

    def _field_pattern(self, field: str | None) -> str:
        if field is None:
            return ""
        if field == "stem":
            return "(?P<stem>.+)"
        known = "|".join(re.escape(one) for one in (self.values[field], *map(_text, self._others.get(field, ()))))
        return f"(?:{known}|{_NUMBER})" if field in self._numbers else f"(?:{known})"


def _pieces(template: str, known: Sequence[str]) -> list[tuple[str, str | None]]:
    """Text, and the field after it."""
    choice = ", ".join(f"{{{one}}}" for one in known)
    try:
        pieces = list(string.Formatter().parse(template))
    except ValueError:
        raise LimnerError(
            f"--name takes a template such as '{{stem}}_new', got {template!r}: close its braces"
        ) from None
    for _, field, form, conversion in pieces:
        if field in known and (form or conversion):
            raise LimnerError(f"--name takes its fields as they are, got {template!r}: write {{{field}}} alone")
        if field is not None and field not in known:
            mend = did_you_mean(field, known, f"take {choice}")
            raise LimnerError(f"--name knows the fields {choice}, got {{{field}}} in {template!r}: {mend}")
    if (suffix := Path(template).suffix.lower()) in READ_SUFFIXES | VIDEO_SUFFIXES:
        raise LimnerError(
            f"--name adds the suffix by itself, got {template!r}: leave {suffix} out; --format chooses it"
        )
    if not template.strip(". ") or _NO_NAME.search(template):
        raise LimnerError(f"--name takes the name of a file, got {template!r}: name folders with --output")
    if all(field is None for _, field, _, _ in pieces):
        raise LimnerError(
            f"--name takes a template with a field, got {template!r}: name one file with --output, or use {choice}"
        )
    return [(text, field) for text, field, _, _ in pieces]


def _text(value: str | float) -> str:
    """A value as a part of a name."""
    text = f"{value:g}" if isinstance(value, float) else str(value)
    return re.sub(r"[^\w.+=-]+", "_", text)[:_LONGEST]


def model_name(model: str) -> str:
    """What a model is called in names: its own, that of its file, or of the folder of its run.

    >>> model_name("edsr-x2"), model_name("a/mine.safetensors"), model_name("runs/vdsr/model.safetensors")
    ('edsr-x2', 'mine', 'vdsr')
    """
    path = Path(model)
    if path.name == MODEL_FILE:
        return path.absolute().parent.name
    return path.stem if path.suffix in (".safetensors", ".onnx", ".xml", ".pt") else path.name
