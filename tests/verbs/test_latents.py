import pytest

from limner.arguments import whole_numbers
from limner.errors import LimnerError


@pytest.mark.parametrize(("text", "numbers"), [("3", [3]), ("0-2, 7", [0, 1, 2, 7]), ("5-5", [5])])
def test_numbers_and_spans(text: str, numbers: list[int]) -> None:
    assert whole_numbers("classes", text) == numbers


@pytest.mark.parametrize("text", ["", "3-", "-3", "5-2", "a", "1,,2"])
def test_what_is_no_list_of_numbers_is_refused(text: str) -> None:
    with pytest.raises(LimnerError, match="classes must be whole numbers as 0-3,7"):
        whole_numbers("classes", text)
