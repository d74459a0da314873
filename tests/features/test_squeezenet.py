"""The embedded SqueezeNet equals a plainly written one of the paper's shapes, and knows what is on photographs."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from PIL import Image as PillowImage
from safetensors.torch import load_file

from limner.errors import LimnerError
from limner.features.imagenet_classes import class_names
from limner.features.squeezenet import EMBEDDED, LAYERS, SqueezeNet, class_scores

# table 1: s_1x1, e_1x1 and e_3x3 of each fire module, and its number among torchvision's layers
FIRES = [(3, 16, 64), (4, 16, 64), (5, 32, 128), (7, 32, 128), (8, 48, 192), (9, 48, 192), (10, 64, 256), (12, 64, 256)]
POOLS_BEFORE = {3, 7, 12}


def plain_squeezenet(image):
    """The paper's figure 2, left, layer by layer."""
    tensors = {key: value.float() for key, value in load_file(EMBEDDED).items()}

    def convolve(key, x, **options):
        return F.conv2d(x, tensors[f"{key}.weight"], tensors[f"{key}.bias"], **options)

    x = 255 * image - torch.tensor([123.0, 117.0, 104.0])[:, None, None]
    x = convolve("features.0", x, stride=2).relu()
    maps = []
    for number, squeezed, expanded in FIRES:
        if number in POOLS_BEFORE:
            x = F.max_pool2d(x, kernel_size=3, stride=2, ceil_mode=True)
        key = f"features.{number}"
        small = convolve(f"{key}.squeeze", x).relu()
        assert small.shape[1] == squeezed
        x = torch.cat(
            [convolve(f"{key}.expand1x1", small).relu(), convolve(f"{key}.expand3x3", small, padding=1).relu()], dim=1
        )
        assert x.shape[1] == 2 * expanded
        maps.append(x)
    return maps, convolve("classifier.1", x)


@torch.inference_mode()
def test_activations_equal_a_plainly_written_squeezenet():
    image = torch.rand(1, 3, 96, 83)
    fires = [layer for layer in LAYERS if layer.startswith("fire")]
    found = SqueezeNet([*fires, "conv10"])(image)
    maps, scores = plain_squeezenet(image)
    for layer, expected in zip([*fires, "conv10"], [*maps, scores], strict=True):
        assert (found[layer] - expected).abs().max() < 1e-5 * expected.abs().max(), layer


def test_the_network_has_the_sizes_of_the_paper():
    tensors = load_file(EMBEDDED)
    assert sum(tensor.numel() for tensor in tensors.values()) == 1_248_424  # table 1, with biases
    network = SqueezeNet(["relu1", "pool1", "pool4", "pool8", "conv10"])
    shapes = {layer: tuple(map.shape[1:]) for layer, map in network(torch.rand(1, 3, 227, 227)).items()}
    assert shapes == {
        "relu1": (96, 111, 111),
        "pool1": (96, 55, 55),
        "pool4": (256, 27, 27),
        "pool8": (512, 13, 13),
        "conv10": (1000, 13, 13),
    }


def test_scores_are_the_mean_over_places_of_what_is_above_zero():
    conv10 = torch.tensor([[-1.0, 2.0], [4.0, 0.0]]).expand(1, 1000, 2, 2)
    torch.testing.assert_close(class_scores(conv10), torch.full((1, 1000), 6 / 4))


@torch.inference_mode()
def test_bfloat16_is_near_float32(monkeypatch):
    monkeypatch.setattr("limner.processor.bfloat16_pays", lambda device: True)
    image = torch.rand(1, 3, 64, 64)
    exact, fast = (SqueezeNet(["fire9"], precision=precision)(image)["fire9"] for precision in ("exact", "fast"))
    assert fast.dtype == torch.bfloat16
    assert (fast.float() - exact).norm() < 0.03 * exact.norm()


def test_the_gradient_reaches_the_picture_and_no_weight():
    network, image = SqueezeNet(["conv10"]), torch.rand(1, 3, 64, 64, requires_grad=True)
    network(image)["conv10"][0, 7].sum().backward()
    assert image.grad.abs().sum() > 0
    assert not list(network.parameters())
    assert network.state_dict() == {}


def test_nothing_after_the_deepest_layer_is_computed():
    network = SqueezeNet(["fire3"])
    assert network.steps[-1] == "fire3"
    assert not any("features_5" in name for name, _ in network.named_buffers())


@pytest.mark.parametrize("layer", ["relu1", "fire2", "fire5", "conv10"])
def test_the_least_side_is_the_least_that_works(layer):
    network = SqueezeNet([layer])
    assert network(torch.rand(1, 3, network.least_side, network.least_side))[layer].shape[-1] == 1
    with pytest.raises(LimnerError, match=f"must have {network.least_side} pixels a side or more"):
        network(torch.rand(1, 3, network.least_side, network.least_side - 1))


def test_other_layers_are_refused():
    with pytest.raises(LimnerError, match=r"layers of SqueezeNet are relu1, .*, conv10, got 'fire10'"):
        SqueezeNet(["fire10"])


@pytest.mark.slow
@pytest.mark.parametrize(
    ("photo", "classes"),
    [
        ("skimage_chelsea", {"Egyptian cat", "tabby", "tiger cat"}),
        ("skimage_coffee", {"espresso", "cup"}),
        ("sailboat", {"schooner", "yawl"}),
        ("tubingen", {"monastery", "palace", "castle"}),
    ],
)
def test_it_knows_what_is_on_photographs(shared_data, photo, classes):
    with PillowImage.open(shared_data(f"content_images/{photo}.jpg")) as file:
        width, height = file.size
        scale = 256 / min(width, height)
        small = file.convert("RGB").resize(
            (round(width * scale), round(height * scale)), PillowImage.Resampling.BICUBIC
        )
    left, top = (small.width - 227) // 2, (small.height - 227) // 2
    pixels = np.array(small.crop((left, top, left + 227, top + 227)))
    image = torch.from_numpy(pixels).permute(2, 0, 1)[None] / 255
    with torch.inference_mode():
        scores = class_scores(SqueezeNet(["conv10"])(image)["conv10"])
    assert class_names()[int(scores.argmax())] in classes
