"""Texts of the command line as the studio says them: options and values by their titles, without what it has not."""

import re
from collections.abc import Iterable, Mapping

_FLAG = re.compile(r"--([a-z][a-z-]*)")
_COMMANDS = (
    (r"`?limner train ([a-z][a-z-]*) --preset ([a-z]+)`?", r"training of \1 with the preset \2"),
    (r"`?limner train ([a-z]+-[a-z-]+|unet|pix2pix|spade)`?", r"training of \1"),
    (r"`?limner train\b`?", "training"),
    (r"`?limner stylize --list`?", "the list of styles"),
    (r"`?limner models(?: --long)?`?", "the list of models"),
)
"""Commands that the studio has a place for, and what stands for them."""
_SENTENCES = re.compile(r"(?<=[^.][.!?])\s+(?=[A-Z])")
_CLAUSES = re.compile(r"(; |, or |, but )")


def said_by_the_studio(
    text: str, titles: Mapping[str, str], choices: Mapping[str, Mapping[str, str]] | None = None
) -> str:
    """A text of the command line for those who see fields.

    Options are named by the titles of their fields; what a mend says of options that there are not is left out.

    Args:
        text: One line.
        titles: Of fields, by the options without dashes.
        choices: Titles of what such an option may be, by its words, where it is one of a few.

    >>> said_by_the_studio("too large: shrink it, or raise --max-pixels", {})
    'too large: shrink it'
    >>> said_by_the_studio("--model is of a network: pass --method network too", {"model": "Model", "method": "Method"})
    'Model is of a network: set Method network too'
    >>> said_by_the_studio("slow: pass --method auto", {"method": "Method"}, {"method": {"auto": "Automatic"}})
    'slow: set Method to Automatic (auto)'
    """
    for pattern, words in _COMMANDS:
        text = re.sub(pattern, words, text)
    found = [_without(one, titles) for one in _SENTENCES.split(text)]
    return _titled(" ".join(found), titles, choices or {})


def _without(sentence: str, titles: Mapping[str, str]) -> str:
    """Without the clauses about options that there are not, of which the first is what is the matter and stays."""
    end = "." if sentence.endswith(".") else ""
    what, colon, mend = sentence.removesuffix(".").rpartition(": ")
    if not colon:
        what, mend = "", mend or sentence.removesuffix(".")
    parts = _CLAUSES.split(mend)
    clauses = list(zip(["", *parts[1::2]], parts[::2], strict=True))
    kept = [(before, clause) for before, clause in clauses if not _is_strange(clause, titles)]
    if not colon and kept[:1] != clauses[:1]:
        return sentence
    said = "".join(before + clause for before, clause in kept)
    if kept and kept[0] != clauses[0]:
        said = said.removeprefix(kept[0][0])
        said = f"choose {said}" if said.startswith("another ") else said
    return f"{what}{colon if said else ''}{said}{end}"


def _is_strange(clause: str, titles: Mapping[str, str]) -> bool:
    return any(name not in titles for name in _FLAG.findall(clause))


def _titled(text: str, titles: Mapping[str, str], choices: Mapping[str, Mapping[str, str]]) -> str:
    if "set" in titles:
        text = re.sub(r"--set ([^\s=]+=(?:'[^']*'|\S*[^\s,;.)]))", rf"\1 in {titles['set']}", text)
    for name, words in choices.items():
        text = re.sub(rf"\bpass --{name} (?=(?:{_any_of(words)})\b)", f"set {titles[name]} to ", text)
        text = _with_titles_of_values(text, name, titles[name], words)
    text = re.sub(r"\bpass (?=--)", "set ", text)
    return _FLAG.sub(lambda found: titles.get(found[1], found[1].replace("-", " ").capitalize()), text)


def _with_titles_of_values(text: str, name: str, title: str, words: Mapping[str, str]) -> str:
    """Words that an option may be, by their titles, where a text names the option before them, or `got` one of them."""
    one = _any_of(words)
    after = rf"(--{name} |\b(?:{name}|{title})s? (?:to |must be one of )?)"
    listed = rf"(?:{one})(?:(?:, | and | or )(?:{one}))*(?![\w-])"

    def titled(found: re.Match[str]) -> str:
        return found[1] + re.sub(one, lambda word: _shown(word[0], words), found[2])

    said = re.sub(f"{after}({listed})", titled, text)
    said = re.sub(rf"(\b[Ff]or )({one})(?=:)", titled, said)
    return said if said == text else re.sub(rf"(\bgot )({one})(?=[:,;.]|$)", titled, said)


def _any_of(words: Iterable[str]) -> str:
    return "|".join(map(re.escape, sorted(words, key=len, reverse=True)))


def _shown(word: str, titles: Mapping[str, str]) -> str:
    """The title, and the word itself where that is another."""
    title = titles[word]
    return title if title.lower() == word.replace("-", " ").lower() else f"{title} ({word})"
