"""Exported files: what they say of themselves, and how they are opened to be run."""

import json
import warnings
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import torch
from torch import Tensor

from limner.errors import LimnerError
from limner.files.json_text import parse_json
from limner.files.weights import Header
from limner.ports import Port, Ported
from limner.runtime.engine import Engine
from limner.runtime.onnx_engine import OnnxEngine, is_float
from limner.runtime.openvino_engine import OpenVinoEngine, core, plain_array, reason
from limner.types import Precision

FORMAT = 1
EXTRA_FILE = "limner.json"
"""The file in a TorchScript archive that holds the header."""

PROGRAM_SUFFIXES = (".pt", ".ts")
"""Of TorchScript files, which are programs: opening one runs what is in it."""
EXPORTED_SUFFIXES = (".onnx", ".xml", *PROGRAM_SUFFIXES)

_MAX_HEADER = 2**20  # bytes
_AGAIN = "export it again"


class ExportedHeader(Header):
    """What an exported file says of itself."""

    channels: int
    """Of the first picture that goes in, 0 if none does: 3 is RGB, 1 what the system makes of it, such as luminance."""
    value_range: str = "[0, 1]"
    inputs: tuple[Port, ...] = ()
    """In order; none means one picture of `channels` channels, as in files of older versions."""
    outputs: tuple[Port, ...] = ()

    @classmethod
    def of(cls, header: Header, system: Ported) -> "ExportedHeader":
        """That of a system, with its ports."""
        channels = next((port.channels for port in system.inputs if port.spatial), 0)
        return cls(**header.model_dump(), channels=channels, inputs=system.inputs, outputs=system.outputs)

    @property
    def given(self) -> tuple[Port, ...]:
        """What goes in."""
        return self.inputs or (picture_port(self.channels),)

    def entries(self) -> dict[str, str]:
        """The header as named texts: plain ones as they are, all else as JSON."""
        fields = self.model_dump(mode="json")
        texts = {key: value if isinstance(value, str) else json.dumps(value) for key, value in fields.items()}
        return {"limner": str(FORMAT), **texts}

    @classmethod
    def from_entries(cls, path: Path, entries: Mapping[str, str]) -> "ExportedHeader":
        """The header of a file from its named texts; those of other programs are passed over.

        Raises:
            LimnerError: If there is none, it is of another format, or damaged.
        """
        version = entries.get("limner", "")
        if not version:
            raise LimnerError(f"{path} has no Limner header: of such files only those of `limner export` can be run")
        if version != str(FORMAT):
            raise LimnerError(f"{path} is of format {version[:20]}, this Limner reads {FORMAT}: install a newer one")
        kinds = {name: field.annotation for name, field in cls.model_fields.items()}
        known = {key: text for key, text in entries.items() if key in kinds}
        try:
            return cls.parse({key: text if kinds[key] is str else parse_json(text) for key, text in known.items()})
        except ValueError as error:  # of JSON or, as a LimnerError, of a field
            raise LimnerError(f"the header of {path} is damaged ({error}): {_AGAIN}") from None


@dataclass(frozen=True)
class Exported:
    """An exported network, opened.

    Attributes:
        engine: Runs it.
        header: None if the file is not ours.
        inputs: What it takes, in order.
        size: Height and width that it takes; None where they are free.
    """

    engine: Engine
    header: ExportedHeader | None
    inputs: tuple[Port, ...]
    size: tuple[int | None, int | None] = (None, None)


class TorchScriptEngine:
    """A TorchScript network, ready to run in float32 on the CPU."""

    name = "torch"

    def __init__(self, module: torch.jit.ScriptModule) -> None:
        self._module = module

    def __call__(self, *inputs: Tensor) -> Any:
        """Float32 in, float32 out.

        Raises:
            LimnerError: If the network does not take such inputs.
        """
        try:
            with torch.inference_mode():
                made = self._module(*(torch.from_numpy(plain_array(x)) for x in inputs))
        except RuntimeError as error:
            if "memory" in str(error):
                raise
            shapes = " and ".join("x".join(map(str, x.shape)) for x in inputs)
            raise LimnerError(f"the network does not take an input of {shapes} ({reason(error)})") from None
        return made


