"""A command whose arguments and options are the fields of one dataclass."""

import dataclasses
import importlib
import inspect
from collections.abc import Iterator
from typing import Annotated, Any, get_origin, get_type_hints

import typer


def command(app: typer.Typer, name: str, options: type, work: str) -> None:
    """Add a command to an app.

    Args:
        app: What the command belongs to.
        name: Of the command.
        options: A dataclass with keyword-only fields; its docstring is the help. A field that is
            `Annotated[..., typer.Option(...)]` or `typer.Argument(...)` is one on the command line; any other field
            keeps its default. Those of the class itself come first, then those of its bases.
        work: Module and function that take the options, as `limner.cli.work.upscale:run`: imported when the command is
            called, for help and completion must not wait for torch.
    """
    module, function = work.split(":")

    def call(**values: Any) -> None:
        getattr(importlib.import_module(module), function)(options(**values))

    parameters = list(_parameters(options))
    call.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]  # what typer reads
    call.__annotations__ = {one.name: one.annotation for one in parameters}
    call.__doc__ = options.__doc__
    app.command(name)(call)


def changed(options: Any, *names: str) -> list[str]:
    """What of some fields was asked for on the command line, as it is written there: whatever is not the default.

    Args:
        options: Of a command.
        names: Of its fields; of those that the command line has.
    """
    hints = get_type_hints(type(options), include_extras=True)
    fields = {field.name: field for field in dataclasses.fields(options)}
    return [
        _written(name, hints[name].__metadata__[0])
        for name in names
        if getattr(options, name) != _default(fields[name])
    ]


def _written(name: str, declared: Any) -> str:
    """`--style-scale` of an option, `PHOTO` of an argument."""
    if isinstance(declared, typer.models.ArgumentInfo):
        return str(declared.metavar)
    words = [declared.default, *(declared.param_decls or ())]  # typer.Option takes the first word as its default
    return next((word for word in words if str(word).startswith("--")), f"--{name.replace('_', '-')}")


def _parameters(options: type) -> Iterator[inspect.Parameter]:
    """The fields that the command line has."""
    hints = get_type_hints(options, include_extras=True)
    fields = {field.name: field for field in dataclasses.fields(options)}
    names = dict.fromkeys(name for one in options.__mro__ for name in vars(one).get("__annotations__", {}))
    for name in names:
        if get_origin(hints[name]) is Annotated:
            yield inspect.Parameter(
                name, inspect.Parameter.KEYWORD_ONLY, default=_default(fields[name]), annotation=hints[name]
            )


def _default(field: dataclasses.Field[Any]) -> Any:
    if field.default_factory is not dataclasses.MISSING:
        return field.default_factory()
    return inspect.Parameter.empty if field.default is dataclasses.MISSING else field.default
