"""The work of `limner export`."""

from limner.cli.commands.export import Options
from limner.cli.printing import mebibytes, print_json, print_line
from limner.cli.work.dry_run import show
from limner.runtime.export import check_place
from limner.verbs.export import export, export_path


def run(options: Options) -> None:
    """Export one model and say what was written.

    Raises:
        LimnerError: If it cannot be.
    """
    target = export_path(options.model, options.format, options.output)
    check_place(target, options.format, options.force)
    if options.dry_run:
        show([(options.model, target)], as_json=options.as_json)
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    written = export(options.model, options.format, target, overwrite=options.force)
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
    names = " and ".join(str(file) for file in written.files)
    agreement = f"within {written.max_difference:.0e} of" if written.max_difference else "equal to"
    print_line(f"{names}  {mebibytes(size)}, {agreement} the model at {len(written.checked)} sizes")
