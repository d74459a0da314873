"""The work of `limner morph`."""

from limner.cli.commands.morph import Options
from limner.cli.errors import note
from limner.cli.printing import print_json
from limner.cli.work.dry_run import show
from limner.files.image import check_header
from limner.files.space import check_folder
from limner.media.outputs import refuse_existing
from limner.verbs.morph import check_animation, morph


def run(options: Options) -> None:
    """Write what lies between two photos, and say where.

    Raises:
        LimnerError: If a photo cannot be read, or the output is there already.
    """
    usual = options.first.with_name(f"{options.first.stem}_to_{options.second.stem}.gif")
    target = options.output or usual
    if not options.force:
        refuse_existing(target)
    check_animation(target)
    check_folder(target.parent, mend="name another place with --output")
    for photo in (options.first, options.second):
        check_header(photo)
    if options.dry_run:
        show([(f"{options.first} and {options.second}", target)], as_json=options.as_json)
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    made = morph(
        options.first, options.second, frames=options.frames, size=options.size, rate=options.rate, output=target,
        overwrite=options.force, on_note=note,
    )  # fmt: skip
    height, width = made.shape[-2:]
    if options.as_json:
        print_json({"output": str(target), "width": width, "height": height, "frames": len(made)})
    else:
        print(f"{target}  {width}x{height}, {len(made)} pictures")
