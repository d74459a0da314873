import pytest
import torch

from limner.losses.total_variation import total_variation


@pytest.mark.parametrize("beta", [1.0, 1.5, 2.0])
def test_it_is_the_sum_over_neighbours(beta):
    image = torch.rand(2, 3, 4, 5, dtype=torch.float64)
    terms = [
        ((image[n, c, y, x + 1] - image[n, c, y, x]) ** 2 + (image[n, c, y + 1, x] - image[n, c, y, x]) ** 2)
        ** (beta / 2)
        for n in range(2)
        for c in range(3)
        for y in range(3)
        for x in range(4)
    ]
    assert total_variation(image, beta).item() == pytest.approx(
        sum(term.item() for term in terms) / len(terms), rel=1e-5
    )


@pytest.mark.parametrize("beta", [1.0, 2.0])
def test_a_picture_that_wraps_has_a_neighbour_everywhere(beta):
    image = torch.rand(2, 3, 4, 5, dtype=torch.float64)
    terms = [
        (
            (image[n, c, y, (x + 1) % 5] - image[n, c, y, x]) ** 2
            + (image[n, c, (y + 1) % 4, x] - image[n, c, y, x]) ** 2
        )
        ** (beta / 2)
        for n in range(2)
        for c in range(3)
        for y in range(4)
        for x in range(5)
    ]
    found = total_variation(image, beta, wrap=True).item()
    assert found == pytest.approx(sum(term.item() for term in terms) / len(terms), rel=1e-5)
    assert found == pytest.approx(total_variation(image.roll((1, 2), (2, 3)), beta, wrap=True).item())


@pytest.mark.parametrize("beta", [1.0, 2.0])
def test_gradients_also_where_the_picture_is_flat(beta):
    image = torch.rand(1, 2, 4, 4, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda x: total_variation(x, beta), image)
    flat = torch.ones(1, 1, 3, 3, requires_grad=True)
    total_variation(flat, beta).backward()
    assert flat.grad is not None and bool(flat.grad.isfinite().all())


def test_one_edge_costs_the_same_sharp_or_smooth_with_beta_1_alone():
    step, ramp = torch.zeros(1, 1, 5, 9), torch.linspace(0, 1, 9).expand(1, 1, 5, 9)
    step[..., 4:] = 1
    assert total_variation(step, 1.0).item() == pytest.approx(total_variation(ramp, 1.0).item(), rel=1e-3)
    assert total_variation(step, 2.0).item() == pytest.approx(8 * total_variation(ramp, 2.0).item(), rel=1e-3)
