import pytest
import torch

from limner.losses.gram import gram, gram_loss


def slow_gram(features):
    """Equation 1, one number at a time."""
    n, c, h, w = features.shape
    result = torch.zeros(n, c, c, dtype=features.dtype)
    for one in range(n):
        for i in range(c):
            for j in range(c):
                result[one, i, j] = sum(
                    features[one, i, y, x] * features[one, j, y, x] for y in range(h) for x in range(w)
                )
    return result


def test_gram_is_equation_1():
    features = torch.randn(2, 3, 4, 5, dtype=torch.float64)
    torch.testing.assert_close(gram(features), slow_gram(features))


def test_the_loss_is_equation_3_for_pictures_of_one_size():
    features, source = torch.randn(2, 1, 3, 4, 5, dtype=torch.float64)
    number, places = 3, 4 * 5
    difference = slow_gram(features) - slow_gram(source)
    expected = difference.square().sum() / (4 * number**2 * places**2)
    torch.testing.assert_close(gram_loss(features, gram(source), places), expected)


def test_a_texture_that_is_repeated_has_no_loss():
    tile = torch.randn(1, 3, 4, 5, dtype=torch.float64)
    assert gram_loss(tile.repeat(1, 1, 3, 2), gram(tile), 20).item() == pytest.approx(0, abs=1e-24)
    assert gram_loss(tile.roll((1, 2), (2, 3)), gram(tile), 20).item() == pytest.approx(0, abs=1e-24)


def test_gradients():
    target = gram(torch.randn(1, 3, 3, 4, dtype=torch.float64))
    features = torch.randn(2, 3, 4, 5, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda x: gram_loss(x, target, 12), features)
