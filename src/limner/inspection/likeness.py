"""Pictures that are the same, or nearly: a hash of 64 bits that finds candidates, and small copies that decide.

The hash is the difference hash of Krawetz, "Kind of like that", 2013: whether each cell of a grid of 8x8 is lighter
than its right neighbour. Hashes that differ in at most `NEAR_BITS` bits share one of `NEAR_BITS` + 1 bands, so that
pictures of one band alone need be compared (Manku, Jain, Sarma, "Detecting near-duplicates for web crawling", 2007,
section 3).
"""

import itertools
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

import numpy as np
from PIL import Image as PillowImage

SIDE = 32
"""Of the small copies, in pixels."""
NEAR_BITS = 4

_LIGHTER = 1.0  # levels of 255 between two cells that count as a difference: less is noise of compression
_BLOCK = 4  # pixels of the blocks that small copies are compared by
_BLOCKS = SIDE // _BLOCK
_MOST_APART, _MEAN_APART = 9.0, 3.0  # levels, of the worst block and of all
_USUAL_CONTRAST = 20.0  # deviation in levels below which pictures may differ by less, in proportion
_LEAST_CONTRAST = 2.0  # the same of pictures that are not compared, for all flat ones are alike
_MOST_GAIN = 1.6  # of contrast between two copies of one picture
_AT_ONCE = 2048  # pictures that are compared with as many, and pairs that are looked at

Small = np.ndarray
"""A small copy: uint8 (SIDE, SIDE, 3)."""


def small_copy(image: PillowImage.Image) -> Small:
    """An RGB picture on a square of `SIDE` pixels, each the mean of what it covers, the middle of it more."""
    return np.asarray(image.resize((SIDE, SIDE), PillowImage.Resampling.HAMMING))


def deviation(image: PillowImage.Image) -> float:
    """The standard deviation of the channel of an RGB picture that varies most, in levels of 255.

    >>> deviation(PillowImage.fromarray(np.array([[[0, 7, 3], [0, 9, 3]]], np.uint8)))
    1.0
    """
    counts, levels = np.array(image.histogram(), np.float64).reshape(3, 256), np.arange(256)
    shares = counts / counts.sum(1, keepdims=True)
    means = shares @ levels
    return float(np.sqrt(np.maximum(shares @ levels**2 - means**2, 0)).max())


def difference_hash(image: PillowImage.Image) -> int:
    """64 bits, row by row: whether a cell of an RGB picture is lighter than its right neighbour.

    >>> difference_hash(PillowImage.new("RGB", (20, 20)))
    0
    """
    gray = image.convert("L").convert("F")
    cells = np.asarray(gray.resize((9, 8), PillowImage.Resampling.HAMMING))
    bits = cells[:, :-1] > cells[:, 1:] + _LIGHTER
    return int.from_bytes(np.packbits(bits).tobytes(), "big")


def near_pairs(hashes: Sequence[int], copies: np.ndarray) -> list[tuple[int, int]]:
    """The places of pictures that are nearly the same, each pair once, sorted.

    Nearly the same is what differs little everywhere once its lightness and contrast are made alike: a picture resized,
    compressed or lit otherwise. One eye that is open in one and shut in the other makes two pictures.

    Args:
        hashes: Of the pictures.
        copies: Small ones, (n, SIDE, SIDE, 3) bytes.
    """
    known, light = np.array(hashes, np.uint64), copies.reshape(len(copies), -1, 3).astype(np.float32)
    middles, spreads = light.mean((1, 2)), light.std((1, 2))
    places = np.flatnonzero(light.std(1).max(-1) >= _LEAST_CONTRAST)
    found = [_alike(known, group) for group in _bands(known, places[np.argsort(spreads[places])])]
    pairs = np.unique(np.concatenate([np.empty((0, 2), np.int64), *found]), axis=0)
    coarse = light.reshape(-1, _BLOCKS, _BLOCK, _BLOCKS, _BLOCK, 3).mean((2, 4))
    for values, fine in ((coarse, False), (light.reshape(copies.shape), True)):
        cuts = np.array_split(pairs, len(pairs) // _AT_ONCE + 1)
        pairs = np.concatenate([cut[_near(cut, values, middles, spreads, fine=fine)] for cut in cuts])
    return [(int(one), int(other)) for one, other in pairs]


def _bands(known: np.ndarray, places: np.ndarray) -> Iterator[np.ndarray]:
    """Places of pictures whose hashes share a band, two or more at a time, in the order that they are given."""
    for low, high in itertools.pairwise(np.linspace(0, 64, NEAR_BITS + 2).astype(np.uint64)):
        band = (known[places] >> low) & np.uint64((1 << int(high - low)) - 1)
        order = np.argsort(band, kind="stable")
        cuts = np.flatnonzero(np.diff(band[order])) + 1
        yield from (group for group in np.split(places[order], cuts) if len(group) > 1)


def _alike(known: np.ndarray, group: np.ndarray) -> np.ndarray:
    """Pairs (n, 2) of a band whose hashes are near; of very many alike, those that lie near in its order."""
    found = []
    for at in range(0, len(group), _AT_ONCE):
        rows, others = group[at : at + _AT_ONCE], group[at : at + 2 * _AT_ONCE]
        first, second = np.nonzero(np.bitwise_count(known[rows][:, None] ^ known[others][None]) <= NEAR_BITS)
        found.append(np.stack([rows[first], others[second]], 1)[first < second])
    return np.sort(np.concatenate(found), 1)


def _near(pairs: np.ndarray, values: np.ndarray, middles: np.ndarray, spreads: np.ndarray, *, fine: bool) -> np.ndarray:
    """Which pairs are nearly the same; of the means of blocks, which may be: a mean of differences is no smaller."""
    one, other = pairs.T
    gain = (spreads[one] / np.maximum(spreads[other], 1e-6))[:, None, None, None]
    first = values[one] - middles[one][:, None, None, None]
    apart = np.abs((values[other] - middles[other][:, None, None, None]) * gain - first).mean(-1)
    if fine:
        apart = apart.reshape(-1, _BLOCKS, _BLOCK, _BLOCKS, _BLOCK).mean((2, 4))
    share = np.minimum(1, spreads[one] / _USUAL_CONTRAST)
    near = (apart.max((1, 2), initial=0) < _MOST_APART * share) & (apart.mean((1, 2)) < _MEAN_APART * share)
    return near & (gain[:, 0, 0, 0] < _MOST_GAIN) & (gain[:, 0, 0, 0] > 1 / _MOST_GAIN)


def grouped(pairs: Iterable[tuple[int, int]]) -> list[list[int]]:
    """What pairs hold together, each group and all groups sorted.

    >>> grouped([(4, 2), (2, 9), (5, 6)])
    [[2, 4, 9], [5, 6]]
    """
    leader: dict[int, int] = {}

    def find(one: int) -> int:
        while leader.setdefault(one, one) != one:
            leader[one] = leader[leader[one]]
            one = leader[one]
        return one

    for one, other in pairs:
        first, second = sorted((find(one), find(other)))
        leader[second] = first
    groups: defaultdict[int, list[int]] = defaultdict(list)
    for one in sorted(leader):
        groups[find(one)].append(one)
    return sorted(groups.values())
