"""Frozen, checked configurations: the paper's values as defaults, one way to override them."""

from collections.abc import Mapping, Sequence
from typing import Any, Self, get_args

import pydantic

from limner.errors import LimnerError, did_you_mean


class Config(pydantic.BaseModel):
    """A frozen pydantic model that refuses unknown fields and turns what pydantic says into one line."""

    model_config = pydantic.ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    @classmethod
    def parse(cls, values: Mapping[str, Any]) -> Self:
        """Build the configuration from plain values, for instance from a checkpoint's header.

        Raises:
            LimnerError: If a field is unknown or its value does not fit.
        """
        try:
            return cls.model_validate(dict(values))
        except pydantic.ValidationError as error:
            raise LimnerError(_one_line(cls, error)) from None

    def override(self, assignments: Sequence[str]) -> Self:
        """Apply `a.b=value` assignments, as `--set` gives them; values are JSON, or else plain text.

        Raises:
            LimnerError: If an assignment has no `=`, names no field, or its value does not fit.
        """
        values = self.model_dump()
        for assignment in assignments:
            path, equals, text = assignment.partition("=")
            if not equals:
                raise LimnerError(f"--set takes field=value, got {assignment!r}")
            *parents, field = path.strip().split(".")
            place: Any = values
            for parent in parents:
                place = place.get(parent) if isinstance(place, dict) else None
            if not isinstance(place, dict):
                raise LimnerError(f"{type(self).__name__} has no field {path.strip()!r}; it has {_fields(type(self))}")
            place[field] = _json_or_text(text.strip())
        return self.parse(values)


def field_names(config: Config) -> list[str]:
    """All fields, those of the configurations in it with dots between."""
    names = []
    for name in type(config).model_fields:
        value = getattr(config, name)
        names += [f"{name}.{inner}" for inner in field_names(value)] if isinstance(value, Config) else [name]
    return names


def _json_or_text(text: str) -> Any:
    try:
        return pydantic.TypeAdapter(Any).validate_json(text)
    except pydantic.ValidationError:
        return text


def _fields(config: type[Config], parents: Sequence[int | str] = ()) -> str:
    """The names of the fields of the configuration that lies at `parents` in `config`."""
    place: Any = config
    for parent in parents:
        inside = _is_config(place)  # else it is a dict[str, OtherConfig]
        place = place.model_fields[str(parent)].annotation if inside else get_args(place)[-1]
    return ", ".join((place if _is_config(place) else config).model_fields)


def _is_config(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, Config)


def _one_line(config: type[Config], error: pydantic.ValidationError) -> str:
    first = error.errors()[0]
    field = ".".join(str(part) for part in first["loc"])
    if first["type"] == "extra_forbidden":
        *parents, last = first["loc"]
        owner = ".".join(map(str, parents)) or "it"
        known = _fields(config, parents)
        mend = did_you_mean(str(last), known.split(", "))
        return f"{config.__name__} has no field {field!r}; {owner} has {known}: {mend}"
    if first["type"] == "missing":
        return f"{config.__name__}.{field} is missing"
    reason = first["msg"][0].lower() + first["msg"][1:]
    return f"{config.__name__}.{field}: {reason}, got {first['input']!r}"
