import copy

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from limner.runtime.packed import PackedConvolution
from limner.runtime.prepare import fold_batch_norm, lay_out_for_cpu, pack_convolutions, prepare
from limner.runtime.tracing import trace
from limner.systems.feedforward.srresnet import SRResNet, SRResNetConfig
from limner.systems.feedforward.vdsr import VDSR, VDSRConfig

CPU = torch.device("cpu")


def trained(system: nn.Module) -> nn.Module:
    """Give batch norms statistics and PReLUs slopes that are not their first ones."""
    for module in system.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.uniform_(module.running_mean, -1, 1)
            nn.init.uniform_(module.running_var, 0.5, 2)
            nn.init.uniform_(module.weight, 0.5, 2)
            nn.init.uniform_(module.bias, -1, 1)
        if isinstance(module, nn.PReLU):
            nn.init.uniform_(module.weight, -0.5, 0.5)
    return system.eval()


SYSTEMS = {
    "vdsr": (VDSR(VDSRConfig(num_layers=4, channels=8)), 1),
    "vdsr folded": (VDSR(VDSRConfig(num_layers=4, channels=8, fold=2)), 1),
    "srresnet x4": (SRResNet(SRResNetConfig(num_blocks=2, channels=8)), 3),
    "srresnet x3": (SRResNet(SRResNetConfig(num_blocks=1, channels=8, scale=3)), 3),
}


