import torch

from limner.ops.framing import middle_square, with_longer_side


def test_the_longer_side_has_the_size_that_is_asked_for():
    image = torch.rand(1, 3, 24, 40)
    assert with_longer_side(image, 20).shape == (1, 3, 12, 20)
    assert with_longer_side(image, 80).shape == (1, 3, 48, 80)
    assert with_longer_side(torch.rand(1, 1, 400, 1), 20).shape == (1, 1, 20, 1)


def test_what_need_not_change_is_the_same_picture():
    image = torch.rand(1, 3, 24, 40)
    assert with_longer_side(image, 40) is image
    assert with_longer_side(image, None) is image
    assert with_longer_side(image, 80, enlarge=False) is image
    assert with_longer_side(image, 20, enlarge=False).shape == (1, 3, 12, 20)


def test_where_the_middle_lies_between_two_places_the_square_is_the_first():
    image = torch.rand(1, 3, 4, 9)
    assert torch.equal(middle_square(image, 4), image[..., 2:6])
    assert torch.equal(middle_square(image.mT, 4), image.mT[..., 2:6, :])
    assert torch.equal(middle_square(image[..., :5], 4), image[..., :4])


def test_a_square_comes_from_the_middle():
    image = torch.zeros(1, 1, 4, 10)
    image[..., 3:7] = 0.5
    assert torch.allclose(middle_square(image, 4), torch.full((1, 1, 4, 4), 0.5))
    assert middle_square(image, 4).transpose(2, 3).equal(middle_square(image.transpose(2, 3), 4))
