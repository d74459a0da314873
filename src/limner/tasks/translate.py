"""Turning a picture of one kind into one of another: labels into photos, maps into aerial views."""

from limner.ports import Ported
from limner.tasks.task import Task

TRANSLATE = Task("translate", "translate", protocol=Ported)
