"""Systems that tell what each pixel belongs to."""
