import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from torch import Tensor

from limner.errors import LimnerError
from limner.ops.resample import Axis, cubic_kernel, imresize, resize_part, scaled_size


def slow_cubic(x: float) -> float:
    a, x = -0.5, abs(x)
    if x <= 1:
        return (a + 2) * x**3 - (a + 3) * x**2 + 1
    return a * x**3 - 5 * a * x**2 + 8 * a * x - 4 * a if x < 2 else 0.0


def slow_lanczos(x: float, lobes: int) -> float:
    if x == 0:
        return 1.0
    if abs(x) >= lobes:
        return 0.0
    return lobes * math.sin(math.pi * x) * math.sin(math.pi * x / lobes) / (math.pi * x) ** 2


def slow_box(x: float) -> float:
    return 1.0 if -0.5 <= x < 0.5 else 0.0


SLOW_KERNELS: dict[str, tuple[Callable[[float], float], float]] = {
    "nearest": (slow_box, 1),
    "area": (slow_box, 1),
    "bilinear": (lambda x: max(0.0, 1 - abs(x)), 2),
    "bicubic": (slow_cubic, 4),
    "lanczos2": (lambda x: slow_lanczos(x, 2), 4),
    "lanczos3": (lambda x: slow_lanczos(x, 3), 6),
}


def slow_outside(position: int, length: int, border: str) -> int:
    """The 1-based position inside 1..length, walking step by step."""
    if border == "replicate":
        return min(max(position, 1), length)
    while not 1 <= position <= length:
        position = 1 - position if position < 1 else 2 * length + 1 - position
    return position


def slow_line(line: list[float], length: int, scale: float, kernel: str, antialias: bool, border: str) -> list[float]:
    """One line by MATLAB's documented algorithm, in its own 1-based positions."""
    function, width = SLOW_KERNELS[kernel]
    widen = 1 / scale if antialias and scale < 1 and kernel != "nearest" else 1.0
    result = []
    for x in range(1, length + 1):
        u = x / scale + 0.5 * (1 - 1 / scale)
        first = math.floor(u - width * widen / 2) - 1
        last = math.ceil(u + width * widen / 2) + 1
        weights = {p: function((u - p) / widen) for p in range(first, last + 1)}
        total = sum(weights.values())
        result.append(sum(w / total * line[slow_outside(p, len(line), border) - 1] for p, w in weights.items()))
    return result


def slow_imresize(
    image: Tensor,
    size: tuple[int, int],
    scales: tuple[float, float],
    kernel: str = "bicubic",
    antialias: bool = True,
    border: str = "symmetric",
    round_passes: bool = False,
) -> Tensor:
    lines: list[list[float]] = image.tolist()
    for axis in sorted((0, 1), key=lambda axis: scales[axis]):  # sorted is stable: equal scales go rows first
        if axis == 0:
            lines = [list(column) for column in zip(*lines, strict=True)]
        lines = [slow_line(line, size[axis], scales[axis], kernel, antialias, border) for line in lines]
        if round_passes:
            lines = [[float(min(max(math.floor(v + 0.5), 0), 255)) for v in line] for line in lines]
        if axis == 0:
            lines = [list(column) for column in zip(*lines, strict=True)]
    return torch.tensor(lines, dtype=torch.float64)


def slow_by_scale(image: Tensor, scale: float, **options: object) -> Tensor:
    size = (math.ceil(scale * image.shape[0]), math.ceil(scale * image.shape[1]))
    return slow_imresize(image, size, (scale, scale), **options)  # type: ignore[arg-type]


def assert_exact(result: Tensor, expected: Tensor) -> None:
    torch.testing.assert_close(result, expected, rtol=0, atol=1e-12)


