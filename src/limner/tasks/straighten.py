"""Laying straight what is turned, moved or seen aslant, and telling its class."""

from limner.ports import Ported
from limner.tasks.task import Task

STRAIGHTEN = Task("straighten", "straighten", arguments=("digit.png",), protocol=Ported, evaluation="geometry")
"""The systems that find how a picture lies."""