@pytest.mark.parametrize("name", SYSTEMS)
def test_exact_preparation_is_the_same_function(name):
    system, channels = SYSTEMS[name]
    system = trained(copy.deepcopy(system))
    image = torch.rand(2, channels, 13, 17)
    with torch.inference_mode():
        expected = system(image)
        result = prepare(system, CPU, "exact")(image)
    torch.testing.assert_close(result, expected, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("name", SYSTEMS)
def test_fast_preparation_is_near(name):
    system, channels = SYSTEMS[name]
    system = trained(copy.deepcopy(system))
    image = torch.rand(1, channels, 16, 16)
    with torch.inference_mode():
        expected = system(image)
        result = prepare(system, CPU, "fast")(image)
    assert result.dtype == torch.float32
    assert (result - expected).norm() < 0.02 * expected.norm()


def test_preparation_leaves_the_system_as_it_was():
    system = SRResNet(SRResNetConfig(num_blocks=1, channels=4)).train()
    before = {name: tensor.clone() for name, tensor in system.state_dict().items()}
    prepare(system, CPU, "fast")
    assert system.training
    assert all(torch.equal(tensor, before[name]) for name, tensor in system.state_dict().items())


def test_every_batch_norm_is_folded_and_every_activation_fused():
    prepared = trace(SRResNet(SRResNetConfig(num_blocks=2, channels=4)))
    fold_batch_norm(prepared)
    pack_convolutions(prepared, torch.float32)
    called = [prepared.get_submodule(node.target) for node in prepared.graph.nodes if node.op == "call_module"]
    kinds = [type(module) for module in called]
    assert nn.BatchNorm2d not in kinds
    assert nn.Conv2d not in kinds
    assert kinds.count(nn.PReLU) == 2  # those after a pixel shuffle, which follow no convolution
    assert kinds.count(PackedConvolution) == 1 + 2 * 2 + 1 + 2 + 1


def test_convolutions_that_cannot_be_packed_stay():
    network = nn.Sequential(nn.Conv2d(1, 2, 3, padding=1, padding_mode="reflect"), nn.ReLU(), nn.ReLU())
    image = torch.rand(1, 1, 6, 6)
    expected = network(image)
    prepared = trace(network)
    pack_convolutions(prepared, torch.float32)
    assert isinstance(prepared.get_submodule("0"), nn.Conv2d)
    assert torch.equal(prepared(image), expected)


def test_a_prelu_with_a_slope_for_each_channel_is_not_fused():
    network = nn.Sequential(nn.Conv2d(1, 2, 3), nn.PReLU(2, init=0.3), nn.Conv2d(2, 1, 1), nn.ReLU(), nn.PReLU())
    image = torch.rand(1, 1, 6, 6) - 0.5
    expected = network(image)
    prepared = trace(network)
    pack_convolutions(prepared, torch.float32)
    torch.testing.assert_close(prepared(image), expected)


class Shared(nn.Module):
    """One convolution called twice, and a convolution whose result is read before and after its activation."""

    def __init__(self):
        super().__init__()
        self.twice, self.both, self.norm = nn.Conv2d(1, 1, 3), nn.Conv2d(1, 1, 3), nn.BatchNorm2d(1)

    def forward(self, x):
        x = self.twice(self.twice(x))
        y = self.both(x)
        return y + self.norm(y).relu()


def test_what_is_read_twice_is_neither_folded_nor_fused():
    network = trained(Shared())
    image = torch.rand(1, 1, 9, 9)
    with torch.inference_mode():
        torch.testing.assert_close(prepare(network, CPU, "exact")(image), network(image), atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("size", [(20, 24), (13, 17), (9, 32)])
@pytest.mark.parametrize("padding", [0, 4])
@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_few_channels_of_a_wide_kernel_are_computed_side_by_side(size, padding, channels):
    convolution = nn.Conv2d(6, channels, 9, padding=padding)
    packed = PackedConvolution(convolution, None, torch.float32)
    assert packed.columns > 1
    image = torch.rand(2, 6, *size)
    with torch.inference_mode():
        torch.testing.assert_close(packed(image), convolution(image), atol=1e-5, rtol=1e-5)


class Enlarger(nn.Module):
    """Every way to write an enlargement by two that is followed by a convolution, some of which must not be joined."""

    def __init__(self) -> None:
        super().__init__()
        self.up = nn.Upsample(scale_factor=2)
        self.convolutions = nn.ModuleList(
            nn.Conv2d(4, 4, kernel, stride, padding, padding_mode=mode)
            for kernel, stride, padding, mode in (
                (3, 1, 1, "zeros"), (3, 1, 1, "reflect"), (3, 1, 1, "replicate"), (3, 1, 0, "zeros"),
                (5, 1, 2, "zeros"), (3, 2, 1, "zeros"), (3, 1, 1, "zeros"),
            )
        )  # fmt: skip
        self.last = nn.Conv2d(4, 1, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        total = torch.zeros(())
        for convolution in self.convolutions:
            total = total + self.last(torch.relu(convolution(self.up(x)))).mean((2, 3))
        enlarged = torch.nn.functional.interpolate(x, scale_factor=2, mode="nearest")
        return (
            enlarged[:, :1]
            + self.last(self.convolutions[0](enlarged)).mean((2, 3), keepdim=True)
            + total[:, :, None, None]
        )


def test_enlargements_are_joined_only_where_it_is_the_same():
    network = Enlarger().eval()
    image = torch.rand(2, 4, 12, 14)
    with torch.inference_mode():
        torch.testing.assert_close(prepare(network, CPU, "exact")(image), network(image), atol=1e-5, rtol=1e-5)


def test_enlargements_are_joined():
    network = nn.Sequential(nn.Upsample(scale_factor=2), nn.ReflectionPad2d(1), nn.Conv2d(4, 4, 3), nn.ReLU())
    kinds = [type(module).__name__ for module in prepare(network, CPU, "exact").children()]
    assert [node.op for node in prepare(network, CPU, "exact").graph.nodes].count("call_module") == 1, kinds


def test_batch_norm_is_folded_into_a_transposed_convolution():
    network = trained(
        nn.Sequential(nn.ConvTranspose2d(4, 6, 4, 2, 1), nn.BatchNorm2d(6), nn.ReLU(), nn.Conv2d(6, 1, 3))
    )
    image = torch.rand(1, 4, 9, 10)
    with torch.inference_mode():
        expected = network(image)
        prepared = prepare(network, CPU, "exact")
        torch.testing.assert_close(prepared(image), expected, atol=1e-5, rtol=1e-5)
    assert not any(
        isinstance(prepared.get_submodule(str(n.target)), nn.BatchNorm2d)
        for n in prepared.graph.nodes
        if n.op == "call_module"
    )


class Attending(nn.Module):
    def __init__(self, way: str) -> None:
        super().__init__()
        self.way, self.head, self.query = way, nn.Conv2d(3, 16, 3, padding=1), nn.Linear(16, 16)
        self.norm, self.heads = nn.LayerNorm(16), nn.MultiheadAttention(16, 2, batch_first=True)

    def forward(self, x):
        x = self.head(x)
        tokens = x.flatten(2).transpose(1, 2)
        if self.way == "heads":
            made = self.heads(tokens, tokens, tokens)[0]
        elif self.way == "norm":
            made = self.norm(tokens)
        elif self.way == "product":
            made = F.scaled_dot_product_attention(self.query(tokens), tokens, tokens)
        else:
            made = torch.softmax(self.query(tokens) @ tokens.transpose(1, 2), -1) @ tokens
        return made.transpose(1, 2).reshape(x.shape)


@pytest.mark.skipif(not torch.ops.mkldnn._is_mkldnn_bf16_supported(), reason="oneDNN packs no bfloat16 here")
@pytest.mark.parametrize("way", ["heads", "norm", "product", "softmax"])
def test_attention_takes_bfloat16_maps(way):
    network, image = Attending(way).eval(), torch.rand(2, 3, 6, 7)
    prepared = trace(network)
    lay_out_for_cpu(prepared, torch.bfloat16)
    with torch.inference_mode():
        assert (prepared(image) - network(image)).abs().max() < 0.05


class Narrowing(nn.Module):
    """Down to one pixel and back, as pix2pix's U-Net does: 4x4 convolutions, whose weights outweigh the picture."""

    def __init__(self, channels: int = 128) -> None:
        super().__init__()
        windows = (4, 2, 1)
        self.down = nn.ModuleList(nn.Conv2d(channels, channels, *windows) for _ in range(3))
        self.up = nn.ModuleList(nn.ConvTranspose2d(channels, channels, *windows) for _ in range(3))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        for down in self.down:
            x = torch.relu(down(x))
        for up in self.up:
            x = torch.relu(up(x))
        return x


@pytest.mark.parametrize("precision", ["exact", "fast"])
def test_no_weights_are_laid_out_anew_when_a_size_comes_again(precision, capfd):
    network = prepare(Narrowing(), CPU, precision)
    pictures = [torch.rand(1, 128, 8 * side, 8) for side in (1, 2, 1, 2)]
    with torch.inference_mode():
        for picture in pictures[:2]:
            network(picture)
        capfd.readouterr()
        with torch.backends.mkldnn.verbose(torch.backends.mkldnn.VERBOSE_ON):
            for picture in pictures[2:]:
                network(picture)
    steps = [line for line in capfd.readouterr().out.splitlines() if ",exec," in line]
    assert sum("convolution" in line for line in steps) == 12
    assert not [line for line in steps if ",reorder," in line and "128x128x4x4" in line]


def test_a_network_gives_the_same_at_sizes_that_come_and_go():
    network = Narrowing(4).eval()
    prepared = prepare(network, CPU, "exact")
    with torch.inference_mode():
        for side in (8, 16, 24, 32, 40, 48, 8, 32, 8):
            picture = torch.rand(1, 4, side, 8)
            torch.testing.assert_close(prepared(picture), network(picture), atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("groups", [1, 2])
@pytest.mark.parametrize("windows", [(4, 2, 1), (3, 2, 1, 1), (2, 2), (3, 1, 1), (3, 2, 0, 1, 2), ((3, 2), (2, 1))])
def test_transposed_convolutions_are_the_same_function(windows, groups):
    kernel, stride, padding, output_padding, dilation = tuple(windows) + (0, 1, 0, 0, 1)[len(windows) :]
    convolution = nn.ConvTranspose2d(4, 6, kernel, stride, padding, output_padding, groups, True, dilation)
    network = nn.Sequential(convolution, nn.LeakyReLU(0.3)).eval()
    image = torch.randn(2, 4, 5, 7)
    with torch.inference_mode():
        expected = network(image)
        torch.testing.assert_close(prepare(network, CPU, "exact")(image), expected, atol=1e-5, rtol=1e-5)
        assert (prepare(network, CPU, "fast")(image).float() - expected).norm() < 0.02 * expected.norm()
