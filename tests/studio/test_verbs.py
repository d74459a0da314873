"""What the studio offers is what the commands declare."""

import pytest

from limner.catalog.models import ENTRIES
from limner.catalog.optimized import PICTURE_ENTRIES
from limner.cli.commands import upscale
from limner.errors import LimnerError
from limner.studio.verbs import VERBS, find_verb


def test_every_task_of_the_catalog_has_a_verb() -> None:
    tasks = [task for entry in ENTRIES for task in entry.tasks]
    tasks += [task for entry in PICTURE_ENTRIES for task in entry.tasks]
    commands = {task.command for task in tasks}
    assert commands <= {verb.command for verb in VERBS}


@pytest.mark.parametrize("verb", VERBS, ids=lambda verb: verb.name)
def test_a_schema_says_type_and_meaning_of_each_option(verb) -> None:
    schema = verb.schema()
    assert schema["required"] == [name for name, one in schema["properties"].items() if "default" not in one]
    for name, one in schema["properties"].items():
        assert one["type"] in ("string", "number", "integer", "boolean", "array"), name
        assert one["description"], name
        usual = one.get("default")
        assert "enum" not in one or usual is None or usual in one["enum"], name


@pytest.mark.parametrize("verb", VERBS, ids=lambda verb: verb.name)
def test_no_option_names_a_place(verb) -> None:
    hidden = {
        "output",
        "force",
        "features",
        "max_pixels",
        "device",
        "memory",
        "threads",
        "flow",
        "trunk",
        "assignments",
    }
    assert not hidden & set(verb.schema()["properties"])
    for name, one in verb.schema()["properties"].items():
        for evil in ("/etc/passwd", "../x", "~/x", "C:x", "a\\b", ".hidden", "a\0b"):
            given = [evil] if one["type"] == "array" else evil
            required = dict.fromkeys(verb.schema()["required"], "x")
            with pytest.raises(LimnerError):
                verb.parse({**required, name: given})


def test_the_inputs_are_those_of_the_command() -> None:
    found = {one.name: one for one in find_verb("restore-inpaint").inputs}
    assert set(found) == {"picture", "mask"}
    assert found["mask"].required and not found["mask"].many and found["picture"].many
    assert [one.name for one in find_verb("imagine").inputs] == []
    assert [(one.name, one.required) for one in find_verb("generate").inputs] == [("photo", False)]
    assert {one.name for one in find_verb("stylize").inputs} == {"picture", "style", "mask"}
    assert find_verb("upscale").inputs[0].video and not find_verb("stylize").inputs[0].video


@pytest.mark.parametrize(
    ("verb", "options", "words"),
    [
        ("upscale", {"scal": 2}, "did you mean scale"),
        ("upscale", {"scale": "much"}, "scale: input should be a valid number"),
        ("upscale", {"quality": 101}, "at most 100"),
        ("upscale", {"quality": 0}, "at least 1"),
        ("upscale", {"precision": "best"}, "precision"),
        ("redirect", {}, "needs the option angle"),
        ("imagine", {"units": ["class:cat"] * 300}, "at most 256"),
        ("texture", {"size": "x" * 600}, "at most 500 characters"),
        ("restore-denoise", {"sigma": "nan"}, "sigma must be a number that can be meant"),
        ("restore-denoise", {"sigma": float("inf")}, "sigma must be a number that can be meant"),
        ("morph", {"frames": 10**400}, "frames must be a number that can be meant"),
        ("generate", {"model": "a", "interpolate": ["1"]}, "interpolate"),
    ],
)
def test_what_does_not_fit_is_refused_in_one_line(verb: str, options: dict, words: str) -> None:
    with pytest.raises(LimnerError) as error:
        find_verb(verb).parse(options)
    assert words in str(error.value) and "\n" not in str(error.value)


def test_options_are_what_the_command_takes() -> None:
    verb = find_verb("upscale")
    values = verb.parse({"scale": 3, "compare": True, "model": "auto", "format": None})
    assert values == {"scale": 3.0, "compare": True}
    assert upscale.Options(photos=[], **values).scale == 3
    assert verb.parse({"scale": 1.5, "quality": 100}) == {"scale": 1.5, "quality": 100}


def test_an_unknown_verb_is_refused() -> None:
    with pytest.raises(LimnerError, match="did you mean upscale"):
        find_verb("upscal")
