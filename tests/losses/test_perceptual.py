import pytest
import torch

from limner.losses.perceptual import (
    feature_loss,
    gram_targets,
    in_windows,
    mean_gram_targets,
    style_loss,
    style_loss_in_windows,
)


def layers(seed, dtype=torch.float64):
    rng = torch.Generator().manual_seed(seed)
    return {
        "one": torch.randn(2, 3, 4, 5, generator=rng, dtype=dtype),
        "two": torch.randn(2, 4, 2, 3, generator=rng, dtype=dtype),
    }


def test_the_feature_loss_is_equation_2():
    found, wanted = layers(0), layers(1)
    expected = 0.0
    for picture in range(2):
        for layer, weight in {"one": 2.0, "two": 0.5}.items():
            c, h, w = found[layer].shape[1:]
            squares = (found[layer][picture].float() - wanted[layer][picture].float()) ** 2
            expected += weight * squares.sum().item() / (c * h * w) / 2
    assert feature_loss(found, wanted, {"one": 2.0, "two": 0.5}).item() == pytest.approx(expected, rel=1e-6)
    assert feature_loss(found, wanted, {"one": 1.0}).item() < feature_loss(found, wanted, {"one": 2.0}).item()


def test_windows_are_pictures_of_their_own():
    x = torch.arange(2 * 3 * 6 * 7).reshape(2, 3, 6, 7)
    cut = in_windows({"one": x, "two": x[..., :2, :]}, 3)
    assert cut["one"].shape == (18, 3, 2, 2)
    assert torch.equal(cut["one"][4], x[0, :, 2:4, 2:4])
    assert torch.equal(cut["one"][9 + 2], x[1, :, 0:2, 4:6])
    assert cut["two"].shape == (8, 3, 1, 3)


def test_gram_targets_are_equation_3():
    (target,) = gram_targets({"one": layers(0)["one"]}, ["one"]).values()
    map = layers(0)["one"]
    for i in range(3):
        for j in range(3):
            expected = (map[1, i] * map[1, j]).sum() / (3 * 4 * 5)
            assert target[1, i, j].item() == pytest.approx(expected.item())


def test_the_style_loss_is_equation_4_for_one_target_and_for_one_each():
    found, style = layers(0), layers(1)
    weights = {"one": 2.0, "two": 0.5}
    targets = gram_targets(style, weights)
    expected = 0.0
    for picture in range(2):
        for layer, weight in weights.items():
            flat = [map[layer][picture].flatten(1) for map in (found, style)]
            ours, theirs = (map @ map.T / map.numel() for map in flat)
            expected += weight * torch.linalg.matrix_norm(ours - theirs).item() ** 2 / 2
    assert style_loss(found, targets, weights).item() == pytest.approx(expected)
    first = {layer: target[:1] for layer, target in targets.items()}
    doubled = {layer: target[:1].expand(2, -1, -1) for layer, target in targets.items()}
    torch.testing.assert_close(style_loss(found, first, weights), style_loss(found, doubled, weights))


def test_relative_distances_are_those_of_a_blank_picture_at_1_for_each_picture_alone():
    found, wanted, weights = layers(0), layers(1), {"one": 2.0, "two": 0.5}
    wanted["one"][1] *= 3  # pictures of other strengths, so that a mean over both would differ
    targets = gram_targets(wanted, weights)
    features = styles = 0.0
    for picture in range(2):
        for layer, weight in weights.items():
            ours, theirs = (map[layer][picture] for map in (found, wanted))
            features += weight * ((ours - theirs).square().sum() / theirs.square().sum()).item() / 2
            flat = [map.flatten(1) for map in (ours, theirs)]
            grams = [map @ map.T / map.numel() for map in flat]
            styles += weight * ((grams[0] - grams[1]).square().sum() / grams[1].square().sum()).item() / 2
    assert feature_loss(found, wanted, weights, relative=True).item() == pytest.approx(features, rel=1e-6)
    assert style_loss(found, targets, weights, relative=True).item() == pytest.approx(styles)
    windows = {layer: map.repeat_interleave(2, 0) for layer, map in found.items()}
    assert style_loss(windows, targets, weights, relative=True).item() == pytest.approx(styles)


def test_gradients():
    wanted = layers(1)
    targets = gram_targets(wanted, ["one"])
    map = layers(0)["one"].requires_grad_()
    assert torch.autograd.gradcheck(lambda x: style_loss({"one": x}, targets, {"one": 3.0}), map)


def test_half_precision_is_compared_in_single():
    found, wanted = ({"one": layers(seed, torch.float32)["one"].bfloat16()} for seed in (0, 1))
    assert feature_loss(found, wanted, {"one": 1.0}).dtype == torch.float32
    assert style_loss(found, gram_targets(wanted, ["one"]), {"one": 1.0}).dtype == torch.float32


def test_windows_count_as_much_as_the_whole():
    found, wanted = layers(0), layers(1)
    weights = dict.fromkeys(found, 1.0)
    targets = mean_gram_targets(wanted, weights)
    whole = style_loss(found, targets, weights)
    torch.testing.assert_close(style_loss_in_windows(found, targets, weights, 1), whole)
    parts = style_loss(in_windows(found, 2), targets, weights)
    torch.testing.assert_close(style_loss_in_windows(found, targets, weights, 2), (whole + parts) / 2)
    assert all(target.shape[0] == 1 for target in targets.values())
