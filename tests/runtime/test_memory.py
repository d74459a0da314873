import pytest

from limner.errors import LimnerError
from limner.memory import free_bytes, resident_bytes
from limner.runtime.memory import default_budget, format_bytes, parse_bytes


@pytest.mark.parametrize(
    ("text", "size"),
    [("1", 1), ("800M", 8e8), ("800 mb", 8e8), ("2GB", 2e9), ("1.5GiB", 1.5 * 2**30), ("4Ki", 4096), ("1T", 1e12)],
)
def test_sizes_as_people_write_them(text, size):
    assert parse_bytes(text) == size


@pytest.mark.parametrize("text", ["", "two", "-1GB", "0", "2 GBs", "GB", "1e9", "nan"])
def test_what_is_no_size_is_refused(text):
    with pytest.raises(LimnerError, match="memory must be a size such as 2GB"):
        parse_bytes(text)


def test_a_written_size_reads_back():
    assert parse_bytes(format_bytes(2.5e9)) == 2.5e9


def test_the_default_is_below_what_there_is():
    assert resident_bytes() < default_budget() < resident_bytes() + free_bytes()
