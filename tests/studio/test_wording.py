"""What is written for the command line, in the words of the studio."""

import ast
import functools
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import limner
from limner.studio.trainings import TRAIN
from limner.studio.verbs import VERBS, Verb, find_verb
from limner.studio.wording import said_by_the_studio

SOURCE = Path(limner.__file__).parent
OF_OTHERS = ("studio", "inspection", "cli/commands")  # what says nothing of a job


@functools.cache
def texts() -> tuple[str, ...]:
    """All texts of the source that name an option, as they are once their braces are filled."""
    found: list[str] = []
    for path in sorted(SOURCE.rglob("*.py")):
        if path.relative_to(SOURCE).as_posix().startswith(OF_OTHERS):
            continue
        for raised in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(raised, ast.Raise):
                found += filter(re.compile(r"--[a-z]").search, whole(raised))
    return tuple(found)


def whole(node: ast.AST) -> Iterator[str]:
    """The texts below a node, with a number in place of what is filled in."""
    if isinstance(node, ast.JoinedStr):
        yield "".join(str(one.value) if isinstance(one, ast.Constant) else "7" for one in node.values)
    elif isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    else:
        for child in ast.iter_child_nodes(node):
            yield from whole(child)


@pytest.mark.parametrize("verb", [*VERBS, TRAIN], ids=lambda verb: verb.name)
def test_no_error_of_the_source_speaks_of_options_as_they_are_typed(verb: Verb) -> None:
    found = texts()
    assert len(found) > 60
    for text in found:
        said = verb.said(text)
        assert said and not re.search(r"--|: *$|\blimner (train|stylize|models)\b|^[,;]", said), (text, said)


@pytest.mark.parametrize("verb", [*VERBS, TRAIN], ids=lambda verb: verb.name)
def test_no_help_speaks_of_options_as_they_are_typed(verb: Verb) -> None:
    told = [one["description"] for one in verb.schema()["properties"].values()]
    for text in [*told, *(one.description for one in verb.inputs)]:
        assert not re.search(r"--|\blimner\b", text), text


@pytest.mark.parametrize(
    ("verb", "text", "said"),
    [
        ("generate", "--morph names both objects, got --class too: leave one of them out",
         "Morph names both objects, got Classes too: leave one of them out"),
        ("texture", "--model is of a network: pass --method network too, or leave it out",
         "Model is of a network: set Method to Network too, or leave it out"),
        ("texture", "it lasts: pass --model FILE, as limner train texture-network wrote it",
         "it lasts: set Model FILE, as training of texture-network wrote it"),
        ("translate", "has too many pixels: shrink it, or where a command has --max-pixels raise the limit",
         "has too many pixels: shrink it"),
        ("redirect", "no eyes are found: name them by --eyes x,y, or take a photo of a face",
         "no eyes are found: name them by Eyes x,y, or take a photo of a face"),
        ("invert", "stopped after 3 steps: the picture is what was reached; --resume goes on with it",
         "stopped after 3 steps: the picture is what was reached"),
        ("upscale", "what is written is .mp4: name an --output that ends so, or another --format",
         "what is written is .mp4: choose another Format"),
        ("upscale", "both become a.png: take them one by one with --output", "both become a.png"),
        ("stylize", "--quick is for the method gatys: leave it out, or choose that",
         "Quick is for the method Gatys: leave it out, or choose that"),
        ("stylize", "a mask is for the methods any-style, adain and gatys, got fast: leave it out",
         "a mask is for the methods Any style, AdaIN and Gatys, got Fast: leave it out"),
        ("stylize", "it is slow: pass --preset paper, or --method auto",
         "it is slow: set Version to As published (paper), or Method Automatic (auto)"),
        ("texture", "a network has no photo, got network.png: name one",
         "a network has no photo, got network.png: name one"),
    ],
)  # fmt: skip
def test_options_become_fields_and_what_is_not_there_is_left_out(verb: str, text: str, said: str) -> None:
    assert find_verb(verb).said(text) == said


def test_training_has_fields_for_more() -> None:
    text = "a loss: resume with --set fit.rate=... lower, or --set fit.clip.kind=norm, on pictures of --data"
    said = (
        "a loss: resume with Settings by name fit.rate=... lower, or fit.clip.kind=norm in Settings by name, "
        "on pictures of Data"
    )
    assert TRAIN.said(text) == said
    assert TRAIN.said("too few: pass --resume, a lower --lr") == "too few: set Resume, a lower Learning rate"


def test_texts_without_options_stay() -> None:
    for text in ("a.png: is damaged: get it anew", "scale must be above 1, got 0", "", "one. Two: three, or four."):
        assert said_by_the_studio(text, {}) == text


def test_values_are_called_as_their_fields_show_them() -> None:
    for verb in (*VERBS, TRAIN):
        for name, one in verb.schema()["properties"].items():
            assert one.get("titles", {}).keys() == {*one.get("enum", ())}, (verb.name, name)
    shown = find_verb("invert").schema()["properties"]["prior"]
    assert shown["titles"] == {"tv": "Smooth pixels", "dip": "A network"}
    assert shown["description"].endswith("Smooth pixels; A network paints it (deep image prior, slower).")
