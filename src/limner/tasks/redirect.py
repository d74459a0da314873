"""Letting eyes look elsewhere."""

from limner.ports import Ported
from limner.tasks.task import Task

REDIRECT = Task(
    "redirect", "redirect", arguments=("photo.jpg", "--angle", "15,0"), protocol=Ported, evaluation="geometry"
)
"""The systems that turn the gaze of an eye."""
