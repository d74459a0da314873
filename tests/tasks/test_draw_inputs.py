import torch

from limner.ports import Port
from limner.tasks.draw_inputs import with_drawn

PORTS = (
    Port("noise", "noise", 2, scale=0.5, uniform=True),
    Port("photo", "photo"),
    Port("latent", "latent", 1000),
    Port("label", "class", 10),
)


def test_latents_and_noise_are_drawn_between_what_is_given() -> None:
    photo, label = torch.zeros(2, 3, 200, 100), torch.tensor([1, 2])
    noise, same, latent, still = with_drawn(PORTS, [photo, label], number=2)
    assert same is photo
    assert still is label
    assert (noise.shape, latent.shape) == ((2, 2, 100, 50), (2, 1000))
    assert 0 <= noise.min() < 0.01
    assert 0.99 < noise.max() < 1
    assert abs(latent.mean()) < 0.1
    assert abs(latent.std() - 1) < 0.1


def test_a_seed_decides() -> None:
    one, same, other = (
        with_drawn(PORTS[2:3], [], number=2, rng=torch.Generator().manual_seed(seed))[0] for seed in (0, 0, 1)
    )
    assert torch.equal(one, same)
    assert not torch.equal(one, other)
