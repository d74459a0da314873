"""Overrides of configurations, and errors of one line."""

from typing import Literal

import pydantic
import pytest
from pydantic import Field

from limner.config import Config
from limner.errors import LimnerError


class Inner(Config):
    rate: float = Field(0.1, gt=0)
    betas: tuple[float, float] = (0.9, 0.999)


class Outer(Config):
    steps: int = Field(10, ge=1)
    name: str = "net"
    fast: bool = False
    limit: float | None = None
    kind: Literal["a", "b"] = "a"
    inner: Inner = Inner()
    players: dict[str, Inner] = Field({})


def message(*assignments: str) -> str:
    with pytest.raises(LimnerError) as caught:
        Outer().override(assignments)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize(
    ("assignment", "expected"),
    [
        ("steps=20", Outer(steps=20)),
        ("steps = 20 ", Outer(steps=20)),
        ("inner.rate=1e-3", Outer(inner=Inner(rate=0.001))),
        ("inner.betas=[0.5, 0.9]", Outer(inner=Inner(betas=(0.5, 0.9)))),
        ('inner={"rate": 2}', Outer(inner=Inner(rate=2))),
        ("fast=true", Outer(fast=True)),
        ("limit=2.5", Outer(limit=2.5)),
        ("limit=null", Outer()),
        ("name=a net", Outer(name="a net")),
        ("name=x=y", Outer(name="x=y")),
        ('name="7"', Outer(name="7")),
        ("kind=b", Outer(kind="b")),
        ('players={"critic": {"rate": 3}}', Outer(players={"critic": Inner(rate=3)})),
    ],
)
def test_values_are_json_or_text(assignment: str, expected: Outer):
    assert Outer().override([assignment]) == expected


def test_assignments_add_up_and_later_ones_win():
    base = Outer(players={"critic": Inner(rate=3)})
    changed = base.override(["steps=20", "inner.rate=2", "steps=30", "players.critic.rate=4"])
    assert changed == Outer(steps=30, inner=Inner(rate=2), players={"critic": Inner(rate=4)})
    assert base == Outer(players={"critic": Inner(rate=3)})
    assert type(changed.inner) is Inner


def test_no_assignment_changes_nothing():
    assert Outer().override([]) == Outer()


def test_an_unknown_field():
    assert message("stepz=3") == (
        "Outer has no field 'stepz'; it has steps, name, fast, limit, kind, inner, players: did you mean steps?"
    )


def test_an_unknown_field_further_in():
    assert message("inner.rat=3") == "Outer has no field 'inner.rat'; inner has rate, betas: did you mean rate?"


def test_an_unknown_field_in_a_dictionary():
    assert message('players={"critic": {"rat": 3}}') == (
        "Outer has no field 'players.critic.rat'; players.critic has rate, betas: did you mean rate?"
    )


@pytest.mark.parametrize("path", ["nothing.rate", "steps.x", "players.critic.rate", "inner.rate.x"])
def test_a_path_that_leads_nowhere(path: str):
    assert message(f"{path}=3").startswith(f"Outer has no field '{path}'; it has steps, ")


def test_an_assignment_without_a_sign():
    assert message("steps") == "--set takes field=value, got 'steps'"


@pytest.mark.parametrize(
    ("assignment", "expected"),
    [
        ("steps=0", "Outer.steps: input should be greater than or equal to 1, got 0"),
        (
            "steps=many",
            "Outer.steps: input should be a valid integer, unable to parse string as an integer, got 'many'",
        ),
        ("inner.rate=-1", "Outer.inner.rate: input should be greater than 0, got -1"),
        ("kind=c", "Outer.kind: input should be 'a' or 'b', got 'c'"),
    ],
)
def test_a_bad_value(assignment: str, expected: str):
    assert message(assignment) == expected


def test_parsing_back_what_was_dumped():
    config = Outer(steps=3, limit=1.0, inner=Inner(betas=(0.1, 0.2)), players={"critic": Inner()})
    assert Outer.parse(config.model_dump()) == config
    assert Outer.parse(config.model_dump(mode="json")) == config


def test_a_missing_field():
    class Needy(Config):
        needed: int

    with pytest.raises(LimnerError, match=r"^Needy\.needed is missing$"):
        Needy.parse({})


def test_a_configuration_is_frozen():
    with pytest.raises(pydantic.ValidationError, match="frozen"):
        Outer().steps = 3  # type: ignore[misc]  # that it cannot be set is the point
