"""Each format gives the same slices in the same order, and what cannot be read is told in one line."""

import builtins
import contextlib
import io
import zipfile
from pathlib import Path

import numpy as np
import pytest

from limner.errors import LimnerError
from limner.files.volumes import read_volume, windowed

VOLUME = np.arange(2 * 3 * 4, dtype=np.int16).reshape(2, 3, 4)  # x, y, z


def test_arrays_lie_as_they_are_looked_at(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", volume=VOLUME, labels=VOLUME > 3)
    found = read_volume(tmp_path / "a.npz")
    assert found.shape == (4, 3, 2)
    assert found[1, 0, 0] == VOLUME[1, 2, 1]  # the second slice, the front, the patient's right
    assert found[3, 2, 1] == VOLUME[0, 0, 3]
    assert read_volume(tmp_path / "a.npz", "labels").sum() == (VOLUME > 3).sum()
    with pytest.raises(LimnerError, match="array called mask, got volume, labels"):
        read_volume(tmp_path / "a.npz", "mask")


@pytest.mark.parametrize("flips", [(1, 1, 1), (-1, 1, -1)])
def test_nifti_is_turned_to_the_patient(tmp_path: Path, flips: tuple[int, int, int]) -> None:
    nibabel = pytest.importorskip("nibabel")
    stored = VOLUME[:: flips[0], :: flips[1], :: flips[2]]
    nibabel.save(nibabel.Nifti1Image(stored, np.diag([*flips, 1.0])), tmp_path / "a.nii.gz")
    np.savez(tmp_path / "a.npz", volume=VOLUME)
    assert np.array_equal(read_volume(tmp_path / "a.nii.gz"), read_volume(tmp_path / "a.npz"))


def dicom(path: Path, pixels: np.ndarray, height: float) -> None:
    pydicom = pytest.importorskip("pydicom")
    meta = pydicom.dataset.FileMetaDataset()
    meta.TransferSyntaxUID = pydicom.uid.ExplicitVRLittleEndian
    meta.MediaStorageSOPClassUID = pydicom.uid.CTImageStorage
    meta.MediaStorageSOPInstanceUID = pydicom.uid.generate_uid()
    one = pydicom.dataset.FileDataset(str(path), {}, file_meta=meta, preamble=b"\0" * 128)
    one.Rows, one.Columns = pixels.shape
    one.SamplesPerPixel, one.PhotometricInterpretation = 1, "MONOCHROME2"
    one.BitsAllocated, one.BitsStored, one.HighBit, one.PixelRepresentation = 16, 16, 15, 1
    one.ImagePositionPatient, one.RescaleSlope, one.RescaleIntercept = [0, 0, height], 2, -1024
    one.PixelData = pixels.astype(np.int16).tobytes()
    one.save_as(path, enforce_file_format=True)


def test_a_dicom_series_is_sorted_by_height_and_scaled(tmp_path: Path) -> None:
    pixels = np.arange(6).reshape(2, 3)
    for name, height in (("a", 5.0), ("b", -2.0)):
        dicom(tmp_path / f"{name}.dcm", pixels + (100 if name == "a" else 0), height)
    (tmp_path / "README").write_text("no picture")
    found = read_volume(tmp_path)
    assert np.array_equal(found, np.stack([2 * pixels - 1024, 2 * (pixels + 100) - 1024]))
    dicom(tmp_path / "c.dcm", np.zeros((3, 3)), 7.0)
    with pytest.raises(LimnerError, match="several sizes"):
        read_volume(tmp_path)


def test_what_is_no_volume_is_told(tmp_path: Path) -> None:
    with pytest.raises(LimnerError, match=r"got .*a\.png"):
        read_volume(tmp_path / "a.png")
    (tmp_path / "a.npz").write_bytes(b"no")
    with pytest.raises(LimnerError, match="get it anew"):
        read_volume(tmp_path / "a.npz")
    pytest.importorskip("pydicom")
    with pytest.raises(LimnerError, match="no DICOM slices"):
        read_volume(tmp_path)
    pytest.importorskip("nibabel")
    (tmp_path / "a.nii").write_bytes(b"no")
    with pytest.raises(LimnerError, match="no NIfTI file"):
        read_volume(tmp_path / "a.nii")


@pytest.mark.parametrize(("name", "module"), [("a.nii.gz", "nibabel"), ("series", "pydicom")])
def test_without_the_extra_its_name_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, module: str
) -> None:
    plain = builtins.__import__

    def without(wanted: str, *args: object, **more: object) -> object:
        if wanted == module:
            raise ImportError(module)
        return plain(wanted, *args, **more)  # type: ignore[arg-type]

    (tmp_path / "series").mkdir()
    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(LimnerError, match=r"medical extra: pip install '\.\[medical\]'"):
        read_volume(tmp_path / name)


def test_a_bomb_is_refused_by_its_header(tmp_path: Path) -> None:
    np.savez_compressed(tmp_path / "a.npz", volume=np.zeros((60, 70, 80), np.uint8))
    with pytest.raises(LimnerError, match=r"has 60x70x80 = 336000 voxels, and at most 335999 are read"):
        read_volume(tmp_path / "a.npz", max_voxels=335_999)
    assert read_volume(tmp_path / "a.npz", max_voxels=336_000).shape == (80, 70, 60)
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(header, {"descr": "<f8", "fortran_order": False, "shape": (4096, 4096, 4096)})
    with zipfile.ZipFile(tmp_path / "b.npz", "w") as archive:
        archive.writestr("volume.npy", header.getvalue())
    with pytest.raises(LimnerError, match=r"4096x4096x4096 = \d+ voxels"):
        read_volume(tmp_path / "b.npz")
    dicom(tmp_path / "one.dcm", np.zeros((8, 9)), 0.0)
    with pytest.raises(LimnerError, match="1x8x9 = 72 voxels"):
        read_volume(tmp_path, max_voxels=71)
    nibabel = pytest.importorskip("nibabel")
    nibabel.save(nibabel.Nifti1Image(VOLUME, np.eye(4)), tmp_path / "a.nii.gz")
    with pytest.raises(LimnerError, match="2x3x4 = 24 voxels"):
        read_volume(tmp_path / "a.nii.gz", max_voxels=23)


def test_windows_are_clipped() -> None:
    volume = np.linspace(0, 1000, 2001, dtype=np.float32).reshape(1, 1, -1)
    found = windowed(volume)
    assert (found.min(), found.max()) == (0, 1)
    assert np.isclose(found[0, 0, 1000], 0.5)
    with pytest.raises(LimnerError, match="got 3 and 3"):
        windowed(volume, (3, 3))


def test_damage_of_any_kind_is_one_line(tmp_path: Path) -> None:
    np.savez_compressed(tmp_path / "a.npz", volume=VOLUME)
    whole = (tmp_path / "a.npz").read_bytes()
    for at in range(0, len(whole), 7):
        (tmp_path / "a.npz").write_bytes(whole[:at] + bytes([whole[at] ^ 0x5A]) + whole[at + 1 :])
        with contextlib.suppress(LimnerError):
            read_volume(tmp_path / "a.npz")
        (tmp_path / "a.npz").write_bytes(whole[:at])
        with pytest.raises(LimnerError, match=r"is no \.npz that can be read"):
            read_volume(tmp_path / "a.npz")
    np.save(tmp_path / "b.npy", VOLUME)
    (tmp_path / "b.npy").rename(tmp_path / "b.npz")
    with pytest.raises(LimnerError, match=r"is no \.npz that can be read"):
        read_volume(tmp_path / "b.npz")
