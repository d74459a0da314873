"""The classes are in the order of the challenge, and are found by any of their names."""

import contextlib
from pathlib import Path

import pytest

from limner.errors import LimnerError
from limner.features import imagenet_classes as module
from limner.features.imagenet_classes import class_names, find_class, nearest_classes


def test_the_classes_are_those_of_the_challenge_in_order():
    names = class_names()
    assert len(names) == 1000
    known = {
        0: "tench",
        1: "goldfish",
        281: "tabby",
        340: "zebra",
        954: "banana",
        967: "espresso",
        999: "toilet tissue",
    }
    assert {number: names[number] for number in known} == known


@pytest.mark.parametrize(
    ("name", "number"),
    [("goldfish", 1), ("Carassius auratus", 1), ("TABBY CAT", 281), ("tabby_cat", 281), (" 281 ", 281), ("0", 0)],
)
def test_a_class_is_found_by_any_name_and_by_number(name, number):
    assert find_class(name) == number


def test_few_classes_have_no_name_of_their_own():
    """Cardigan is a dog too, and a maillot is a tank suit or not; their numbers must be given."""
    lines = Path(module.__file__).with_suffix(".txt").read_text().splitlines()
    assert [number for number, line in enumerate(lines) if not _is_found(line.split(","), number)] == [474, 638]


def _is_found(names, number):
    for name in names:
        with contextlib.suppress(LimnerError):
            if find_class(name) == number:
                return True
    return False


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("godlfish", "no class of ImageNet is called 'godlfish': did you mean goldfish"),
        ("cat", r"did you mean tabby cat, .*tiger cat"),
        (
            "crane",
            r"stands for more than one class: give the number, 134 \(crane, crane bird\) or 517 \(crane, hoisting",
        ),
        ("1000", "classes have numbers from 0 to 999, got 1000"),
        ("qzqzqz", "look for another name of it, or give a number, 0 to 999"),
    ],
)
def test_what_is_not_found_is_told_with_near_names(name, message):
    with pytest.raises(LimnerError, match=message):
        find_class(name)


def test_near_names_hold_its_words_or_are_spelled_like_it():
    assert nearest_classes("swan")[0] == "black swan"
    assert "espresso" in nearest_classes("expresso")
    assert len(nearest_classes("dog")) == 5
