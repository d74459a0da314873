"""Volumes of scans, read as axial slices: a DICOM series, a NIfTI file, or arrays of numpy.

Slices go from the feet upwards; each lies as radiologists look at it, the patient's right side to the left of the
picture and the front above.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float

from limner.errors import LimnerError

Volume = Float[np.ndarray, "n h w"]
"""As the scanner gives it, such as Hounsfield units."""

_EXTRA = "need the medical extra: pip install '.[medical]' in the folder of Limner"


def read_volume(path: Path, key: str = "volume") -> Volume:
    """The slices of a volume.

    Args:
        path: A folder of a DICOM series, a .nii or .nii.gz, or an .npz with arrays (x, y, z) as NIfTI has them.
        key: Which array of an .npz, such as `volume` or `labels`.

    Raises:
        LimnerError: If it is none of these, or the extra `medical` is not installed.
    """
    if path.is_dir():
        return _dicom(path)
    if path.name.lower().endswith((".nii", ".nii.gz")):
        return _nifti(path)
    if path.suffix.lower() == ".npz":
        return _arrays(path, key)
    raise LimnerError(f"a volume is a folder of DICOM files, a .nii, .nii.gz or .npz, got {path}: name one of these")


def _looked_at(array: np.ndarray) -> Volume:
    """(x to the right, y to the front, z upwards) of the patient -> slices."""
    return np.ascontiguousarray(array.transpose(2, 1, 0)[:, ::-1, ::-1], dtype=np.float32)


def _nifti(path: Path) -> Volume:
    try:
        import nibabel
    except ImportError as error:
        raise LimnerError(f"NIfTI files {_EXTRA}") from error
    try:
        found = nibabel.as_closest_canonical(nibabel.load(path)).get_fdata(dtype=np.float32)  # type: ignore[attr-defined]
    except (OSError, nibabel.filebasedimages.ImageFileError) as error:
        raise LimnerError(f"{path} is no NIfTI file that can be read ({error}): get it anew") from None
    if found.ndim != 3:
        raise LimnerError(f"{path} must hold one volume of three axes, got {found.ndim}: split it")
    return _looked_at(found)


def _arrays(path: Path, key: str) -> Volume:
    try:
        with np.load(path, allow_pickle=False) as arrays:
            if key not in arrays:
                raise LimnerError(f"{path} must hold an array called {key}, got {', '.join(arrays)}: rename one")
            return _looked_at(arrays[key])
    except (OSError, ValueError) as error:
        raise LimnerError(f"{path} is no .npz that can be read ({error}): get it anew") from None


def _dicom(folder: Path) -> Volume:
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
