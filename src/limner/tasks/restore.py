"""Mending one photo by a network that is fitted to it alone."""

from limner.tasks.task import Task

DENOISE = Task("denoise", "restore denoise")
INPAINT = Task("inpaint", "restore inpaint", arguments=("photo.jpg", "--mask", "mask.png"))
ENLARGE_BY_PRIOR = Task("enlarge by prior", "restore upscale")
