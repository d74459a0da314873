import pytest
import torch

from limner.ops.wrap import imresize_wrapped, wrapped


def test_margins_may_be_larger_than_the_picture():
    image = torch.arange(6.0).reshape(1, 2, 3)
    around = wrapped(image, 3, 4)
    assert around.shape == (1, 8, 11)
    for row in range(8):
        for column in range(11):
            assert around[0, row, column] == image[0, (row - 3) % 2, (column - 4) % 3]


def test_the_gradient_adds_up_over_the_copies():
    image = torch.rand(1, 4, 5, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda x: wrapped(x, 3, 6).square(), image)


@pytest.mark.parametrize(("size", "moved"), [((14, 12), (7, 4)), ((12, 27), (6, 9)), ((2, 3), (1, 1))])
def test_a_resized_picture_has_no_border(size, moved):
    image = torch.rand(1, 3, 6, 9, dtype=torch.float64)
    result = imresize_wrapped(image, size)
    assert result.shape[-2:] == size
    torch.testing.assert_close(imresize_wrapped(image.roll((3, 3), (2, 3)), size), result.roll(moved, (2, 3)))