@given(
    height=st.integers(1, 9),
    width=st.integers(1, 40),
    scale=st.floats(0.2, 5),
    kernel=st.sampled_from(["bilinear", "bicubic", "lanczos2", "lanczos3"]),
    antialias=st.booleans(),
    border=st.sampled_from(["symmetric", "replicate"]),
    seed=st.integers(0, 2**32 - 1),
)
def test_any_size_scale_kernel_and_border_is_the_documented_formula(
    height: int, width: int, scale: float, kernel: str, antialias: bool, border: str, seed: int
) -> None:
    image = torch.rand(height, width, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    result = imresize(image, scale, kernel=kernel, antialias=antialias, border=border)
    assert_exact(result, slow_by_scale(image, scale, kernel=kernel, antialias=antialias, border=border))


@pytest.mark.parametrize("kernel", ["nearest", "area"])
@pytest.mark.parametrize("scale", [0.25, 0.4, 0.5, 0.75, 1.25, 1.5, 2, 3])
def test_box_kernels_are_the_documented_formula(kernel: str, scale: float) -> None:
    image = torch.rand(12, 20, dtype=torch.float64)
    assert_exact(imresize(image, scale, kernel=kernel), slow_by_scale(image, scale, kernel=kernel))


@pytest.mark.parametrize("shape", [(1, 1), (2, 3), (3, 1)])
@pytest.mark.parametrize("scale", [0.21, 1 / 3, 1, 2, 5])
@pytest.mark.parametrize("border", ["symmetric", "replicate"])
def test_pictures_smaller_than_the_kernel_are_mirrored_more_than_once(
    shape: tuple[int, int], scale: float, border: str
) -> None:
    image = torch.rand(shape, dtype=torch.float64)
    result = imresize(image, scale, kernel="lanczos3", border=border)
    assert_exact(result, slow_by_scale(image, scale, kernel="lanczos3", border=border))


@pytest.mark.parametrize("size", [(5, 31), (30, 4), (7, 7), (1, 1), (40, 3)])
def test_size_sets_the_scale_of_each_axis(size: tuple[int, int]) -> None:
    image = torch.rand(10, 15, dtype=torch.float64)
    assert_exact(imresize(image, size=size), slow_imresize(image, size, (size[0] / 10, size[1] / 15)))


def test_bicubic_doubling_by_hand() -> None:
    step = torch.tensor([[0.0, 0.0, 0.0, 1.0, 1.0, 1.0]], dtype=torch.float64)
    # Keys' kernel at distances 0.25, 0.75, 1.25, 1.75 is 111/128, 29/128, -9/128, -3/128
    expected = torch.tensor([[0, 0, 0, -3, -9, 29 - 3, 111 - 9, 128 + 9, 128 + 3, 128, 128, 128]]) / 128
    assert_exact(imresize(step, size=(1, 12)), expected.double())


def test_cubic_kernel_is_keys() -> None:
    x = torch.linspace(-2.5, 2.5, 101, dtype=torch.float64)
    assert_exact(cubic_kernel(x), torch.tensor([slow_cubic(v) for v in x.tolist()], dtype=torch.float64))


@given(scale=st.floats(0.2, 5), kernel=st.sampled_from(sorted(SLOW_KERNELS)), size=st.integers(1, 50))
def test_weights_sum_to_one(scale: float, kernel: str, size: int) -> None:
    result = imresize(torch.full((size, 3), 0.7, dtype=torch.float64), scale, kernel=kernel)
    assert_exact(result, torch.full_like(result, 0.7))


@pytest.mark.parametrize("kernel", sorted(SLOW_KERNELS))
def test_scale_one_changes_nothing(kernel: str) -> None:
    image = torch.rand(2, 3, 37, 50)
    result = imresize(image, 1, kernel=kernel)
    # sinc is not quite 0 at whole numbers in floating point
    tolerance = 1e-7 if kernel.startswith("lanczos") else 0
    torch.testing.assert_close(result, image, rtol=0, atol=tolerance)
    assert result.data_ptr() != image.data_ptr()


@pytest.mark.parametrize("factor", [2, 3, 4, 5, 7])
def test_area_at_whole_factors_is_the_mean_of_blocks(factor: int) -> None:
    image = torch.rand(4 * factor, 3 * factor, dtype=torch.float64)
    blocks = image.reshape(4, factor, 3, factor).mean(dim=(1, 3))
    assert_exact(imresize(image, 1 / factor, kernel="area"), blocks)


@pytest.mark.parametrize("factor", [2, 3, 5])
def test_nearest_repeats_pixels(factor: int) -> None:
    image = torch.rand(20, 7)
    repeated = image.repeat_interleave(factor, 0).repeat_interleave(factor, 1)
    assert torch.equal(imresize(image, factor, kernel="nearest"), repeated)


@pytest.mark.parametrize("scale", [0.4, 1.5])
@pytest.mark.parametrize("kernel", ["bicubic", "lanczos3", "area"])
def test_gradients(scale: float, kernel: str) -> None:
    image = torch.rand(2, 5, 19, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda x: imresize(x, scale, kernel=kernel), image)


def test_leading_dimensions_are_independent_pictures() -> None:
    images = torch.rand(2, 3, 17, 23, dtype=torch.float64)
    result = imresize(images, 1.7)
    for i in range(2):
        for j in range(3):
            assert_exact(result[i, j], imresize(images[i, j], 1.7))


def test_strided_views_are_taken_as_they_look() -> None:
    image = torch.rand(2, 30, 40, dtype=torch.float64)
    assert_exact(imresize(image.mT[:, ::2], 1.5), imresize(image.mT[:, ::2].contiguous(), 1.5))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16])