def open_exported(path: Path, *, precision: Precision = "fast", threads: int | None = None) -> Exported:
    """Open a file that `limner export` wrote, or an ONNX network of others that makes pictures from pictures.

    An ONNX or OpenVINO file is a graph of operators and can do nothing but compute. A TorchScript file is a program:
    its archive is not unpickled by Python, yet its operators can do more than arithmetic, and its header proves nothing
    about who wrote it. So run such a file only if you trust where it comes from.

    Args:
        path: `.onnx`; `.xml` with its `.bin` beside it; `.pt` or `.ts`.
        precision: `fast` is bfloat16 where that pays, which OpenVINO alone has here; the others run in float32.
        threads: How many may be used; None takes as many as torch does.

    Raises:
        LimnerError: If there is no such file, it is damaged or of another kind, or the extra that runs it is missing.
    """
    opener = dict(zip(EXPORTED_SUFFIXES, (_open_onnx, _open_openvino, *[_open_torchscript] * 2), strict=True))
    suffix = path.suffix.lower()
    if suffix == ".safetensors":
        raise LimnerError(f"{path} holds weights and no exported network: give it to what takes a model")
    if suffix not in opener:
        raise LimnerError(f"{path}: an exported network ends in {', '.join(opener)}: write one with `limner export`")
    if not path.is_file():
        what = "is a folder" if path.is_dir() else "there is no such file"
        raise LimnerError(f"{path}: {what}: name a file that `limner export` wrote")
    return opener[suffix](path, precision, threads)


def read_exported_header(path: Path) -> ExportedHeader | None:
    """What an exported file says of itself, without what could run it; of an ONNX file of others None.

    Args:
        path: As for `open_exported`.

    Raises:
        LimnerError: As `open_exported`.
    """
    suffix = path.suffix.lower()
    if suffix == ".onnx" or not path.is_file() or suffix not in EXPORTED_SUFFIXES:
        return open_exported(path).header
    return ExportedHeader.from_entries(path, (_entries_of_xml if suffix == ".xml" else _entries_of_archive)(path))


def _open_onnx(path: Path, precision: Precision, threads: int | None) -> Exported:
    engine = OnnxEngine(path, threads=threads)
    if "limner" in engine.metadata:
        header = ExportedHeader.from_entries(path, engine.metadata)
        return Exported(engine, header, header.given)
    if len(engine.inputs) != 1 or len(engine.outputs) != 1:
        raise LimnerError(
            f"{path} has {len(engine.inputs)} inputs and {len(engine.outputs)} outputs: "
            "only a network from one picture to one picture can be run"
        )
    (port,) = engine.inputs
    if len(port.shape) != 4 or port.shape[1] not in (1, 3) or port.shape[0] not in (None, 1) or not is_float(port):
        shape = ", ".join("?" if size is None else str(size) for size in port.shape)
        raise LimnerError(
            f"{path} takes {port.kind} of ({shape}): only a picture (n, 3, h, w) or (n, 1, h, w) can go in"
        )
    return Exported(engine, None, (picture_port(port.shape[1]),), (port.shape[2], port.shape[3]))


def picture_port(channels: int) -> Port:
    """A picture of 3 channels, or of 1."""
    return Port("image", "photo" if channels > 1 else "luminance", channels)


def _open_openvino(path: Path, precision: Precision, threads: int | None) -> Exported:
    header = ExportedHeader.from_entries(path, _entries_of_xml(path))
    engine = core()
    if not path.with_suffix(".bin").is_file():
        raise LimnerError(f"{path} needs its weights beside it, {path.with_suffix('.bin').name}: copy both files")
    try:
        model = engine.read_model(path)
    except RuntimeError as error:
        raise LimnerError(f"{path} and its .bin are damaged ({reason(error)}): {_AGAIN}") from None
    return Exported(OpenVinoEngine(model, precision=precision, threads=threads), header, header.given)


def _entries_of_xml(path: Path) -> dict[str, str]:
    """The header, found before OpenVINO sees the file, whose readers of strange files write to standard error."""
    try:
        root = ElementTree.parse(path).getroot()
    except (ElementTree.ParseError, ValueError, OSError) as error:  # ValueError: of a strange encoding
        raise LimnerError(f"{path} is no whole OpenVINO network ({error}): {_AGAIN}") from None
    found = root.find("./rt_info/limner") if root.tag == "net" else None
    return {} if found is None else {child.tag: child.get("value", "") for child in found}


def _open_torchscript(path: Path, precision: Precision, threads: int | None) -> Exported:
    header = ExportedHeader.from_entries(path, _entries_of_archive(path))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # of TorchScript as a whole
            module = torch.jit.load(path, map_location="cpu")
    except Exception as error:  # RuntimeError, and more for damaged archives
        raise LimnerError(f"{path} is damaged ({reason(error)}): {_AGAIN}") from None
    return Exported(TorchScriptEngine(module), header, header.given)


def _entries_of_archive(path: Path) -> dict[str, str]:
    """The header, read before torch opens the archive, so that nothing without one gets that far."""
    try:
        with zipfile.ZipFile(path) as archive:
            for name in archive.namelist():
                if name.endswith(f"/extra/{EXTRA_FILE}") and archive.getinfo(name).file_size <= _MAX_HEADER:
                    entries = parse_json(archive.read(name))
                    return {key: str(text) for key, text in entries.items()} if isinstance(entries, dict) else {}
    except Exception as error:  # readers of damaged archives may raise anything
        raise LimnerError(f"{path} is no whole TorchScript archive ({error}): {_AGAIN}") from None
    return {}
