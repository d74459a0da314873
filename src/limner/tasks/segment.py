"""Telling what each pixel of a picture belongs to."""

from limner.ports import Ported
from limner.tasks.task import Task

SEGMENT = Task("segment", "segment", protocol=Ported, evaluation="segmentation")