def test_dtype_is_kept_and_as_exact_as_it_can_be(dtype: torch.dtype) -> None:
    image = torch.rand(1, 33, 47).to(dtype)
    result = imresize(image, 2)
    assert result.dtype == dtype
    error = (result.double() - imresize(image.double(), 2)).abs().max()
    assert error < 8 * torch.finfo(dtype).eps


UINT8_PICTURE = torch.tensor(
    [
        [0, 255, 3, 250, 128, 127, 9, 255],
        [255, 0, 251, 4, 200, 55, 90, 0],
        [12, 200, 255, 255, 0, 0, 31, 77],
        [254, 1, 0, 128, 129, 255, 255, 255],
        [0, 0, 255, 0, 255, 0, 100, 101],
        [7, 77, 177, 17, 71, 117, 171, 255],
        [255, 255, 255, 0, 0, 0, 255, 255],
        [1, 2, 4, 8, 16, 32, 64, 128],
    ],
    dtype=torch.float64,
)


@pytest.mark.parametrize("scale", [1 / 2, 1 / 4, 2])
@pytest.mark.parametrize("border", ["symmetric", "replicate"])
def test_rounded_passes_are_the_documented_formula_bit_for_bit(scale: float, border: str) -> None:
    expected = slow_by_scale(UINT8_PICTURE, scale, border=border, round_passes=True)
    assert torch.equal(imresize(UINT8_PICTURE, scale, border=border, round_passes=True), expected)


def test_the_order_of_rounded_passes_is_smaller_scale_first_then_rows() -> None:
    for size in [(4, 6), (6, 4), (4, 4)]:
        scales = (size[0] / 8, size[1] / 8)
        expected = slow_imresize(UINT8_PICTURE, size, scales, round_passes=True)
        assert torch.equal(imresize(UINT8_PICTURE, size=size, round_passes=True), expected)
    columns_first = imresize(UINT8_PICTURE.mT, 0.5, round_passes=True).mT
    assert not torch.equal(columns_first, imresize(UINT8_PICTURE, 0.5, round_passes=True))


