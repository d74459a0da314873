"""A command whose arguments and options are the fields of one dataclass."""

import dataclasses
import importlib
import inspect
import itertools
import re
import textwrap
from collections.abc import Iterator
from typing import Annotated, Any, get_origin, get_type_hints

import typer
import typer.core

from limner.cli.errors import UsageError
from limner.cli.options import GROUPS


def command(app: typer.Typer, name: str, options: type, work: str) -> None:
    """Add a command to an app.

    Args:
        app: What the command belongs to.
        name: Of the command.
        options: A dataclass with keyword-only fields; its docstring is the help, with examples below a line
            `Examples:`. A field that is `Annotated[..., typer.Option(...)]` or `typer.Argument(...)` is one on the
            command line; any other field keeps its default. Those of the class itself come first, then those of its
            bases.
        work: Module and function that take the options, as `limner.cli.work.upscale:run`: imported when the command is
            called, for help and completion must not wait for torch.
    """
    module, function = work.split(":")

    def call(**values: Any) -> None:
        if values.get("dry_run"):
            importlib.import_module("limner.cli.work.dry_run").check_machine(**values)
        getattr(importlib.import_module(module), function)(options(**values))

    app.command(name, cls=GroupedCommand, epilog=_declare(call, options, list(_parameters(options))))(call)


def command_with_words(app: typer.Typer, options: type, work: str) -> None:
    """Make an app a command by itself, beside the words that are commands of it.

    Args:
        app: It, and its words.
        options: Of what it does without a word; as of `command`.
        work: As of `command`.
    """
    module, function = work.split(":")

    def call(context: Any, **values: Any) -> None:
        asked = options(**values)
        if context.invoked_subcommand is None:
            getattr(importlib.import_module(module), function)(asked)
        elif before := changed(asked, *values):
            word = context.invoked_subcommand
            raise UsageError(f"{before[0]} stands before {word}: put options of {word} behind it", context)

    own = inspect.Parameter("context", inspect.Parameter.KEYWORD_ONLY, annotation=typer.Context)
    epilog = _declare(call, options, [own, *_parameters(options)])
    app.callback(cls=CommandWithWords, invoke_without_command=True, epilog=epilog)(call)


def _declare(call: Any, options: type, parameters: list[inspect.Parameter]) -> str:
    """Give a function the signature and the text that typer reads; the examples are for the end of its help."""
    call.__signature__ = inspect.Signature(parameters)
    call.__annotations__ = {one.name: one.annotation for one in parameters}
    call.__doc__, examples = _help(options)
    return examples


class GroupedHelp(typer.core.TyperCommand.__base__):  # type: ignore[name-defined]  # click's, or typer's own
    """A command whose help shows options by groups and examples as they are typed, without rich."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Refuse a long option with one dash, which would be read as a short one with a value, and empty words.

        An empty name would be this folder, and is mostly that of a variable of the shell that is not set.
        """
        for before, word in zip(["", *args], args, strict=False):
            if not word or re.fullmatch("--[a-z-]+=", word):
                where = word or (f"{before} " if before.startswith("-") and before != "--" else "")
                raise UsageError(f"{where}'' is empty: give a value, or leave it out", ctx)
        for word in itertools.takewhile(lambda one: one != "--", args):
            long = f"-{word.partition('=')[0]}"
            if word[:1] == "-" and word[1:2] != "-" and any(long in one.opts for one in self.params):
                raise UsageError(f"{word} has one dash: write -{word}", ctx)
        return super().parse_args(ctx, args)

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """The options, the command's own first, then by groups."""
        shown: dict[str, list[tuple[str, str]]] = {"Arguments": [], "Options": [], **{group: [] for group in GROUPS}}
        for one in sorted(self.get_params(ctx), key=_place):
            if record := one.get_help_record(ctx):
                shown[_group(one)].append(record)
        for title, records in shown.items():
            if records:
                with formatter.section(title):
                    formatter.write_dl(records)

    def format_epilog(self, ctx: Any, formatter: Any) -> None:
        """The examples, one a line."""
        if self.epilog:
            with formatter.section("Examples"):
                for line in self.epilog.splitlines():
                    formatter.write(f"{'':{formatter.current_indent}}{line}\n")


class GroupedCommand(GroupedHelp, typer.core.TyperCommand):
    """A command without words of its own."""


class CommandWithWords(GroupedHelp, typer.core.TyperGroup):
    """A command by itself, of which some words are commands too."""

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """The options, then the words."""
        super().format_options(ctx, formatter)
        self.format_commands(ctx, formatter)


def _group(parameter: Any) -> str:
    if parameter.param_type_name == "argument":
        return "Arguments"
    return next((group for group, names in GROUPS.items() if parameter.name in names), "Options")


def _place(parameter: Any) -> int:
    """Where a parameter stands in its group."""
    return next((names.index(parameter.name) for names in GROUPS.values() if parameter.name in names), 0)


def _help(options: type) -> tuple[str, str]:
    """The text of a docstring, and the examples in it."""
    text, _, examples = (inspect.getdoc(options) or "").partition("\nExamples:\n")
    return text.strip(), textwrap.dedent(examples).strip()


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
