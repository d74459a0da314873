import torch

from limner.layers.maxout import Maxout


def test_maxout_takes_the_largest_piece() -> None:
    layer, x = Maxout(3, 2, 4), torch.randn(5, 3)
    values = x @ layer.linear.weight.T + layer.linear.bias
    expected = torch.stack([values[:, :4].max(1).values, values[:, 4:].max(1).values], 1)
    torch.testing.assert_close(layer(x), expected)