def test_published_low_resolution_by_value() -> None:
    """Worked out by the slow formula above; mirrored borders or one rounding at the end give others."""
    published = imresize(UINT8_PICTURE, 0.5, border="replicate", round_passes=True)
    assert published.int().tolist() == PUBLISHED_HALF
    assert not torch.equal(published, imresize(UINT8_PICTURE, 0.5, border="symmetric", round_passes=True))
    once = (imresize(UINT8_PICTURE, 0.5, border="replicate") + 0.5).floor().clamp(0, 255)
    assert not torch.equal(published, once)


PUBLISHED_HALF = [[125, 150, 105, 81], [112, 143, 110, 131], [73, 110, 103, 178], [120, 62, 17, 168]]


@pytest.mark.slow
@pytest.mark.parametrize("scale", [2, 3, 4])
@pytest.mark.parametrize("name", ["Set5", "Set14"])
def test_published_pictures_bit_for_bit(shared_data: Callable[[str], Path], name: str, scale: int) -> None:
    folder = shared_data(f"sr_test/{name}")
    paths = sorted((folder / "HR").iterdir())
    assert len(paths) == {"Set5": 5, "Set14": 14}[name]
    for path in paths:
        high = read(path)
        height, width = (side - side % scale for side in high.shape[-2:])
        small = imresize(high[:, :height, :width], 1 / scale, border="replicate", round_passes=True)
        assert torch.equal(small, read(folder / f"LR_bicubic_x{scale}" / f"{path.stem}.png")), path.stem


def read(path: Path) -> Tensor:
    with Image.open(path) as image:
        return torch.from_numpy(np.array(image.convert("RGB"))).permute(2, 0, 1).double()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "either scale or size"),
        ({"scale": 2, "size": (4, 4)}, "either scale or size"),
        ({"scale": 0}, "positive"),
        ({"scale": -1.0}, "positive"),
        ({"scale": math.nan}, "positive"),
        ({"scale": math.inf}, "positive"),
        ({"size": (0, 4)}, "at least one pixel"),
    ],
)
def test_refusals(options: dict[str, float], message: str) -> None:
    with pytest.raises(LimnerError, match=message):
        imresize(torch.rand(4, 4), **options)  # type: ignore[arg-type]


def test_an_empty_picture_is_refused() -> None:
    with pytest.raises(LimnerError, match="at least one pixel"):
        imresize(torch.rand(0, 4), 2)


@given(
    st.integers(20, 90),
    st.floats(0.15, 3),
    st.floats(0.15, 3),
    st.integers(0, 20),
    st.integers(1, 20),
    st.integers(0, 9),
)
def test_a_part_is_resized_as_in_the_whole(side, down, across, start, length, seed):
    """Whatever lies beyond what the wanted pixels are made of."""
    picture = torch.rand(3, side, side + 7, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    size = (max(1, round(side * down)), max(1, round((side + 7) * across)))
    whole = imresize(picture, size=size)
    axes, places = [], []
    for before, after in zip(picture.shape[1:], size, strict=True):
        first, last = min(start, after - 1), min(min(start, after - 1) + length, after)
        reach = math.ceil(2 * max(1, before / after)) + 2
        begin = max(0, math.floor(first * before / after) - reach)
        end = min(before, math.ceil(last * before / after) + reach)
        axes.append(Axis(before, begin, after, first, last))
        places.append((slice(begin, end), slice(first, last)))
    part = picture[:, places[0][0], places[1][0]]
    expected = whole[:, places[0][1], places[1][1]]
    torch.testing.assert_close(resize_part(part, *axes), expected, rtol=0, atol=1e-12)


@given(st.integers(1, 10_000), st.integers(11, 160))
def test_a_side_is_multiplied_in_decimal_and_halves_go_up(side, tenths):
    """By whole numbers: side * tenths / 10, rounded."""
    assert scaled_size((side, side), tenths / 10) == ((side * tenths + 5) // 10,) * 2


def test_a_half_that_binary_misses_goes_up():
    assert 1.15 * 10 < 11.5
    assert scaled_size((10, 10), 1.15) == (12, 12)
