"""The embedded features equal a plainly written VGG; files of others are recognised, bad ones refused in one line."""

import pickle

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file, save_file
from torch import nn

from limner.cli.work.demo import PHOTO
from limner.errors import LimnerError
from limner.features.vgg16 import EMBEDDED, VGG, convolutions, mean_responses

PLAIN = (64, 64, "M", 128, 128, "M", 256, 256, 256, "M", 512, 512, 512, "M", 512)  # to conv5_1; M is a pooling


def photo(side=64):
    with Image.open(PHOTO) as image:
        pixels = np.asarray(image.convert("RGB").resize((side, side)))
    return torch.from_numpy(pixels.copy()).permute(2, 0, 1)[None] / 255


def plain_vgg():
    layers: list[nn.Module] = []
    channels = 3
    for what in PLAIN:
        if isinstance(what, str):
            layers.append(nn.MaxPool2d(2, 2))
        else:
            layers += [nn.Conv2d(channels, what, 3, padding=1), nn.ReLU()]
            channels = what
    network = nn.Sequential(*layers)
    network.load_state_dict({k.removeprefix("features."): v.float() for k, v in load_file(EMBEDDED).items()})
    return network


def beginning(depth, count, *, seed=0):
    """Random weights of the first convolutions of a VGG, with torchvision's keys."""
    generator, state = torch.Generator().manual_seed(seed), {}
    for one in convolutions(depth)[:count]:
        shape = (one.out_channels, one.in_channels, 3, 3)
        state[f"features.{one.place}.weight"] = torch.randn(shape, generator=generator) / (9 * one.in_channels) ** 0.5
        state[f"features.{one.place}.bias"] = torch.zeros(one.out_channels)
    return state


@torch.inference_mode()
def test_features_equal_a_plainly_written_vgg():
    image = photo()
    names = ["conv1_1", "relu1_2", "pool1", "relu2_2", "relu3_3", "conv4_2", "relu4_3", "relu5_1"]
    place = [0, 3, 4, 8, 15, 19, 22, 25]  # of these among the layers
    found = VGG(names)(image)
    assert list(found) == names
    x, expected = 255 * image - torch.tensor([123.68, 116.779, 103.939])[:, None, None], []
    for layer in plain_vgg():
        x = layer(x)
        expected.append(x.clone())
    for name, index in zip(names, place, strict=True):
        error = (found[name] - expected[index]).abs().max() / expected[index].abs().max()
        assert error < 1e-5, name


def test_nothing_after_the_deepest_layer_is_held():
    features = VGG(["relu2_1", "conv1_2"])
    assert features.steps[-1] == "relu2_1"
    assert not any("2_2" in name for name, _ in features.named_buffers())
    assert not list(features.parameters())
    assert features.state_dict() == {}


def test_the_gradient_reaches_the_picture():
    image = photo(16).requires_grad_()
    VGG(["relu3_1", "conv2_1"])(image)["relu3_1"].sum().backward()
    assert image.grad is not None and image.grad.abs().sum() > 0


def test_average_pooling_is_the_mean_of_four():
    image = photo(16)
    found = VGG(["relu1_2", "pool1"], pooling="average")(image)
    four = found["relu1_2"].unfold(2, 2, 2).unfold(3, 2, 2)
    torch.testing.assert_close(found["pool1"], four.mean((4, 5)))


@pytest.mark.parametrize(("depth", "layer"), [(16, "conv4_1"), (19, "conv3_4")])
def test_files_of_torchvision_are_recognised_by_their_shapes(tmp_path, depth, layer):
    count = next(i for i, one in enumerate(convolutions(depth), start=1) if f"conv{one.name}" == layer)
    state = beginning(depth, count)
    torch.save(state | {"classifier.0.weight": torch.zeros(2, 2)}, tmp_path / "vgg.pth")
    save_file(state, tmp_path / "vgg.safetensors")
    image = photo(32)
    first, second = (VGG([layer], weights=tmp_path / f"vgg{kind}")(image)[layer] for kind in (".pth", ".safetensors"))
    assert torch.equal(first, second)
    scaled = VGG(["conv1_1"], weights=tmp_path / "vgg.pth")(image)["conv1_1"]
    x = (image - torch.tensor([0.485, 0.456, 0.406])[:, None, None]) / torch.tensor([0.229, 0.224, 0.225])[
        :, None, None
    ]
    torch.testing.assert_close(scaled, nn.functional.conv2d(x, state["features.0.weight"], padding=1))


