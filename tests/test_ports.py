import pytest
import torch

from limner.ports import PHOTO, Port


@pytest.mark.parametrize(
    ("port", "shape", "dtype"),
    [
        (PHOTO, (2, 3, 8, 12), torch.float32),
        (Port("large", "photo", scale=2), (2, 3, 16, 24), torch.float32),
        (Port("coarse", "noise", 5, scale=1 / 4), (2, 5, 2, 3), torch.float32),
        (Port("labels", "label_map", 11), (2, 1, 8, 12), torch.int64),
        (Port("logits", "logits", 11), (2, 11, 8, 12), torch.float32),
        (Port("digit", "class", 10), (2,), torch.int64),
        (Port("z", "latent", 100), (2, 100), torch.float32),
        (Port("view", "angle", 4), (2, 4), torch.float32),
    ],
)
def test_a_port_says_shape_and_type(port: Port, shape: tuple[int, ...], dtype: torch.dtype) -> None:
    assert port.shape(2, 8, 12) == shape
    assert port.dtype == dtype
    assert port.spatial == (len(shape) == 4)
