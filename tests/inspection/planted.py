"""Clean data sets of every kind, and ways to spoil them: each plants one fault."""

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image as PillowImage
from PIL import ImageCms

SIDE = 48


def scene(seed: int, side: int = SIDE, width: int | None = None) -> np.ndarray:
    """A picture of smooth noise, unlike that of any other seed."""
    coarse = np.random.default_rng(seed).integers(0, 256, (6, 6, 3), dtype=np.uint8)
    big = PillowImage.fromarray(coarse).resize((width or side, side), PillowImage.Resampling.BICUBIC)
    return np.asarray(big)


def save(path: Path, pixels: np.ndarray, **options: object) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    PillowImage.fromarray(pixels).save(path, **options)
    return path


def photos(root: Path) -> None:
    for number in range(20):
        save(root / f"{number:02}.png", scene(number))


def split(root: Path) -> None:
    for number in range(20):
        save(root / "train" / f"{number:02}.png", scene(number))
    for number in range(20, 26):
        save(root / "test" / f"{number:02}.png", scene(number))


def halves(root: Path) -> None:
    for number in range(20):
        save(root / f"{number:02}.png", scene(number, width=2 * SIDE))


def pairs(root: Path) -> None:
    for number in range(20):
        save(root / "A" / f"{number:02}.png", scene(number))
        save(root / "B" / f"{number:02}.png", 255 - scene(number))


def marked(root: Path) -> None:
    for number in range(20):
        picture = scene(number)
        save(root / "images" / f"{number:02}.png", picture)
        save(root / "masks" / f"{number:02}.png", np.where(picture[..., 0] > 120, 255, 0).astype(np.uint8))


def classes(root: Path) -> None:
    for number in range(24):
        save(root / "abc"[number % 3] / f"{number:02}.png", scene(number))


