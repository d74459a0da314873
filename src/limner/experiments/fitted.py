"""What the experiments do alike where they train: a new network, all of whose chance is one seed's."""

from collections.abc import Callable, Sequence
from typing import TypeVar, cast

import typer
from torch import nn

from limner.data.sampler import Samples
from limner.experiments.command import tell
from limner.loops.checkpoint import seed_everything
from limner.loops.fit import FitConfig, fit
from limner.loops.step_report import Watcher
from limner.loops.watch import Terminal

System = TypeVar("System", bound=nn.Module)


def fitted(
    build: Callable[[], System], samples: Samples, config: FitConfig, *, watchers: Sequence[Watcher] = ()
) -> System:
    """A new network after all steps, in evaluation mode; half a training shows nothing.

    Args:
        build: Makes it, once chance is seeded.
        samples: What it learns from.
        config: How.
        watchers: Beside the one that says how far it is.

    Raises:
        typer.Exit: With 1, if it was stopped.
    """
    seed_everything(config.seed)
    result = fit(build(), samples, config, watchers=[*watchers, Terminal()])
    if not result.finished:
        tell("stopped; nothing is written")
        raise typer.Exit(1)
    return cast(System, result.system)
