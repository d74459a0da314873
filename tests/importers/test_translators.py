"""Translators of others: each network, written here again by its description, gives what the imported one does."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from tests.foreign import SAME, State, affine, batch_norm, convolution, difference, imported, seen, transposed
from tests.foreign_discriminators import normed, spectral
from torch import Tensor

from limner.errors import LimnerError
from limner.tasks.translate import one_way

B = 4  # channels of the first layer


def resnet_state(blocks: int, kind: str, *, dropout: bool) -> State:
    bias, up = kind == "instance", 10 + blocks
    state = convolution("model.1", B, 3, 7, bias=bias) | convolution("model.4", 2 * B, B, 3, bias=bias)
    state |= convolution("model.7", 4 * B, 2 * B, 3, bias=bias) | convolution(f"model.{up + 7}", 3, B, 7)
    state |= transposed(f"model.{up}", 4 * B, 2 * B, 3, bias=bias)
    state |= transposed(f"model.{up + 3}", 2 * B, B, 3, bias=bias)
    norms = {"model.2": B, "model.5": 2 * B, "model.8": 4 * B, f"model.{up + 1}": 2 * B, f"model.{up + 4}": B}
    for number in range(10, up):
        for place in (1, 6 if dropout else 5):
            state |= convolution(f"model.{number}.conv_block.{place}", 4 * B, 4 * B, 3, bias=bias)
            norms[f"model.{number}.conv_block.{place + 1}"] = 4 * B
    for name, width in norms.items() if kind == "batch" else ():
        state |= batch_norm(name, width)
    return state


def resnet(image: Tensor, state: State, blocks: int, kind: str, *, dropout: bool) -> Tensor:
    kind = "seen" if kind == "batch" else kind

    def conv(x: Tensor, name: str, stride: int = 1, padding: int = 0) -> Tensor:
        return F.conv2d(x, state[f"{name}.weight"], state.get(f"{name}.bias"), stride, padding)

    def reflected(x: Tensor, margin: int) -> Tensor:
        return F.pad(x, (margin,) * 4, mode="reflect")

    x = normed(conv(reflected(image, 3), "model.1"), state, "model.2", kind).relu()
    x = normed(conv(x, "model.4", 2, 1), state, "model.5", kind).relu()
    x = normed(conv(x, "model.7", 2, 1), state, "model.8", kind).relu()
    for number in range(10, 10 + blocks):
        name, second = f"model.{number}.conv_block", 6 if dropout else 5
        inner = normed(conv(reflected(x, 1), f"{name}.1"), state, f"{name}.2", kind).relu()
        x = x + normed(conv(reflected(inner, 1), f"{name}.{second}"), state, f"{name}.{second + 1}", kind)
    for place in (10 + blocks, 13 + blocks):
        weight, bias = state[f"model.{place}.weight"], state.get(f"model.{place}.bias")
        x = F.conv_transpose2d(x, weight, bias, stride=2, padding=1, output_padding=1)
        x = normed(x, state, f"model.{place + 1}", kind).relu()
    return torch.tanh(conv(reflected(x, 3), f"model.{17 + blocks}"))


@pytest.mark.parametrize("blocks", [6, 9])
@pytest.mark.parametrize("dropout", [False, True])
@pytest.mark.parametrize("kind", ["instance", "batch"])
def test_cyclegan_resnet(tmp_path: Path, blocks: int, dropout: bool, kind: str) -> None:
    state, image = resnet_state(blocks, kind, dropout=dropout), torch.rand(1, 3, 24, 32)
    theirs = (resnet(2 * image - 1, state, blocks, kind, dropout=dropout) + 1) / 2
    with torch.no_grad():
        assert difference(imported(tmp_path, state)(image), theirs) < SAME


def test_a_cyclegan_with_statistics_of_old_files_and_a_wrapper(tmp_path: Path) -> None:
    state, image = resnet_state(6, "instance", dropout=False), torch.rand(1, 3, 16, 16)
    old = {f"module.{name}": one for name, one in (state | seen("model.2", B) | seen("model.8", 4 * B)).items()}
    theirs = (resnet(2 * image - 1, state, 6, "instance", dropout=False) + 1) / 2
    with torch.no_grad():
        assert difference(imported(tmp_path, old)(image), theirs) < SAME


def test_a_cyclegan_of_one_file_goes_one_way_and_of_two_files_both(tmp_path: Path) -> None:
    there, back = (resnet_state(6, "instance", dropout=False) for _ in range(2))
    image = torch.rand(1, 3, 16, 16)
    alone = imported(tmp_path, there)
    with pytest.raises(LimnerError, match="to B alone, got 'BA'"):
        one_way(alone, "BA", "it")
    both = imported(tmp_path, there, back, settings=('domains=["horse","zebra"]',))
    theirs = (resnet(2 * image - 1, back, 6, "instance", dropout=False) + 1) / 2
    with torch.no_grad():
        assert torch.equal(one_way(alone, None, "it")(image), one_way(both, "zebra", "it")(image))
        assert difference(one_way(both, "horse", "it")(image), theirs) < SAME


def level(number: int) -> str:
    return "model.model" + ".1.model" * bool(number) + ".3.model" * (number - 1)


def widths(downs: int) -> list[int]:
    return [B * min(2**number, 8) for number in range(downs)]


def unet_state(downs: int, kind: str, channels: tuple[int, int] = (3, 3)) -> State:
    bias, state, wide = kind == "instance", dict[str, Tensor](), widths(downs)
    for number in range(downs):
        stem, inner = level(number), number == downs - 1
        before, made = (channels[0], channels[1]) if not number else (wide[number - 1],) * 2
        down, up = (0, 3) if not number else (1, 3 if inner else 5)
        state |= convolution(f"{stem}.{down}", wide[number], before, 4, bias=bias)
        given = wide[number] * (1 if inner else 2)
        state |= transposed(f"{stem}.{up}", given, made, 4, bias=bias or not number)
        if number and kind != "instance":
            state |= batch_norm(f"{stem}.{up + 1}", made) | ({} if inner else batch_norm(f"{stem}.2", wide[number]))
    return state


def unet(x: Tensor, state: State, downs: int, kind: str, masks: dict[int, Tensor], number: int = 0) -> Tensor:
    """One level: what it gives to the one above, the map that it was given first."""
    stem, inner = level(number), number == downs - 1
    down, up = (0, 3) if not number else (1, 3 if inner else 5)
    given = F.leaky_relu(x, 0.2) if number else x
    y = F.conv2d(given, state[f"{stem}.{down}.weight"], state.get(f"{stem}.{down}.bias"), 2, 1)
    if not inner:
        y = normed(y, state, f"{stem}.2", kind) if number else y
        y = unet(y, state, downs, kind, masks, number + 1)
    y = F.conv_transpose2d(y.relu(), state[f"{stem}.{up}.weight"], state.get(f"{stem}.{up}.bias"), 2, 1)
    if not number:
        return torch.tanh(y)
    y = normed(y, state, f"{stem}.{up + 1}", kind)
    y = y * masks[number] if number in masks else y
    return torch.cat([given, y], 1)


@pytest.mark.parametrize("downs", [5, 7, 8])
@pytest.mark.parametrize("kind", ["batch", "seen", "instance"])
def test_pix2pix_unet(tmp_path: Path, downs: int, kind: str) -> None:
    """With the same noise: half of the values of each layer that has dropout are 0, the others double."""
    channels = (1, 3) if kind == "seen" else (3, 3)
    state, side = unet_state(downs, kind, channels), 2**downs
    chosen = ("norm=seen", "dropout=0") if kind == "seen" else ()
    ours = imported(tmp_path, state, settings=chosen)
    names = [port.name for port in ours.inputs]  # type: ignore[union-attr]
    assert names[1:] == [f"noise_{number}" for number in range(1, downs - 4)]  # num_downs - 5 layers have dropout
    image, *noise = (torch.rand(port.shape(1, side, 2 * side)) for port in ours.inputs)  # type: ignore[union-attr]
    masks = {downs - 1 - place: 2.0 * (one >= 0.5) for place, one in enumerate(noise, start=1) if kind == "batch"}
    theirs = (unet(2 * image - 1, state, downs, kind, masks) + 1) / 2
    with torch.no_grad():
        assert difference(ours(image, *noise), theirs) < SAME


NAMES = ("head_0", "G_middle_0", "G_middle_1", "up_0", "up_1", "up_2", "up_3", "up_4")


def spade_widths(ups: int) -> list[int]:
    return [16 * B] * 4 + [8 * B, 4 * B, 2 * B, B] + [B // 2] * (ups == 7)


def spade_state(known: int, ups: int, kind: str) -> State:
    wide, state = spade_widths(ups), convolution("fc", 16 * B, known, 3)
    for name, before, after in zip(NAMES, wide[:-1], wide[1:], strict=False):
        middle = min(before, after)
        state |= spectral(f"{name}.conv_0", middle, before, 3) | spectral(f"{name}.conv_1", after, middle, 3)
        norms = {"norm_0": before, "norm_1": middle}
        if before != after:
            state |= spectral(f"{name}.conv_s", after, before, 1, bias=False)
            norms["norm_s"] = before
        for norm, width in norms.items():
            state |= convolution(f"{name}.{norm}.mlp_shared.0", 6, known, 3)
            state |= convolution(f"{name}.{norm}.mlp_gamma", width, 6, 3)
            state |= convolution(f"{name}.{norm}.mlp_beta", width, 6, 3)
            state |= seen(f"{name}.{norm}.param_free_norm", width) if kind == "batch" else {}
    return state | convolution("conv_img", 3, wide[-1], 3)


def spade(condition: Tensor, state: State, ups: int, first: Tensor | None = None) -> Tensor:
    """`first` is the map that a style vector has become."""

    def conv(x: Tensor, name: str) -> Tensor:
        if f"{name}.weight" in state:
            weight = state[f"{name}.weight"]
        else:
            weight, u, v = (state[f"{name}.weight_{part}"] for part in ("orig", "u", "v"))
            weight = weight / (u @ (weight.flatten(1) @ v))
        return F.conv2d(x, weight, state.get(f"{name}.bias"), padding=weight.shape[-1] // 2)

    def modulated(x: Tensor, name: str) -> Tensor:
        seg = F.interpolate(condition, size=x.shape[-2:], mode="nearest")
        hidden = conv(seg, f"{name}.mlp_shared.0").relu()
        variance, mean = torch.var_mean(x, (2, 3), correction=0, keepdim=True)
        if f"{name}.param_free_norm.running_mean" in state:
            mean = state[f"{name}.param_free_norm.running_mean"][:, None, None]
            variance = state[f"{name}.param_free_norm.running_var"][:, None, None]
        x = (x - mean) / (variance + 1e-5).sqrt()
        return x * (1 + conv(hidden, f"{name}.mlp_gamma")) + conv(hidden, f"{name}.mlp_beta")

    def block(x: Tensor, name: str) -> Tensor:
        has_shortcut = f"{name}.conv_s.weight_orig" in state
        short = conv(modulated(x, f"{name}.norm_s"), f"{name}.conv_s") if has_shortcut else x
        for half in (0, 1):
            x = conv(F.leaky_relu(modulated(x, f"{name}.norm_{half}"), 0.2), f"{name}.conv_{half}")
        return short + x

    def doubled(x: Tensor) -> Tensor:
        return x.repeat_interleave(2, 2).repeat_interleave(2, 3)

    height, width = (side // 2**ups for side in condition.shape[-2:])
    coarse = F.interpolate(condition, size=(height, width), mode="nearest")
    x = block(conv(coarse, "fc") if first is None else first, "head_0")
    x = block(doubled(x), "G_middle_0")
    x = block(doubled(x) if ups > 5 else x, "G_middle_1")
    for name in NAMES[3 : 7 + (ups == 7)]:
        x = block(doubled(x), name)
    return torch.tanh(conv(F.leaky_relu(x, 0.2), "conv_img"))


@pytest.mark.parametrize(
    ("known", "ups", "kind"),
    [(151, 5, "batch"), (184, 5, "batch"), (36, 6, "batch"), (12, 7, "batch"), (9, 5, "instance")],
)
def test_spade(tmp_path: Path, known: int, ups: int, kind: str) -> None:
    state = spade_state(known, ups, kind)
    ours = imported(tmp_path, state)
    edges = known in (184, 36)
    side = 2 ** (ups + 1)
    labels = torch.randint(known - edges, (1, 1, side, 2 * side))
    given = [labels, *([(torch.rand(1, 1, side, 2 * side) > 0.7).float()] if edges else [])]
    condition = torch.cat([F.one_hot(labels[:, 0], known - edges).permute(0, 3, 1, 2).float(), *given[1:]], 1)
    theirs = (spade(condition, state, ups) + 1) / 2
    with torch.no_grad():
        assert difference(ours(*given), theirs) < SAME


def test_what_spade_was_taken_to_know_can_be_told_otherwise(tmp_path: Path) -> None:
    ours = imported(tmp_path, spade_state(12, 5, "batch"), settings=("num_classes=11", "instance_edges=true"))
    assert [port.name for port in ours.inputs] == ["labels", "edges"]  # type: ignore[union-attr]


E = 3  # channels of the encoder's first layer


def linear(name: str, after: int, before: int) -> State:
    return {f"{name}.weight": torch.randn(after, before) / before**0.5, f"{name}.bias": torch.randn(after)}


def encoder_state(latent: int = 10) -> State:
    widths, state = [E, 2 * E, 4 * E, 8 * E, 8 * E, 8 * E], dict[str, Tensor]()
    for number, (before, after) in enumerate(zip([3, *widths], widths, strict=False), start=1):
        state |= spectral(f"layer{number}.0", after, before, 3, bias=False)
    return state | linear("fc_mu", latent, 16 * 8 * E) | linear("fc_var", latent, 16 * 8 * E)


def encoded(photo: Tensor, state: State) -> tuple[Tensor, Tensor]:
    x = F.interpolate(2 * photo - 1, size=(256, 256), mode="bilinear")
    for number in range(1, 7):
        weight, u, v = (state[f"layer{number}.0.weight_{part}"] for part in ("orig", "u", "v"))
        x = F.conv2d(x, weight / (u @ (weight.flatten(1) @ v)), stride=2, padding=1)
        variance, mean = torch.var_mean(x, (2, 3), correction=0, keepdim=True)
        x = F.leaky_relu((x - mean) / (variance + 1e-5).sqrt(), 0.2)
    mean, log_variance = (x.flatten(1) @ state[f"{one}.weight"].T + state[f"{one}.bias"] for one in ("fc_mu", "fc_var"))
    return mean, log_variance


def styled_state(known: int, ups: int, places: int) -> State:
    state = spade_state(known, ups, "batch")
    del state["fc.weight"]
    return state | linear("fc", 16 * B * places, 10)


@pytest.mark.parametrize(("known", "ups", "start"), [(151, 5, (2, 2)), (36, 6, (1, 2)), (9, 7, (1, 1))])
def test_spade_with_an_encoder(tmp_path: Path, known: int, ups: int, start: tuple[int, int]) -> None:
    """Whatever comes first of the two files."""
    state, encoder = styled_state(known, ups, start[0] * start[1]), encoder_state()
    ours = imported(tmp_path, *((state, encoder) if ups == 5 else (encoder, state)))
    height, width = (2**ups * side for side in start)
    labels, edges = torch.randint(known - (known == 36), (1, 1, height, width)), torch.rand(1, 1, height, width).round()
    condition = F.one_hot(labels[:, 0], known - (known == 36)).permute(0, 3, 1, 2).float()
    condition = torch.cat([condition, edges], 1) if known == 36 else condition
    photo = torch.rand(1, 3, 40, 48)
    mean, log_variance = encoded(photo, encoder)
    first = (mean @ state["fc.weight"].T + state["fc.bias"]).view(1, 16 * B, *start)
    theirs = (spade(condition, state, ups, first) + 1) / 2
    with torch.no_grad():
        style = ours.style_of(photo)  # type: ignore[operator]
        assert difference(style, mean) < SAME
        assert difference(ours.encoder(photo)[1], log_variance) < SAME  # type: ignore[operator]
        assert difference(ours(labels, *[edges] * (known == 36), style), theirs) < SAME


@pytest.mark.parametrize(
    ("states", "message"),
    [
        (lambda: [styled_state(12, 5, 4)], "a network with an encoder .*: name net_E.pth as a second file"),
        (lambda: [encoder_state()], "it is an encoder of styles alone: name the generator with it"),
        (lambda: [encoder_state(), encoder_state()], "it is an encoder of styles alone"),
        (lambda: [spade_state(12, 5, "batch"), encoder_state()], "trained without an encoder: leave the second file"),
        (lambda: [styled_state(12, 5, 3), encoder_state()], "square or twice as wide, got 3 places"),
        (lambda: [styled_state(12, 5, 4), encoder_state(latent=9)], r"fc_mu.weight must be 10x384, got 9x384"),
    ],
)
def test_halves_of_a_spade_that_do_not_fit_are_refused(
    tmp_path: Path, states: Callable[[], list[State]], message: str
) -> None:
    with pytest.raises(LimnerError, match=message):
        imported(tmp_path, *states())


def test_a_cyclegan_of_gray_pictures_is_refused(tmp_path: Path) -> None:
    state = resnet_state(6, "instance", dropout=False) | {"model.1.weight": torch.zeros(B, 1, 7, 7)}
    with pytest.raises(LimnerError, match="is for 1 channels, and Limner's CycleGAN for RGB alone"):
        imported(tmp_path, state)


def test_affine_instance_norm_has_no_place_in_a_cyclegan(tmp_path: Path) -> None:
    state = resnet_state(6, "instance", dropout=False) | affine("model.2", B)
    with pytest.raises(LimnerError, match=r"must have model\.2\.running_mean, and has none"):
        imported(tmp_path, state)