def test_bad_files_are_refused_in_one_line(tmp_path):
    (tmp_path / "junk.pth").write_bytes(b"junk")
    (tmp_path / "junk.safetensors").write_bytes(b"junk")
    (tmp_path / "evil.pth").write_bytes(pickle.dumps(print))
    torch.save([1, 2], tmp_path / "list.pth")
    torch.save({"features.0.weight": torch.zeros(64, 3, 3, 3)}, tmp_path / "half.pth")
    torch.save({"conv.weight": torch.zeros(8, 3, 3, 3)}, tmp_path / "other.pth")
    broken = beginning(16, 2)
    broken["features.2.bias"][3] = torch.nan
    torch.save(broken, tmp_path / "nan.pth")
    torch.save(beginning(16, 2), tmp_path / "short.pth")
    torch.save({name: tensor.long() for name, tensor in beginning(16, 2).items()}, tmp_path / "whole.pth")
    for name, says in {
        "missing.pth": "there is no such file",
        "junk.pth": "is no whole file of tensors",
        "junk.safetensors": "is no whole file of tensors",
        "evil.pth": "is no whole file of tensors",
        "list.pth": "must hold named tensors, got list",
        "half.pth": "holds no VGG-16 or VGG-19",
        "other.pth": "holds no VGG-16 or VGG-19",
        "nan.pth": "is damaged, for some weights are no numbers",
        "whole.pth": "weights must be real numbers, got int64 in 0.weight",
        "short.pth": "layers of short.pth are conv1_1 to relu1_2, got 'relu4_1'",
    }.items():
        with pytest.raises(LimnerError, match=says) as error:
            VGG(["relu4_1"], weights=tmp_path / name)
        assert "\n" not in str(error.value)


def test_unknown_layers_and_pictures_too_small_are_refused():
    with pytest.raises(LimnerError, match=r"conv1_1 to relu5_1, got 'relu5_3'"):
        VGG(["relu5_3"])
    assert VGG(["relu4_1"])(torch.rand(1, 3, 8, 9))["relu4_1"].shape == (1, 512, 1, 1)
    with pytest.raises(LimnerError, match=r"for relu4_1 a picture must have 8 pixels a side or more, got 7x20"):
        VGG(["relu4_1"])(torch.rand(1, 3, 20, 7))


@pytest.mark.parametrize("precision", ["exact", "fast"])
def test_normalized_filters_respond_by_1_on_the_average(precision):
    layers = ["relu1_1", "relu2_2", "relu3_1"]
    pictures = [photo(), photo(96)]
    vgg = VGG(layers, precision=precision)
    vgg.normalize(vgg.mean_responses(pictures))
    found = [vgg(one) for one in pictures]
    before = [VGG(layers)(one) for one in pictures]
    for layer in layers:
        means = torch.stack([maps[layer].float().mean((0, 2, 3)) for maps in found]).mean(0)
        responds = torch.stack([maps[layer].mean((0, 2, 3)) for maps in before]).mean(0)
        responds = responds > 0.02 * responds.mean()
        assert responds.float().mean() > 0.8
        tolerance = 1e-3 if precision == "exact" else 0.03
        torch.testing.assert_close(means[responds], torch.ones_like(means[responds]), rtol=0, atol=tolerance)


def test_normalizing_only_scales_the_filters():
    layers = ["relu1_2", "relu3_1"]
    one, vgg = photo(), VGG(layers, pooling="average")
    before = vgg(one)
    vgg.normalize(vgg.mean_responses([one]))
    for layer, maps in vgg(one).items():
        scale = maps.sum((0, 2, 3)) / before[layer].sum((0, 2, 3)).clamp(min=1e-6)
        torch.testing.assert_close(maps, before[layer] * scale[:, None, None], rtol=1e-3, atol=1e-4)


def test_a_black_picture_normalizes_to_finite_numbers():
    black, vgg = torch.zeros(1, 3, 32, 32), VGG(["relu3_1"])
    vgg.normalize(vgg.mean_responses([black]))
    assert vgg(black)["relu3_1"].isfinite().all()


def test_fast_precision_is_near_the_exact_one(monkeypatch):
    monkeypatch.setattr("limner.processor.bfloat16_pays", lambda device: True)
    one = photo()
    exact, fast = VGG(["relu3_1"])(one)["relu3_1"], VGG(["relu3_1"], precision="fast")(one)["relu3_1"]
    assert fast.dtype == torch.bfloat16
    assert (fast.float() - exact).norm() < 0.02 * exact.norm()


def test_the_stride_is_that_of_the_maps():
    one, vgg = torch.rand(1, 3, 64, 32), VGG(["conv1_1", "relu2_1", "pool2", "relu4_1"])
    assert {layer: 64 // maps.shape[-2] for layer, maps in vgg(one).items()} == {
        layer: vgg.stride(layer) for layer in vgg.layers
    }


def test_the_packaged_responses_are_those_of_photos():
    vgg = VGG(["relu5_1"])
    vgg.normalize(mean_responses("max"))
    means = vgg(photo(128))["relu5_1"].mean().item()
    assert 0.3 < means < 3
