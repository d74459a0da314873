"""`segment`: what each pixel of a picture belongs to."""
