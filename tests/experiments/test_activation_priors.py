"""The sheet has a row for each prior, with all units in it."""

from limner.experiments.activation_priors import sheet


def test_each_row_is_of_one_prior():
    panels = sheet(["relu1_1:3", "class:daisy"], size=32, steps=1)
    assert [panel.label for panel in panels] == [
        "relu1_1:3, total variation",
        "daisy, total variation",
        "relu1_1:3, Fourier",
        "daisy, Fourier",
        "relu1_1:3, deep image prior",
        "daisy, deep image prior",
    ]
    assert all(panel.image.shape == (1, 3, 32, 32) for panel in panels)
