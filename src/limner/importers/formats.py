"""All foreign formats that Limner reads, and which of them a file is of."""

import re
from collections.abc import Callable, Sequence

from limner.errors import LimnerError, did_you_mean
from limner.importers import (
    discriminators,
    enlargers,
    generators,
    lua_networks,
    lua_textures,
    lua_translators,
    painters,
    restorers,
    segmenters,
    translators,
)
from limner.importers.checkpoint import Arrays, Checkpoint
from limner.importers.format import Format, Source, has
from limner.importers.lua_layers import spelled

FORMATS: tuple[Format, ...] = (
    enlargers.VDSR,
    enlargers.SRRESNET,
    enlargers.SRGAN,
    restorers.RRDBNET,
    restorers.RRDBNET_SECOND,
    restorers.RRDBNET_FIRST,
    restorers.MSRRESNET,
    restorers.MSRRESNET_MMAGIC,
    restorers.COMPACT,
    painters.EXAMPLES,
    painters.PYSTICHE,
    painters.TENSORFLOW,
    lua_networks.JOHNSON,
    lua_textures.JOHNSON,
    lua_textures.PYRAMID,
    painters.ADAIN,
    painters.MANY_STYLES,
    translators.CYCLEGAN,
    lua_translators.CYCLEGAN,
    translators.PIX2PIX,
    lua_translators.PIX2PIX,
    translators.SPADE,
    segmenters.UNET,
    generators.ROSINALITY,
    generators.NVIDIA,
    discriminators.CYCLEGAN,
    discriminators.PIX2PIX,
    discriminators.SRGAN,
    discriminators.SPADE,
)
"""The first that matches is taken."""


UNREAD: tuple[tuple[str, Callable[[Arrays], bool]], ...] = (
    (
        "a discriminator of Lua's pix2pix or CycleGAN, which Limner does not read: import the generator beside it",
        lambda found: re.fullmatch(r"CA(?:CND?A)+CG?", spelled(found)) is not None,
    ),
    (
        "a StyleGAN2 or later one, which is no system of Limner: it reads the first StyleGAN",
        lambda found: (
            has(r"synthesis\.b4\.const")(found)
            or has(r"synthesis/4x4/Const/const", r"synthesis/4x4/Conv/mod_weight")(found)
            or has(r"input\.input", r"conv1\.conv\.modulation\.weight")(found)
        ),
    ),
)
"""What is told of networks that are known and not read."""


def recognised(checkpoints: Sequence[Checkpoint], wanted: str | None = None) -> tuple[Format, list[Source]]:
    """The format of some files that make one model, and what of each is taken.

    Args:
        checkpoints: The files.
        wanted: A system of Limner's, or the name of a format: others are not considered, and of these one that fits
            least badly is taken by its word.

    Raises:
        LimnerError: If there is no such format, or the files are of none, or of several.
    """
    known = _wanted(wanted)
    found = [_of(checkpoint, known, wanted) for checkpoint in checkpoints]
    formats = list(dict.fromkeys(one.name for one, _ in found))
    paths = " and ".join(str(checkpoint.path) for checkpoint in checkpoints)
    if len(formats) > 1:
        raise LimnerError(f"{paths} are of {' and '.join(formats)}, and make no model together: import one at a time")
    chosen = found[0][0]
    if len(checkpoints) > chosen.most:
        raise LimnerError(f"{chosen.title} is one file, got {len(checkpoints)}: import one at a time")
    sources = [Source(one.path, arrays, chosen.title) for one, (_, arrays) in zip(checkpoints, found, strict=True)]
    return chosen, sources


def _wanted(wanted: str | None) -> Sequence[Format]:
    if wanted is None:
        return FORMATS
    known = [one for one in FORMATS if wanted in (one.system, one.name)]
    if not known:
        names = list(dict.fromkeys(word for one in FORMATS for word in (one.system, one.name)))
        raise LimnerError(f"no foreign format becomes {wanted!r}: {did_you_mean(wanted, names, _all(FORMATS))}")
    return known


def _of(checkpoint: Checkpoint, known: Sequence[Format], wanted: str | None) -> tuple[Format, Arrays]:
    for one in known:
        for arrays in checkpoint.candidates:
            if one.matches(arrays):
                return one, arrays
    if wanted == known[0].name and checkpoint.candidates:
        return known[0], checkpoint.candidates[0]
    raise LimnerError(f"{checkpoint.path} {_told(checkpoint.candidates, known, wanted)}")


def _told(candidates: Sequence[Arrays], known: Sequence[Format], wanted: str | None) -> str:
    for words, matches in UNREAD:
        if any(map(matches, candidates)):
            return f"is {words}"
    others = [one.name for one in FORMATS if wanted and any(map(one.matches, candidates))]
    if others:
        return f"is of {others[0]}, not of {_all(known)}: leave out --as"
    return f"{_held(candidates)}: {_mend(known, wanted)}"


def _held(candidates: Sequence[Arrays]) -> str:
    largest = max(candidates, key=lambda one: len(one.arrays))
    first = ", ".join(list(largest.arrays)[:2])
    return f"holds {len(largest.arrays)} arrays ({first[:120]}, ...) of no network that Limner reads"


def _mend(known: Sequence[Format], wanted: str | None) -> str:
    systems = ", ".join(dict.fromkeys(one.system for one in FORMATS))
    return f"{wanted} is read of {_all(known)}" if wanted else f"those become {systems}; docs/import.md tells more"


def _all(known: Sequence[Format]) -> str:
    return ", ".join(one.name for one in known)
