"""Painting pictures and videos in a style."""

from limner.tasks.task import Task

STYLIZE = Task("stylize", "stylize")
"""In styles that were learnt in training, or, of systems that optimise, in any."""
STYLIZE_LIKE = Task("stylize like a picture", "stylize", arguments=("photo.jpg", "--style", "painting.jpg"))
"""In the style of any picture, which the network is given."""
STYLIZE_VIDEO = Task("stylize a video", "stylize-video", arguments=("clip.mp4",))
