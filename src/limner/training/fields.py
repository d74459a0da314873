"""Assignments to the fields of a plan, as `--set` takes them."""

from limner.catalog.entry import Preset
from limner.config import field_names
from limner.errors import LimnerError, did_you_mean
from limner.loops.fit import FitConfig


def check_field(text: str, preset: Preset) -> None:
    """Refuse an assignment to what is no field of the system, and name where one of that name is.

    Raises:
        LimnerError: If it is none.
    """
    field = text.partition("=")[0].strip()
    if field.partition(".")[0] in type(preset.config).model_fields or "=" not in text:
        return
    known = [*field_names(preset.config), *(f"fit.{one}" for one in field_names(preset.fit))]
    known += [f"data.{one}" for one in field_names(preset.data)]
    same = [one for one in known if one.rpartition(".")[2] == field]
    mend = f"did you mean {' or '.join(same)}?" if same else did_you_mean(field, known)
    names, kind = ", ".join(type(preset.config).model_fields), type(preset.config).__name__
    raise LimnerError(
        f"{kind} has no field {field!r}; it has {names}, and training and data have theirs as fit.FIELD and "
        f"data.FIELD: {mend}"
    )


def length_and_rate(config: FitConfig, learning_rate: float | None, batch_size: int | None) -> list[str]:
    """Assignments to a way to train: a learning rate for every player, and a size of batches."""
    changes = [f"batch_size={batch_size}"] * (batch_size is not None)
    if learning_rate is not None:
        places = ["optimizer", *(f"players.{name}" for name in config.players)]
        changes += [f"{place}.learning_rate={learning_rate}" for place in places]
    return changes
