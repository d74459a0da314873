"""Making pictures from chance: of a class, where the system knows classes."""

from limner.ports import Ported
from limner.tasks.task import Task

GENERATE = Task("generate", "generate", arguments=("--count", "16"), protocol=Ported)
