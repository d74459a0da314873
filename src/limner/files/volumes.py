"""Volumes of scans, read as axial slices: a DICOM series, a NIfTI file, or arrays of numpy.

Slices go from the feet upwards; each lies as radiologists look at it, the patient's right side to the left of the
picture and the front above.
"""

import math
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float

from limner.errors import LimnerError

Volume = Float[np.ndarray, "n h w"]
"""As the scanner gives it, such as Hounsfield units."""

MOST_VOXELS = 2**30
"""Of a volume that is read: 2,000 slices of 512x512 are half of that, and 4 GiB as numbers."""
_EXTRA = "need the medical extra: pip install '.[medical]' in the folder of Limner"


def read_volume(path: Path, key: str = "volume", *, max_voxels: int | None = MOST_VOXELS) -> Volume:
    """The slices of a volume.

    Args:
        path: A folder of a DICOM series, a .nii or .nii.gz, or an .npz with arrays (x, y, z) as NIfTI has them.
        key: Which array of an .npz, such as `volume` or `labels`.
        max_voxels: Larger volumes are refused by their headers, before they are decoded; None lifts the limit.

    Raises:
        LimnerError: If it is none of these or too large, or the extra `medical` is not installed.
    """
    if path.is_dir():
        return _dicom(path, max_voxels)
    if path.name.lower().endswith((".nii", ".nii.gz")):
        return _nifti(path, max_voxels)
    if path.suffix.lower() == ".npz":
        return _arrays(path, key, max_voxels)
    raise LimnerError(f"a volume is a folder of DICOM files, a .nii, .nii.gz or .npz, got {path}: name one of these")


def _check_size(path: Path, shape: Sequence[int], most: int | None) -> None:
    """Refuse what would take too much memory, as a small file may that was made to."""
    voxels = math.prod(shape)
    if most is not None and voxels > most:
        size = "x".join(map(str, shape))
        raise LimnerError(f"{path} has {size} = {voxels} voxels, and at most {most} are read: cut or shrink it")


def _looked_at(array: np.ndarray) -> Volume:
    """(x to the right, y to the front, z upwards) of the patient -> slices."""
    return np.ascontiguousarray(array.transpose(2, 1, 0)[:, ::-1, ::-1], dtype=np.float32)


def _nifti(path: Path, most: int | None) -> Volume:
    try:
        import nibabel
    except ImportError as error:
        raise LimnerError(f"NIfTI files {_EXTRA}") from error
    try:
        file = nibabel.load(path)  # type: ignore[attr-defined, unused-ignore]
        _check_size(path, file.shape, most)  # type: ignore[attr-defined, unused-ignore]
        found = nibabel.as_closest_canonical(file).get_fdata(dtype=np.float32)  # type: ignore[no-untyped-call, attr-defined, unused-ignore]
    except LimnerError:
        raise
    except Exception as error:  # likewise
        raise LimnerError(f"{path} is no NIfTI file that can be read ({error}): get it anew") from None
    if found.ndim != 3:
        raise LimnerError(f"{path} must hold one volume of three axes, got {found.ndim}: split it")
    return _looked_at(found)


def _arrays(path: Path, key: str, most: int | None) -> Volume:
    try:
        _check_size(path, _shape_of(path, key), most)
        with np.load(path, allow_pickle=False) as arrays:
            if key not in arrays:
                raise LimnerError(f"{path} must hold an array called {key}, got {', '.join(arrays)}: rename one")
            return _looked_at(arrays[key])
    except LimnerError:
        raise
    except Exception as error:  # the parsers of damaged files raise whatever they trip over
        raise LimnerError(f"{path} is no .npz that can be read ({error}): get it anew") from None


def _shape_of(path: Path, key: str) -> tuple[int, ...]:
    """Of an array of an .npz, by its header alone; of one that is not there, of none."""
    with zipfile.ZipFile(path) as archive:
        if f"{key}.npy" not in archive.namelist():
            return (0,)
        with archive.open(f"{key}.npy") as file:
            version = np.lib.format.read_magic(file)
            read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
            return read(file)[0]


def _dicom(folder: Path, most: int | None) -> Volume:
    try:
        import pydicom
    except ImportError as error:
        raise LimnerError(f"DICOM files {_EXTRA}") from error
    found = []
    for path in sorted(one for one in folder.iterdir() if one.is_file()):
        try:
            found.append(pydicom.dcmread(path))
        except pydicom.errors.InvalidDicomError:
            continue  # such as a README or an index
    slices = [one for one in found if "PixelData" in one and "ImagePositionPatient" in one]
    if not slices:
        raise LimnerError(f"{folder} holds no DICOM slices with their places: name the folder of one series")
    _check_size(folder, (len(slices), *max((one.Rows, one.Columns) for one in slices)), most)
    if len({one.pixel_array.shape for one in slices}) > 1:
        raise LimnerError(f"{folder} holds slices of several sizes: name the folder of one series")
    slices.sort(key=_height)
    return np.stack([_units(one) for one in slices])


def _height(one: Any) -> float:
    """How far up a slice lies, in millimetres."""
    return float(one.ImagePositionPatient[2])


def _units(one: Any) -> Float[np.ndarray, "h w"]:
    """Pixels by the scale that the file names."""
    slope, intercept = (float(one.get(name, usual)) for name, usual in (("RescaleSlope", 1), ("RescaleIntercept", 0)))
    return slope * one.pixel_array.astype(np.float32) + intercept


def windowed(volume: Volume, window: Sequence[float] | None = None) -> Volume:
    """Values in [0, 1]: those from the first to the last of a window, or without one of 99 percent of all.

    >>> windowed(np.array([[[-1000, 40, 240]]], np.float32), (-160, 240)).tolist()
    [[[0.0, 0.5, 1.0]]]
    """
    low, high = np.quantile(volume, (0.005, 0.995)) if window is None else window
    if not low < high:
        raise LimnerError(f"a window goes from a low value to a higher one, got {low:g} and {high:g}: turn it round")
    return np.clip((volume - low) / (high - low), 0, 1).astype(np.float32)
