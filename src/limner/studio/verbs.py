"""What the studio offers: the commands of `limner` that make pictures, with the options that they declare."""

import dataclasses
import inspect
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import pydantic
from typer.models import ArgumentInfo, OptionInfo

from limner.cli.commands import (
    generate,
    imagine,
    invert,
    learn_style,
    morph,
    redirect,
    restore,
    segment,
    straighten,
    stylize,
    stylize_video,
    texture,
    translate,
    upscale,
)
from limner.errors import LimnerError, did_you_mean
from limner.studio.titles import explained, title_of, title_of_value
from limner.studio.wording import said_by_the_studio

Gives = Literal["picture", "pictures", "video", "style"]

_OF_THE_SERVICE = frozenset(
    {
        "output", "name", "recursive", "resume", "force", "dry_run", "as_json", "preview", "preview_every", "explain",
        "verify", "verbose", "max_pixels", "device", "backend", "tile", "memory", "threads", "features", "assignments",
        "list_styles", "flow", "trunk", "forgotten", "sweep", "on",
    }
)  # fmt: skip
"""What the service decides itself, and what names files."""
_LONGEST = 500  # characters of a text that is given as an option
_MOST_NUMBER = 2**63 - 1  # and no NaN
_MOST = 256  # entries of a list
_PLACE = re.compile(r"[/\\~\x00-\x1f]|^\.|^[A-Za-z]:")


@dataclass(frozen=True)
class Input:
    """Files that a verb takes.

    Attributes:
        name: Of the field of a form.
        kind: `pictures`, `picture`, `video`, `mask` or `style`.
        field: Of the command's options.
        required: Whether nothing can be made without.
        many: Whether it may be given several times.
        description: What it is for.
        video: Whether a video will do, too.
    """

    name: str
    kind: str
    field: str
    required: bool
    many: bool
    description: str
    video: bool = False


