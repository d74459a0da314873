"""Where pictures begin: with noise of the seed, at any size, whatever the global random state is."""

import pytest
import torch

from limner.layers.hourglass import HourglassConfig
from limner.loops.pictures import NetworkPrior, Pixels
from limner.loops.priors import begin
from limner.loops.spectrum import Spectrum

SMALL = HourglassConfig(
    in_channels=4,
    down_channels=(4, 4),
    up_channels=(4, 4),
    skip_channels=(2, 2),
    down_kernels=(3, 3),
    up_kernels=(3, 3),
)


@pytest.mark.parametrize(("prior", "kind"), [("fourier", Spectrum), ("tv", Pixels), ("dip", NetworkPrior)])
def test_the_beginning_is_of_the_seed_alone(prior, kind):
    torch.manual_seed(7)
    first, before = begin(prior, (18, 25), SMALL, seed=1), torch.random.get_rng_state()
    torch.manual_seed(8)
    again, other = (begin(prior, (18, 25), SMALL, seed=seed) for seed in (1, 2))
    assert isinstance(first, kind)
    image = first()
    assert image.shape == (1, 3, 18, 25)
    assert 0 <= image.min() <= image.max() <= 1
    assert torch.equal(image, again())
    assert not torch.equal(image, other())
    torch.manual_seed(7)
    assert torch.equal(before, torch.random.get_rng_state()), "the global random numbers are as they were"


def test_the_network_fits_a_size_that_is_too_small_for_all_its_scales():
    deep = HourglassConfig()
    picture = begin("dip", (20, 24), deep, seed=0)
    assert deep.least_side > 20
    assert picture().shape == (1, 3, 20, 24)


def test_noise_is_added_to_what_the_network_is_given():
    picture = begin("dip", (16, 16), SMALL, seed=0, noise=0.1)
    assert not torch.equal(picture(), picture())
    with torch.no_grad():
        assert torch.equal(picture(), picture())
