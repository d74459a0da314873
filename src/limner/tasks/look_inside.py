"""Seeing what a network sees: what a layer keeps of a photo, what a unit looks for."""

from limner.tasks.task import Task

INVERT = Task("invert", "invert")
IMAGINE = Task("imagine", "imagine", arguments=("class:goldfish",))
