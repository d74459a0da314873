"""The plain way trains the same: its network paints the same, and its losses are Limner's."""

import torch
from benchmarks.runtime.architectures import JohnsonNet
from benchmarks.style.plain_style import COMMON, PlainTraining, PlainVGG, copy_weights, plain_gram, plain_loss, relative

from limner.data.stylization import Stylization, squares_of
from limner.systems.feedforward.fast_style import JOHNSON_IN, FastStyle
from limner.types import Progress

EXACT = JOHNSON_IN.model_copy(update=COMMON | {"channels": (4, 6, 8), "features": "exact", "noise": 0.0})


def test_the_network_paints_the_same():
    system, network = FastStyle(EXACT), JohnsonNet(EXACT.channels)
    copy_weights(system, network)
    photo = torch.rand(2, 3, 32, 48)
    with torch.no_grad():
        torch.testing.assert_close(network(photo) + 0.5, system(photo), atol=1e-5, rtol=0)


def test_the_losses_are_the_same():
    system, vgg = FastStyle(EXACT), PlainVGG()
    photos, crops = torch.rand(2, 3, 32, 32), squares_of(torch.rand(3, 40, 48), 32)
    with torch.no_grad():
        turn = next(
            system.turns(
                Stylization(photos, torch.zeros(2, dtype=torch.long), crops.expand(2, -1, -1, -1, -1)), Progress()
            )
        )
        grams = {name: plain_gram(x).mean(0, keepdim=True) for name, x in vgg(crops).items()}
        painted = system(photos)
        loss = plain_loss(painted, vgg(painted), vgg(photos), grams, EXACT)
    torch.testing.assert_close(loss, turn.total, rtol=1e-4, atol=0)


def test_a_blank_picture_has_a_relative_distance_of_one():
    wanted = torch.rand(2, 3, 4)
    assert relative(torch.zeros(2, 3, 4), wanted) == 1
    assert relative(wanted, wanted) == 0


def test_steps_lower_the_loss():
    training = PlainTraining(FastStyle(EXACT), torch.rand(2, 3, 32, 32), 1e-3, torch.device("cpu"))
    batch = Stylization(torch.rand(2, 3, 32, 32), torch.zeros(2, dtype=torch.long), torch.zeros(2, 2, 3, 32, 32))
    losses = [training.step(batch) for _ in range(8)]
    assert losses[-1] < 0.9 * losses[0]