@dataclass(frozen=True)
class Verb:
    """A command, as the studio offers it.

    Attributes:
        name: In addresses, such as `restore-inpaint`.
        options: The dataclass of the command's options.
        gives: What is made; of videos, where the verb takes some, videos.
        video: Whether it takes videos beside pictures.
        needs: Fields that the command leaves open for other uses than those of the studio.
        without: Fields that the studio leaves at what they are.
        beside: Fields of these that requests name beside the options.
        shown: Fields that other verbs leave out.
        animates: When the result is an animation, as the command tells by the name of its output: with the option
            `frames`, or always.
        aligned: Whether what lies at a place of a picture lies there in the result, so that one may cover the other.
        title: As people read it.
    """

    name: str
    options: type
    gives: Gives = "picture"
    video: bool = False
    needs: tuple[str, ...] = ()
    without: tuple[str, ...] = ()
    beside: tuple[str, ...] = ()
    shown: tuple[str, ...] = ()
    animates: Literal["never", "frames", "always"] = "never"
    aligned: bool = True
    title: str = ""
    hints: Mapping[str, Any] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "hints", get_type_hints(self.options, include_extras=True))

    @property
    def command(self) -> str:
        """As the command line calls it."""
        return self.name.replace("restore-", "restore ")

    @property
    def work(self) -> str:
        """The module whose `run` takes the options."""
        return self.options.__module__.replace(".commands.", ".work.")

    @property
    def description(self) -> str:
        """What the command's help says, without its examples."""
        return (inspect.getdoc(self.options) or "").partition("\nExamples:\n")[0].strip()

    @property
    def declared(self) -> dict[str, dataclasses.Field[Any]]:
        """The fields that the command line has, but for what the service decides."""
        fields = {one.name: one for one in dataclasses.fields(self.options)}
        names = dict.fromkeys(name for one in self.options.__mro__ for name in vars(one).get("__annotations__", {}))
        hidden = _OF_THE_SERVICE.difference(self.shown).union(self.without)
        return {name: fields[name] for name in names if _declaration(self.hints[name]) and name not in hidden}

    @property
    def inputs(self) -> list[Input]:
        """The files that it takes."""
        found = []
        for name, one in self.declared.items():
            if self._names_files(name):
                kind, bare = _INPUTS[name][1], _bare(self.hints[name])
                many = get_origin(bare) is list
                is_video = self.video and kind == "pictures"
                text = self._help_of(name)
                found.append(Input(_INPUTS[name][0], kind, name, self._is_required(one), many, text, is_video))
        return found

    def output(self, options: Mapping[str, Any]) -> str | Path:
        """Where results go, from the folder of a job's inputs, of the type that the command takes."""
        is_animation = self.animates == "always" or (self.animates == "frames" and bool(options.get("frames")))
        place = f"../results/{self.name}.gif" if is_animation else "../results/"
        return Path(place) if _bare(self.hints["output"]) is Path else place

    def has(self, option: str) -> bool:
        """Whether the command has such an option, open or not."""
        return option in self.hints

    def _names_files(self, name: str) -> bool:
        bare = _bare(self.hints[name])
        return name in ("styles", "project") or Path in (bare, *get_args(bare))

    def _is_required(self, one: dataclasses.Field[Any]) -> bool:
        has_none = one.default is dataclasses.MISSING and one.default_factory is dataclasses.MISSING
        return has_none or one.name in self.needs

    def said(self, text: str) -> str:
        """A text of the command, with options by the titles that they have here."""
        titles, choices = dict[str, str](), dict[str, dict[str, str]]()
        for name in (*self.declared, *self.beside):
            bare = _bare(self.hints[name])
            title = title_of(_INPUTS[name][0] if name in _INPUTS and self._names_files(name) else name)
            for flag in _flags_of(name, self.hints[name]):
                titles[flag] = title
                if get_origin(bare) is Literal:
                    choices[flag] = {word: title_of_value(word) for word in get_args(bare)}
        return said_by_the_studio(text, titles, choices)

    def _help_of(self, name: str) -> str:
        declared = _declaration(self.hints[name])
        text = (declared.help if declared else None) or ""
        said = self.said(re.sub(r" Repeatable\.|; repeatable", "", text))
        bare = _bare(self.hints[name])
        return explained(said, get_args(bare)) if get_origin(bare) is Literal else said

    def schema(self) -> dict[str, Any]:
        """JSON schema of the options."""
        properties, required = {}, []
        for name, one in self.declared.items():
            if self._names_files(name) and name != "styles":
                continue
            properties[name] = {**_schema_of(self.hints[name], one), "description": self._help_of(name)}
            if name == self.animates:
                properties[name]["description"] += " With it the result is an animation."
            if one.default is dataclasses.MISSING and one.default_factory is dataclasses.MISSING:
                required.append(name)
        return {"type": "object", "properties": properties, "required": required, "additionalProperties": False}

    def parse(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """The options as the command takes them.

        Raises:
            LimnerError: If one is unknown, missing, or does not fit.
        """
        schema = self.schema()
        known = schema["properties"]
        for name in given:
            if name not in known:
                raise LimnerError(f"{self.name} has no option {name!r}: {did_you_mean(name, known)}")
        for name in schema["required"]:
            if given.get(name) in (None, "", []):
                raise LimnerError(f"{self.name} needs the option {name}: {known[name]['description']}")
        usual = {name: one["default"] for name, one in known.items() if name not in schema["required"]}
        return {
            name: _checked(name, value, self.hints[name])
            for name, value in given.items()
            if name in schema["required"] or value != usual[name]
        }


_INPUTS = {
    "photos": ("picture", "pictures"),
    "paintings": ("picture", "pictures"),
    "frames": ("video", "video"),
    "first": ("first", "picture"),
    "second": ("second", "picture"),
    "mask": ("mask", "mask"),
    "masks": ("mask", "mask"),
    "style_photo": ("style_photo", "picture"),
    "project": ("photo", "picture"),
    "styles": ("style", "style"),
}
"""Name and kind of the files that a field names."""

VERBS: tuple[Verb, ...] = (
    Verb("upscale", upscale.Options, video=True, title="Enlarge"),
    Verb("stylize", stylize.Options, needs=("photos",), title="Stylize"),
    Verb("stylize-video", stylize_video.Options, gives="video", title="Stylize a video"),
    Verb(
        "learn-style",
        learn_style.Options,
        gives="style",
        needs=("paintings",),
        without=("photos",),
        aligned=False,
        title="Learn a style",
    ),
    Verb("texture", texture.Options, aligned=False, title="Texture"),
    Verb("restore-denoise", restore.DenoiseOptions, title="Denoise"),
    Verb("restore-inpaint", restore.InpaintOptions, title="Fill in"),
    Verb("restore-upscale", restore.UpscaleOptions, title="Enlarge untrained"),
    Verb("segment", segment.Options, gives="pictures", video=True, title="Segment"),
    Verb("translate", translate.Options, video=True, title="Translate"),
    Verb("generate", generate.Options, gives="pictures", animates="frames", title="Generate"),
    Verb("morph", morph.Options, animates="always", title="Morph"),
    Verb("redirect", redirect.Options, title="Redirect a gaze"),
    Verb("straighten", straighten.Options, aligned=False, title="Straighten digits"),
    Verb("invert", invert.Options, title="Invert"),
    Verb("imagine", imagine.Options, title="Imagine"),
)


def find_verb(name: str) -> Verb:
    """The verb of that name.

    Raises:
        LimnerError: If there is none.
    """
    for verb in VERBS:
        if verb.name == name:
            return verb
    known = [verb.name for verb in VERBS]
    raise LimnerError(f"verb must be one of {', '.join(known)}, got {name!r}: {did_you_mean(name, known)}")


def _declaration(hint: Any) -> OptionInfo | ArgumentInfo | None:
    return next((one for one in getattr(hint, "__metadata__", ()) if isinstance(one, OptionInfo | ArgumentInfo)), None)


def _bare(hint: Any) -> Any:
    """Without what is declared beside it, and without None."""
    inner = get_args(hint)[0] if hasattr(hint, "__metadata__") else hint
    if get_origin(inner) in (Union, UnionType):
        return next(one for one in get_args(inner) if one is not type(None))
    return inner


def _schema_of(hint: Any, one: dataclasses.Field[Any]) -> dict[str, Any]:
    declared = _declaration(hint)
    assert declared is not None
    title = title_of(one.name)
    found = {"title": title, **_type_of(_bare(hint))}
    found |= {"minimum": declared.min} if declared.min is not None else {}
    found |= {"maximum": declared.max} if declared.max is not None else {}
    if one.default is not dataclasses.MISSING:
        found["default"] = one.default
    elif one.default_factory is not dataclasses.MISSING:
        found["default"] = one.default_factory()
    return found


def _flags_of(name: str, hint: Any) -> list[str]:
    """What the command line calls an option, without the dashes."""
    declared = _declaration(hint)
    first = getattr(declared, "default", None)  # typer keeps it there
    words = (first, *(getattr(declared, "param_decls", None) or ()))
    written = [one for one in words if isinstance(one, str) and one.startswith("--")]
    return [flag[2:] for one in written or [f"--{name.replace('_', '-')}"] for flag in one.split("/")]


def _type_of(bare: Any) -> dict[str, Any]:
    if get_origin(bare) is Literal:
        words = list(get_args(bare))
        return {"type": "string", "enum": words, "titles": {word: title_of_value(word) for word in words}}
    if get_origin(bare) is list:
        return {"type": "array", "items": _type_of(get_args(bare)[0])}
    if get_origin(bare) is tuple:
        number = len(get_args(bare))
        return {"type": "array", "items": {"type": "string"}, "minItems": number, "maxItems": number}
    return {"type": {bool: "boolean", int: "integer", float: "number", str: "string", Path: "string"}[bare]}


def _listed(value: Any) -> Any:
    """One text is a list of one, also for requests of when an option took one alone."""
    return [value] if isinstance(value, str) else value


def _checked(name: str, value: Any, hint: Any) -> Any:
    if value is None:
        return None
    bare = _bare(hint)
    try:
        found = pydantic.TypeAdapter(bare).validate_python(_listed(value) if get_origin(bare) is list else value)
    except pydantic.ValidationError as error:
        reason = error.errors()[0]["msg"]
        raise LimnerError(f"{name}: {reason[0].lower()}{reason[1:]}, got {str(value)[:80]!r}") from None
    declared = _declaration(hint)
    low = None if declared is None or declared.min is None else float(declared.min)
    high = None if declared is None or declared.max is None else float(declared.max)
    if isinstance(found, int | float) and not -_MOST_NUMBER <= found <= _MOST_NUMBER:
        raise LimnerError(f"{name} must be a number that can be meant, got {str(value)[:80]!r}")
    if isinstance(found, int | float) and ((low is not None and found < low) or (high is not None and found > high)):
        least, most = "" if low is None else f" at least {low:g}", "" if high is None else f" at most {high:g}"
        raise LimnerError(f"{name} must be{' and'.join(filter(None, (least, most)))}, got {found:g}")
    for text in found if isinstance(found, list | tuple) else [found]:
        if isinstance(text, str) and (_PLACE.search(text) or len(text) > _LONGEST):
            raise LimnerError(f"{name}: names no files and is at most {_LONGEST} characters, got {text[:80]!r}")
    if isinstance(found, list) and len(found) > _MOST:
        raise LimnerError(f"{name} takes at most {_MOST}, got {len(found)}")
    return found
