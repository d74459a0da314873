import dataclasses
import importlib
import inspect
import sys
import types
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Annotated

import pytest
import typer
from typer.testing import CliRunner

from limner.cli.command import changed, command
from limner.cli.main import app


@dataclass(frozen=True, kw_only=True)
class Shared:
    verbose: Annotated[bool, typer.Option("--verbose")] = False
    hidden: int = 3


@dataclass(frozen=True, kw_only=True)
class Greeting(Shared):
    """Greet somebody."""

    names: Annotated[list[str], typer.Argument()]
    times: Annotated[int, typer.Option(min=1)] = 1
    words: Annotated[list[str], typer.Option("--word")] = field(default_factory=list)


@pytest.fixture
def greeted(monkeypatch: pytest.MonkeyPatch) -> list[Greeting]:
    """What the work of the command `greet` has been given."""
    seen: list[Greeting] = []
    work = types.ModuleType("work_of_greet")
    work.run = seen.append  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "work_of_greet", work)
    return seen


@pytest.fixture
def greet() -> typer.Typer:
    one = typer.Typer(rich_markup_mode=None)
    command(one, "greet", Greeting, "work_of_greet:run")
    return one


def test_the_fields_are_the_arguments_and_options(greet: typer.Typer, greeted: list[Greeting]) -> None:
    done = CliRunner().invoke(greet, ["Ann", "Bob", "--times", "2", "--word", "hi", "--word", "ho", "--verbose"])
    assert done.exit_code == 0
    assert greeted == [Greeting(names=["Ann", "Bob"], times=2, words=["hi", "ho"], verbose=True, hidden=3)]


def test_defaults_are_those_of_the_fields(greet: typer.Typer, greeted: list[Greeting]) -> None:
    assert CliRunner().invoke(greet, ["Ann"]).exit_code == 0
    assert greeted == [Greeting(names=["Ann"])]


def test_a_field_without_a_default_is_required(greet: typer.Typer, greeted: list[Greeting]) -> None:
    assert CliRunner().invoke(greet, []).exit_code == 2
    assert not greeted


def test_help_shows_own_fields_before_those_of_bases_and_none_that_is_not_annotated(greet: typer.Typer) -> None:
    text = CliRunner().invoke(greet, ["--help"]).output
    assert "Greet somebody." in text
    assert "hidden" not in text
    assert text.index("--times") < text.index("--word") < text.index("--verbose")


def callbacks(one: typer.Typer) -> Iterator[types.FunctionType]:
    yield from (info.callback for info in one.registered_commands)  # type: ignore[misc]
    for group in one.registered_groups:
        assert group.typer_instance
        yield from callbacks(group.typer_instance)
        by_itself = group.typer_instance.registered_callback
        if by_itself and by_itself.invoke_without_command is True:
            yield by_itself.callback  # type: ignore[misc]


def test_the_work_of_every_command_takes_its_options() -> None:
    checked = 0
    for callback in callbacks(app):
        known = inspect.getclosurevars(inspect.unwrap(callback)).nonlocals
        run = getattr(importlib.import_module(known["module"]), known["function"])
        (taken,) = inspect.signature(run).parameters.values()
        assert dataclasses.is_dataclass(known["options"])
        assert issubclass(known["options"], taken.annotation)
        checked += 1
    assert checked > 15


def test_what_was_asked_for_is_named_as_it_is_written() -> None:
    asked = Greeting(names=["Ann"], times=2, words=["hi"])
    assert changed(asked, "times", "words", "verbose") == ["--times", "--word"]
    assert changed(Greeting(names=["Ann"]), "times", "words", "verbose") == []
