"""All foreign formats that Limner reads, and which of them a file is of."""

from collections.abc import Sequence
from pathlib import Path

from limner.errors import LimnerError, did_you_mean
from limner.importers import enlargers, generators, lua_networks, painters, restorers, segmenters, translators
from limner.importers.checkpoint import Arrays, Checkpoint
from limner.importers.format import Format, Source

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
    lua_networks.JOHNSON,
    painters.ADAIN,
    painters.MANY_STYLES,
    translators.CYCLEGAN,
    translators.PIX2PIX,
    translators.SPADE,
    segmenters.UNET,
    generators.ROSINALITY,
    generators.NVIDIA,
)
"""The first that matches is taken."""


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
    raise LimnerError(f"{checkpoint.path} {_held(checkpoint.path, checkpoint.candidates)}: {_mend(known, wanted)}")


def _held(path: Path, candidates: Sequence[Arrays]) -> str:
    largest = max(candidates, key=lambda one: len(one.arrays))
    first = ", ".join(list(largest.arrays)[:2])
    return f"holds {len(largest.arrays)} arrays ({first[:120]}, ...) of no network that Limner reads"


def _mend(known: Sequence[Format], wanted: str | None) -> str:
    return f"{wanted} is read of {_all(known)}" if wanted else f"it reads {_all(known)}; docs/import.md tells more"


def _all(known: Sequence[Format]) -> str:
    return ", ".join(one.name for one in known)
