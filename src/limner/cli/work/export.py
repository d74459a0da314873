"""The work of `limner export`."""

import shlex
from pathlib import Path

from limner.cli.commands.export import Options
from limner.cli.errors import say
from limner.cli.printing import mebibytes, print_json, print_line
from limner.cli.work.dry_run import show
from limner.errors import LimnerError
from limner.media.names import model_name
from limner.runtime.export import Export, check_place
from limner.verbs.export import export, export_path
from limner.verbs.export_site import check_site, export_site


def run(options: Options) -> None:
    """Export one model and say what was written.

    Raises:
        LimnerError: If it cannot be.
    """
    if options.format == "web":
        _write_site(options)
        return
    if options.runtime is not None:
        raise LimnerError("--runtime is what runs models in browsers: leave it out, or pass --format web")
    target = export_path(options.model, options.format, options.output)
    check_place(target, options.format, options.force)
    if options.dry_run:
        show([(options.model, target)], as_json=options.as_json)
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    written = export(options.model, options.format, target, overwrite=options.force)
    _tell(options, written)


def _write_site(options: Options) -> None:
    """A folder of a web page."""
    folder = Path(options.output or f"{model_name(options.model)}_site")
    check_site(folder, overwrite=options.force)
    if options.dry_run:
        show([(options.model, folder)], as_json=options.as_json)
        return
    written = export_site(options.model, folder, runtime=options.runtime, overwrite=options.force)
    _tell(options, written._replace(files=tuple(sorted(folder.iterdir()))))
    if not options.as_json:
        say(f"put it on any web server; here: python -m http.server --directory {shlex.quote(str(folder))}")


def _tell(options: Options, written: Export) -> None:
    """Where what was written lies, and how near it is to the model."""
    size = sum(file.stat().st_size for file in written.files)
    if options.as_json:
        print_json(
            {
                "model": options.model,
                "format": options.format,
                "files": [str(file) for file in written.files],
                "bytes": size,
                "max_difference": written.max_difference,
                "checked": [dict(zip(("number", "height", "width"), tried, strict=True)) for tried in written.checked],
                "header": written.header.model_dump(),
            }
        )
        return
    names = str(written.files[0].parent) if options.format == "web" else " and ".join(map(str, written.files))
    agreement = f"within {written.max_difference:.0e} of" if written.max_difference else "equal to"
    print_line(f"{names}  {mebibytes(size)}, {agreement} the model at {len(written.checked)} sizes")
