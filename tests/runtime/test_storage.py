import pytest
import torch

from limner.runtime.operators import Region, Span
from limner.runtime.storage import DiskStore, MemoryStore


@pytest.mark.parametrize("kind", [MemoryStore, DiskStore])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float64])
def test_what_is_written_in_strips_is_read_in_any_part(kind, dtype):
    whole = torch.rand(2, 3, 10, 7).to(dtype)
    store = kind(tuple(whole.shape), dtype)
    for start, stop in ((0, 4), (4, 5), (5, 10)):
        store.write(
            Region(Span(start, stop), Span(0, 7)), whole[:, :, start:stop].contiguous(memory_format=torch.channels_last)
        )
    assert torch.equal(store.read(Region(Span(3, 8), Span(2, 6))), whole[:, :, 3:8, 2:6])
    assert torch.equal(store.read(Region(Span(0, 10), Span(0, 7))), whole)
