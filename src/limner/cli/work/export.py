"""The work of `limner export`."""

from limner.cli.commands.export import Options
from limner.cli.printing import mebibytes, print_json
from limner.verbs.export import export


def run(options: Options) -> None:
    """Export one model and say what was written.

    Raises:
        LimnerError: If it cannot be.
    """
    written = export(options.model, options.format, options.output, overwrite=options.force)
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
    print(f"{names}  {mebibytes(size)}, {agreement} the model at {len(written.checked)} sizes")
