import torch

from limner.layers.image_pool import ImagePool


def numbered(*numbers: int) -> torch.Tensor:
    return torch.tensor(numbers, dtype=torch.float32)[:, None, None, None].expand(-1, 3, 2, 2)


def numbers(images: torch.Tensor) -> list[int]:
    return [int(one) for one in images[:, 0, 0, 0]]


def test_until_it_is_full_what_comes_is_kept_and_given_back():
    pool = ImagePool(3)
    assert numbers(pool(numbered(1, 2))) == [1, 2]
    assert numbers(pool(numbered(3))) == [3]
    assert numbers(torch.stack(pool.images)) == [1, 2, 3]


def test_then_half_of_what_is_given_back_is_older_and_makes_room():
    pool, given = ImagePool(50), []
    for number in range(2050):
        given += numbers(pool(numbered(number)))
    assert given[:50] == list(range(50))
    later = given[50:]
    older = [one < number for number, one in enumerate(later, start=50)]
    assert 0.46 < sum(older) / len(older) < 0.54
    assert len(set(later)) == len(later), "what was given back is no longer there"
    assert len(pool.images) == 50
    assert not set(numbers(torch.stack(pool.images))) & set(later)


def test_a_pool_of_nothing_gives_back_what_comes():
    assert numbers(ImagePool(0)(numbered(4, 5))) == [4, 5]


def test_no_gradient_goes_through_it():
    fresh = torch.ones(2, 3, 4, 4, requires_grad=True)
    pool = ImagePool(1)
    assert not pool(fresh).requires_grad
    assert pool.images[0].data_ptr() != fresh.data_ptr()


def test_it_is_saved_with_the_weights():
    pool, again = ImagePool(4), ImagePool(4)
    assert ImagePool(4).state_dict()["_extra_state"].numel() == 0
    pool(numbered(1, 2, 3))
    again.load_state_dict(pool.state_dict())
    assert numbers(torch.stack(again.images)) == [1, 2, 3]
    again.load_state_dict(ImagePool(4).state_dict())
    assert again.images == []
