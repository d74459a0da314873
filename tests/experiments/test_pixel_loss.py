"""The best answer in pixels is the mean, which the perceptual loss does not ask for."""

import torch

from limner.experiments.command import opened
from limner.experiments.options import PHOTO
from limner.experiments.pixel_loss import (
    best_answer,
    main,
    perceptual_loss,
    pixel_loss,
    sharpness,
    sheet,
    shifted_copies,
)
from limner.features.vgg16 import VGG


def test_copies_are_the_photo_moved():
    photo = torch.rand(1, 3, 20, 24)
    copies = shifted_copies(photo, 12, 2, seed=0)
    assert copies.shape == (12, 3, 16, 20)
    places = [photo[..., y : y + 16, x : x + 20] for y in range(5) for x in range(5)]
    assert all(any(torch.equal(copy[None], place) for place in places) for copy in copies)
    assert len({copy.sum().item() for copy in copies}) > 4


def test_the_best_answer_in_pixels_is_the_mean_of_the_targets():
    targets = shifted_copies(opened(PHOTO, 40), 8, 3, seed=0)
    answer = best_answer(torch.full_like(targets[:1], 0.5), pixel_loss(targets), 200)
    torch.testing.assert_close(answer, targets.mean(0, keepdim=True), atol=5e-3, rtol=0)
    assert sharpness(answer) < 0.8 * sharpness(targets[:1])


def test_the_perceptual_loss_has_the_gradient_of_the_sum_over_all_targets():
    targets = shifted_copies(opened(PHOTO, 40), 4, 3, seed=0)
    image = torch.rand(1, 3, *targets.shape[-2:]).requires_grad_()
    perceptual_loss(targets, ["relu2_1"])(image)["features"].backward()
    vgg, found = VGG(["relu2_1"]), image.detach().requires_grad_()
    maps, wanted = vgg(found)["relu2_1"], vgg(targets)["relu2_1"]
    ((maps - wanted).square().sum() / 4 / wanted.mean(0).square().sum()).backward()
    difference = (image.grad - found.grad).norm() / found.grad.norm()
    assert difference < 0.05  # of bfloat16


def test_the_sheet_has_the_photo_two_targets_and_two_answers(tmp_path, capsys):
    panels = sheet(opened(PHOTO, 48), copies=3, most=2, steps=2, seed=0)
    assert [panel.label.split(" (")[0] for panel in panels] == [
        "photo",
        "a target",
        "another",
        "least pixel loss",
        "least perceptual loss",
    ]
    main(tmp_path / "sheet.png", size=48, copies=3, most=2, steps=1)
    assert capsys.readouterr().out == f"{tmp_path / 'sheet.png'}\n"
    assert (tmp_path / "sheet.png").is_file()
