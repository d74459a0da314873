"""A model as a folder of a web page in which it runs, in its visitor's browser, without a server that computes."""

import json
import shutil
import subprocess
import tarfile
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import Any, cast

from torch import nn

from limner.catalog.models import find, load, tasks_of
from limner.data.label_colors import palette_of
from limner.errors import LimnerError
from limner.files.atomic import atomic_path
from limner.files.weights import Header
from limner.media.names import model_name
from limner.ports import Port, Ported, least_of, multiple_of
from limner.runtime.export import Export, write_export
from limner.systems.feedforward.many_styles import ManyStyles, MixedByCaller
from limner.tasks.translate import TRANSLATE

PAGE = Path(__file__).parent / "browser"
PACKAGE = "onnxruntime-web@1.30.0"
"""What computes in the browser; 14 MB, so it does not come with Limner."""
RUNTIME = ("ort.wasm.min.mjs", "ort-wasm-simd-threaded.mjs", "ort-wasm-simd-threaded.wasm")
_GIVEN = frozenset({"photo", "label_map", "latent", "class", "mixture", "noise"})
_MADE = frozenset({"photo", "luminance", "logits"})
_SECONDS = 600  # that npm may take


def export_site(model: str, folder: Path, *, runtime: Path | None = None, overwrite: bool = False) -> Export:
    """Write a folder of static files: a page, the model as ONNX, and what runs it in a browser.

    Args:
        model: An embedded model, a weight file, or the folder of a run.
        folder: Is made; the files can be put on any web server.
        runtime: The package onnxruntime-web, as `npm pack` gives it, or a folder of its files; None lets npm fetch it.
        overwrite: Replace the files of a folder that holds such a page already.

    Raises:
        LimnerError: If the folder is in use, the model is not one that a page can run, or there is no runtime.
    """
    check_site(folder, overwrite=overwrite)
    loaded, header = load(model)
    system = _with_all_styles(loaded)
    about = about_of(model, cast(Ported, system), header)
    folder.mkdir(parents=True, exist_ok=True)
    _put_runtime(folder, runtime)
    for path in PAGE.iterdir():
        shutil.copyfile(path, folder / path.name)
    written = write_export(system, header, folder / "model.onnx", "onnx", overwrite=overwrite)
    with atomic_path(folder / "about.json") as temporary:
        temporary.write_text(json.dumps(about, indent=1), encoding="utf-8")
    return written


def check_site(folder: Path, *, overwrite: bool) -> None:
    """Refuse a folder that holds other things.

    Raises:
        LimnerError: If it does, or holds such a page that may not be replaced.
    """
    if not folder.exists():
        return
    if not folder.is_dir():
        raise LimnerError(f"{folder}: is a file, and a folder is written: name another with --output")
    if any(folder.iterdir()) and not ((folder / "about.json").is_file() and overwrite):
        what = (
            "holds a page already: pass --force to replace it" if (folder / "about.json").is_file() else "is not empty"
        )
        raise LimnerError(f"{folder}: {what}, or name another --output")


def _with_all_styles(system: nn.Module) -> nn.Module:
    """A network of several styles as one that is told how much of each; others as they are."""
    if isinstance(system, ManyStyles) and len(system.config.styles) > 1:
        return MixedByCaller(system)
    return system


def about_of(model: str, system: Ported, header: Header) -> dict[str, Any]:
    """What the page is told of a model.

    Raises:
        LimnerError: If it takes or gives what a page has no control for.
    """
    entry, classes = find(header.system), palette_of(header.config)
    inputs, outputs = system.inputs, system.outputs
    strange = [one.kind for one in inputs if one.kind not in _GIVEN] + [outputs[0].kind] * (
        outputs[0].kind not in _MADE
    )
    if strange or (any(one.kind == "label_map" for one in inputs) and not classes):
        what = f"a {strange[0]}" if strange else "label maps without a palette"
        raise LimnerError(f"a page has no control for {what}, which {model} takes or gives: export it as --format onnx")
    spatial = [one for one in inputs if one.spatial]
    whole = {"whole_multiple": multiple_of(spatial), "whole_least": least_of(spatial)}
    return {
        "name": model_name(model),
        "title": f"{model_name(model)}: {entry.title}",
        "does": tasks_of(header)[0].name,
        "paper": entry.paper,
        "licence": header.licence,
        "inputs": [{**asdict(one), **whole} for one in inputs],
        "outputs": [asdict(one) for one in outputs],
        "palette": _palette(classes, outputs[0]),
        "draws": bool(classes) and TRANSLATE in tasks_of(header),
        "classes": [str(one) for one in header.config.get("class_names", ())],
        "styles": [str(one) for one in header.config.get("styles", ())],
    }


def _palette(classes: Any, output: Port) -> list[dict[str, str]] | None:
    if classes:
        return [{"name": one.name, "color": "#{:02x}{:02x}{:02x}".format(*one.color)} for one in classes]
    if output.kind == "logits":  # grays, for want of colours
        steps = [round(255 * number / max(1, output.channels - 1)) for number in range(output.channels)]
        return [{"name": str(number), "color": f"#{step:02x}{step:02x}{step:02x}"} for number, step in enumerate(steps)]
    return None


def _put_runtime(folder: Path, runtime: Path | None) -> None:
    """Copy what runs a model in a browser into the folder.

    Raises:
        LimnerError: If it is not there.
    """
    if runtime is not None and runtime.is_dir():
        _copy_files(runtime, folder)
        return
    with tempfile.TemporaryDirectory() as temporary:
        archive = runtime or _fetched(Path(temporary))
        try:
            with tarfile.open(archive) as package:
                members = {member.name: member for member in package.getmembers() if member.isfile()}
                for name in RUNTIME:
                    data = package.extractfile(members[f"package/dist/{name}"])
                    assert data is not None
                    with (folder / name).open("wb") as file:
                        shutil.copyfileobj(data, file)
        except (OSError, tarfile.TarError, KeyError) as error:
            raise LimnerError(f"{archive}: is no package of onnxruntime-web ({error}): get {PACKAGE} anew") from None


def _copy_files(source: Path, folder: Path) -> None:
    place = next(
        (one for one in (source, source / "dist", source / "package" / "dist") if (one / RUNTIME[0]).is_file()), None
    )
    if place is None:
        raise LimnerError(
            f"{source}: holds no {RUNTIME[0]}: name the folder of onnxruntime-web, or what npm pack wrote"
        )
    for name in RUNTIME:
        shutil.copyfile(place / name, folder / name)


def _fetched(folder: Path) -> Path:
    npm = shutil.which("npm")
    mend = f"pass --runtime FILE with what `npm pack {PACKAGE}` writes on another machine"
    if npm is None:
        raise LimnerError(f"what runs models in browsers is fetched by npm, and there is no npm: {mend}")
    command = [npm, "pack", PACKAGE, "--pack-destination", str(folder), "--ignore-scripts", "--silent"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_SECONDS, cwd=folder)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise LimnerError(f"npm could not fetch {PACKAGE} ({type(error).__name__}): {mend}") from None
    found = sorted(folder.glob("*.tgz"))
    if done.returncode or not found:
        raise LimnerError(f"npm could not fetch {PACKAGE}: {mend}")
    return found[0]
