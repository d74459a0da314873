import pytest
import torch

from limner.errors import LimnerError
from limner.verbs.stylize.named_styles import named_styles
from limner.verbs.stylize.style import Style, open_style


def test_a_style_is_as_large_as_the_result_times_its_scale():
    opened = open_style(Style(torch.rand(3, 30, 60), 2.0, scale=0.5))
    found = opened.reference(torch.rand(1, 3, 20, 40), 80)
    assert (tuple(found.image.shape), found.weight, found.mask) == ((1, 3, 20, 40), 2.0, None)


def test_a_mask_goes_with_the_content():
    mask = torch.zeros(3, 20, 40)
    mask[..., :10] = 1
    opened = open_style(Style(torch.rand(3, 8, 8), mask=mask))
    assert torch.equal(opened.region(torch.rand(1, 3, 20, 40), None), mask[None, :1])
    assert opened.region(torch.rand(1, 3, 20, 40), 20).shape == (1, 1, 10, 20)
    with pytest.raises(LimnerError, match="the mask: a mask must be as large as the content, 20x40, got 40x20"):
        opened.region(torch.rand(1, 3, 40, 20), None)


def test_no_more_of_a_style_is_kept_than_is_seen():
    assert open_style(Style(torch.rand(3, 30, 60), scale=0.5), 40).image.shape == (1, 3, 10, 20)
    assert open_style(Style(torch.rand(3, 30, 60)), 80).image.shape == (1, 3, 30, 60)


def test_a_name_is_its_picture():
    name, path = next(iter(named_styles().items()))
    assert torch.equal(open_style(Style(name)).image, open_style(Style(path)).image)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"weight": 0.0}, "the weight of a style must be above 0 and finite, got 0"),
        ({"weight": float("nan")}, "the weight of a style must be above 0 and finite, got nan"),
        ({"scale": 0.0}, "the scale of a style must be above 0, got 0"),
        ({"scale": float("inf")}, "the scale of a style must be above 0, got inf"),
        ({"mask": torch.zeros(3, 8, 8)}, "a mask must be white where its style is wanted, got one without white"),
    ],
)
def test_what_cannot_be_is_refused(options, message):
    with pytest.raises(LimnerError, match=message):
        open_style(Style(torch.rand(3, 8, 8), **options))
