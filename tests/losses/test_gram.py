import pytest
import torch

from limner.losses.gram import gram, gram_distance, gram_distances


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
    torch.testing.assert_close(gram_distance(gram(features) / places, gram(source) / places), expected)


def test_a_texture_that_is_repeated_has_no_loss():
    tile = torch.randn(1, 3, 4, 5, dtype=torch.float64)
    larger, moved = tile.repeat(1, 1, 3, 2), tile.roll((1, 2), (2, 3))
    assert gram_distance(gram(larger) / 120, gram(tile) / 20).item() == pytest.approx(0, abs=1e-24)
    assert gram_distance(gram(moved) / 20, gram(tile) / 20).item() == pytest.approx(0, abs=1e-24)


def test_gradients():
    target = gram(torch.randn(1, 3, 3, 4, dtype=torch.float64))
    features = torch.randn(2, 3, 4, 5, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda x: gram_distance(gram(x) / 20, target / 12), features)


def test_gradients_of_gram_itself():
    features = torch.randn(2, 3, 4, 5, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(gram, features)
    channels_last = features.detach().contiguous(memory_format=torch.channels_last)
    assert torch.autograd.gradcheck(gram, channels_last.requires_grad_())


def test_half_precision_is_summed_in_single():
    features = torch.rand(1, 4, 64, 64).bfloat16().contiguous(memory_format=torch.channels_last)
    assert gram(features).dtype == torch.float32
    torch.testing.assert_close(gram(features), gram(features.float()))


def test_a_relative_distance_is_1_for_a_blank_picture():
    target = gram(torch.randn(1, 3, 3, 4, dtype=torch.float64))
    assert gram_distance(torch.zeros(2, 3, 3, dtype=torch.float64), target, relative=True).item() == pytest.approx(1)
    plain = gram_distance(2 * target, target), gram_distance(0 * target, target)
    assert gram_distance(3 * target, target, relative=True).item() == pytest.approx(4 * (plain[0] / plain[1]).item())


def test_distances_are_those_of_the_matrices():
    features, sources = torch.randn(4, 3, 4, 5, dtype=torch.float64), torch.randn(2, 3, 6, 2, dtype=torch.float64)
    targets = slow_gram(sources) / sources[0].numel()
    expected = [
        (slow_gram(features[number : number + 1])[0] / 60 - targets[number // 2]).square().sum().item()
        for number in range(4)
    ]
    assert gram_distances(features, targets).tolist() == pytest.approx(expected)


def test_gradients_of_distances():
    targets = gram(torch.randn(2, 3, 3, 4, dtype=torch.float64))
    features = torch.randn(4, 3, 4, 5, dtype=torch.float64, requires_grad=True)
    weights = torch.tensor([1.0, -2, 0.5, 3], dtype=torch.float64)
    assert torch.autograd.gradcheck(lambda x: (weights * gram_distances(x, targets)).sum(), features)


def test_distances_of_half_precision_are_summed_in_single():
    features = torch.rand(2, 4, 64, 64).bfloat16().contiguous(memory_format=torch.channels_last).requires_grad_()
    target = gram(torch.rand(1, 4, 8, 8)) / 256
    found = gram_distances(features, target)
    wide = features.detach().float().requires_grad_()
    expected = gram_distances(wide, target)
    torch.testing.assert_close(found, expected)
    found.sum().backward()
    expected.sum().backward()
    torch.testing.assert_close(features.grad.float(), wide.grad, rtol=0.02, atol=1e-3 * wide.grad.abs().max().item())
