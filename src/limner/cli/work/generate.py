"""The work of `limner generate`."""

from limner.cli.commands.generate import Options
from limner.cli.printing import print_json
from limner.cli.work.dry_run import show
from limner.cli.work.one_picture import place_of_one, write_one
from limner.media.names import Naming, model_name
from limner.verbs.generate import generate, sheet_of


def run(options: Options) -> None:
    """Make the pictures and write the sheet.

    Raises:
        LimnerError: If the output is there already, or the model does not fit.
    """
    name = model_name(options.model)
    naming = Naming(options.name or "{model}_generated", model=name, seed=options.seed)
    target = place_of_one(naming.name(name), options, output=options.output)
    if options.dry_run:
        show([(f"{options.count} pictures of {options.model}", target)], as_json=options.as_json)
        return
    made = generate(
        options.model, options.classes or None, count=options.count, seed=options.seed, device=options.device
    )
    sheet = sheet_of(made)
    write_one(target, sheet, options)
    if options.as_json:
        facts = {"output": str(target), "width": sheet.width, "height": sheet.height}
        print_json(facts | {"count": options.count, "model": options.model, "seed": options.seed})
    else:
        print(f"{target}  {sheet.width}x{sheet.height}, {options.count} pictures")