def cut_short(root: Path) -> None:
    data = save(root / "03.jpg", scene(99)).read_bytes()
    (root / "03.jpg").write_bytes(data[: len(data) // 2])
    (root / "03.png").unlink()


def animated(root: Path) -> None:
    frames = [PillowImage.fromarray(scene(seed)) for seed in (100, 101)]
    frames[0].save(root / "03.png", save_all=True, append_images=frames[1:])


def huge(root: Path) -> None:
    """A TIFF whose head promises more than a gigabyte."""
    PillowImage.new("1", (64, 64)).save(root / "30.tif", "TIFF")
    data = bytearray((root / "30.tif").read_bytes())
    for tag in (b"\x00\x01", b"\x01\x01"):
        at = data.index(tag + b"\x04\x00") if tag + b"\x04\x00" in data else data.index(tag + b"\x03\x00")
        data[at + 2 : at + 4] = b"\x04\x00"
        data[at + 8 : at + 12] = (40_000).to_bytes(4, "little")
    (root / "30.tif").write_bytes(data)


def wide_gamut() -> bytes:
    """A profile that is not sRGB, by its name."""
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    return profile.replace(b"s\x00R\x00G\x00B", b"x\x00P\x003\x00Q").replace(b"sRGB built-in", b"Wide gamut 3 ")


def transparent(root: Path) -> None:
    pixels = np.dstack([scene(99), np.where(np.indices((SIDE, SIDE))[0] < 20, 0, 255).astype(np.uint8)])
    save(root / "03.png", pixels)


def unseen(root: Path) -> None:
    for number in range(20):
        save(root / f"{number:02}.png", np.dstack([scene(number), np.full((SIDE, SIDE), 200, np.uint8)]))
    save(root / "03.png", np.dstack([scene(99), np.zeros((SIDE, SIDE), np.uint8)]))


def near_copy(path: Path, target: Path) -> None:
    """The same picture, smaller, a little darker, and as JPEG."""
    image = PillowImage.open(path).convert("RGB").resize((40, 40)).point(lambda level: int(level * 0.93))
    image.save(target, quality=90, subsampling=0)


def recoloured(root: Path) -> None:
    path = root / "masks" / "03.png"
    mask = np.array(PillowImage.open(path))
    save(path, np.repeat(mask[..., None], 3, -1))


def smoothed(root: Path) -> None:
    for path in (root / "masks").iterdir():
        image = PillowImage.open(path)
        image.resize((16, 16), PillowImage.Resampling.BICUBIC).resize(
            (SIDE, SIDE), PillowImage.Resampling.BICUBIC
        ).save(path)


def brushed(root: Path) -> None:
    path = root / "masks" / "03.png"
    mask = np.array(PillowImage.open(path))
    mask[0, :5] = 7
    save(path, mask)


def emptied(root: Path) -> None:
    for number in range(20):
        save(root / "masks" / f"{number:02}.png", np.zeros((SIDE, SIDE), np.uint8))


def mostly_empty(root: Path) -> None:
    for number in range(12):
        save(root / "masks" / f"{number:02}.png", np.zeros((SIDE, SIDE), np.uint8))


def tested_otherwise(root: Path) -> None:
    shutil.copytree(root, root.parent / "all")
    for name, keep in (("train", range(14)), ("test", range(14, 20))):
        for folder in ("images", "masks"):
            for number in keep:
                target = root / name / folder / f"{number:02}.png"
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.move(root / folder / f"{number:02}.png", target)
    for path in (root / "test" / "masks").iterdir():
        mask = np.array(PillowImage.open(path))
        mask[:20, :20] = 128
        save(path, mask)


def unbalanced(root: Path) -> None:
    for number in range(100, 160):
        save(root / "a" / f"{number}.png", scene(number))
    for path in sorted((root / "b").iterdir())[:3]:
        path.unlink()


def remove(*paths: Path) -> None:
    for path in paths:
        path.unlink()


def lossy(root: Path) -> None:
    path = root / "masks" / "03.png"
    save(path.with_suffix(".jpg"), np.array(PillowImage.open(path)))
    path.unlink()


PLANTED: list[tuple[str, Callable[[Path], None], Callable[[Path], object]]] = [
    ("empty", photos, lambda root: (root / "03.png").write_bytes(b"")),
    ("damaged", photos, cut_short),
    ("not-a-picture", photos, lambda root: (root / "03.png").write_text("<html>no</html>")),
    ("several-pictures", photos, animated),
    ("too-large", photos, huge),
    ("broken-link", photos, lambda root: (root / "link.png").symlink_to("nowhere.png")),
    ("passed-by", photos, lambda root: (root / "03.heic").write_bytes(b"x")),
    ("wrong-suffix", photos, lambda root: (root / "03.png").rename(root / "03.jpg")),
    ("same-name", photos, lambda root: save(root / "03.jpg", scene(99))),
    ("blank", photos, lambda root: save(root / "03.png", np.full((SIDE, SIDE, 3), 200, np.uint8))),
    ("invisible", photos, unseen),
    ("too-small", photos, lambda root: save(root / "03.png", scene(99, 12))),
    ("odd-shape", photos, lambda root: save(root / "03.png", scene(99, 40, 400))),
    ("much-smaller", photos, lambda root: [save(root / f"{n:02}.png", scene(n, 400)) for n in range(1, 20)]),
    ("mixed-channels", photos, lambda root: save(root / "03.png", scene(99)[..., 0])),
    ("mixed-depth", photos, lambda root: save(root / "03.png", scene(99)[..., 0].astype(np.uint16) * 257)),
    ("mixed-alpha", photos, transparent),
    ("inks", photos, lambda root: PillowImage.fromarray(scene(99)).convert("CMYK").save(root / "30.tif")),
    ("other-colours", photos, lambda root: save(root / "03.png", scene(99), icc_profile=wide_gamut())),
    ("duplicates", photos, lambda root: save(root / "again.tif", scene(3))),
    ("near-duplicates", photos, lambda root: near_copy(root / "03.png", root / "again.jpg")),
    ("too-few", photos, lambda root: remove(*sorted(root.iterdir())[5:])),
    ("no-pictures", photos, lambda root: remove(*root.iterdir())),
    ("leak", split, lambda root: save(root / "test" / "x.tif", scene(3))),
    ("near-leak", split, lambda root: near_copy(root / "train" / "03.png", root / "test" / "x.jpg")),
    ("unpaired", pairs, lambda root: remove(root / "B" / "03.png")),
    ("unequal-sides", pairs, lambda root: save(root / "B" / "03.png", scene(99, 44))),
    ("unpaired", marked, lambda root: remove(root / "masks" / "03.png")),
    ("colored-masks", marked, recoloured),
    ("lossy-masks", marked, lossy),
    ("blurred-masks", marked, smoothed),
    ("stray-values", marked, brushed),
    ("one-class", marked, emptied),
    ("empty-masks", marked, mostly_empty),
    ("only-in-tests", marked, tested_otherwise),
    ("unlike-labels", marked, lambda root: shutil.copy(root / "images" / "03.png", root / "images" / "04.png")),
    ("unbalanced", classes, unbalanced),
    ("tiny-class", classes, lambda root: remove(*sorted((root / "b").iterdir())[2:])),
    ("empty-class", classes, lambda root: (root / "d").mkdir()),
    ("unlike-labels", classes, lambda root: shutil.copy(root / "a" / "00.png", root / "b" / "x.png")),
]  # fmt: skip
"""The fault that is to be found, a clean data set, and what spoils it."""
