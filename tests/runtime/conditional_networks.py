"""Small networks that are given more than a picture, or give more than one: what the runtime must hold."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from limner.ports import PHOTO, Port

LABELS = Port("labels", "label_map", 5)
DIGIT = Port("digit", "class", 10)
VIEW = Port("view", "angle", 2)
LATENT = Port("z", "latent", 6)
RESULT = Port("result", "photo")


class ByClass(nn.Module):
    """A class by an embedding, which shifts and scales, and by one-hot numbers through a linear layer."""

    inputs, outputs = (PHOTO, DIGIT), (RESULT,)

    def __init__(self) -> None:
        super().__init__()
        self.embedding, self.linear = nn.Embedding(10, 8), nn.Linear(10, 4)
        self.head, self.norm, self.tail = nn.Conv2d(3, 4, 3, padding=1), nn.InstanceNorm2d(4), nn.Conv2d(4, 3, 3)

    def forward(self, image: Tensor, digit: Tensor) -> Tensor:
        scale, shift = self.embedding(digit)[:, :, None, None].chunk(2, 1)
        more = self.linear(F.one_hot(digit, 10).to(image.dtype))
        return self.tail(F.pad(self.norm(self.head(image)) * (1 + scale) + shift + more[..., None, None], (1, 1, 1, 1)))


class BroadcastAngle(nn.Module):
    """An angle that lies beside every pixel, in each of the ways to write that."""

    inputs, outputs = (PHOTO, VIEW), (RESULT,)

    def __init__(self, way: str) -> None:
        super().__init__()
        self.way, self.head = way, nn.Conv2d(3, 4, 3, 2, 1)
        self.tail = nn.ConvTranspose2d(6, 3, 4, 2, 1)

    def forward(self, image: Tensor, view: Tensor) -> Tensor:
        x = self.head(image)
        height, width = x.shape[-2:]
        wide = view[:, :, None, None]
        if self.way == "expand":
            wide = wide.expand(-1, -1, height, width)
        elif self.way == "repeat":
            wide = view.view(-1, 2, 1, 1).repeat(1, 1, height, width)
        elif self.way == "ones":
            wide = wide * torch.ones(x.shape[0], 1, height, width, dtype=x.dtype, device=x.device)
        elif self.way == "ones like":
            wide = wide * torch.ones_like(x[:, :1])
        elif self.way == "new ones":
            wide = x.new_ones(x.shape[0], 2, x.size(2), x.size(3)) * wide
        else:
            wide = F.interpolate(wide, size=x.shape[-2:])
        return self.tail(torch.cat([x, wide.sin()], 1))


class Spade(nn.Module):
    """SPADE: the label map, brought to each layer's size, says scale and shift at each place (arXiv:1903.07291)."""

    inputs = (Port("image", "photo", multiple=4), LABELS)
    outputs = (RESULT,)

    def __init__(self, mode: str, one_hot: str = "one_hot") -> None:
        super().__init__()
        self.mode, self.one_hot = mode, one_hot
        self.down = nn.Sequential(nn.Conv2d(3, 4, 3, 2, 1), nn.ReLU(), nn.Conv2d(4, 4, 3, 2, 1))
        self.norm = nn.InstanceNorm2d(4)
        self.shared = nn.Conv2d(5, 6, 3, padding=1)
        self.scale, self.shift = nn.Conv2d(6, 4, 3, padding=1), nn.Conv2d(6, 4, 3, padding=1)
        self.up = nn.Sequential(nn.Upsample(scale_factor=4), nn.Conv2d(4, 3, 3, padding=1))

    def spread(self, labels: Tensor) -> Tensor:
        if self.one_hot == "scatter":
            n, _, height, width = labels.shape
            return torch.zeros(n, 5, height, width, dtype=self.shared.weight.dtype).scatter_(1, labels, 1.0)
        if self.one_hot == "equal":
            return (labels == torch.arange(5, device=labels.device).view(1, 5, 1, 1)).to(self.shared.weight.dtype)
        return F.one_hot(labels.squeeze(1), 5).permute(0, 3, 1, 2).to(self.shared.weight.dtype)

    def forward(self, image: Tensor, labels: Tensor) -> Tensor:
        x = self.down(image)
        maps = self.spread(labels)
        if self.mode == "pool":
            maps = F.adaptive_avg_pool2d(maps, x.shape[-2:])
        else:
            maps = F.interpolate(maps, size=x.shape[-2:], mode=self.mode)
        told = F.relu(self.shared(maps))
        return self.up(self.norm(x) * (1 + self.scale(told)) + self.shift(told))


class Generator(nn.Module):
    """A conditional DCGAN of one doubling: a latent and a class in, a picture of 8x8 out."""

    inputs, outputs = (LATENT, DIGIT), (RESULT,)

    def __init__(self) -> None:
        super().__init__()
        self.embedding, self.linear = nn.Embedding(10, 6), nn.Linear(6, 4 * 4 * 4)
        self.project = nn.ConvTranspose2d(6, 4, 4)
        self.up = nn.Sequential(nn.BatchNorm2d(4), nn.ReLU(), nn.Upsample(scale_factor=2), nn.Conv2d(4, 3, 3, 1, 1))

    def forward(self, z: Tensor, digit: Tensor) -> Tensor:
        small = self.project(z.view(z.size(0), 6, 1, 1)) + self.linear(self.embedding(digit)).view(-1, 4, 4, 4)
        return self.up(small).tanh()


class Mapped(nn.Module):
    """A latent made into a small map, which is enlarged beside the picture's features; and a place's own number."""

    inputs, outputs = (Port("image", "photo", multiple=4), LATENT), (RESULT,)

    def __init__(self, side: int = 4) -> None:
        super().__init__()
        self.side, self.linear = side, nn.Linear(6, 2 * side * side)
        self.head, self.tail = nn.Conv2d(3, 4, 4, 4), nn.ConvTranspose2d(7, 3, 4, 4)

    def forward(self, image: Tensor, z: Tensor) -> Tensor:
        x = self.head(image)
        small = self.linear(z).view(-1, 2, self.side, self.side)
        beside = F.interpolate(small, size=x.shape[-2:], mode="bilinear", align_corners=False)
        row = torch.linspace(-1, 1, x.shape[2], dtype=x.dtype, device=x.device).view(1, 1, -1, 1)
        x = torch.cat([x, beside, row.expand(x.shape[0], 1, -1, x.shape[3])], 1)
        return self.tail(x + row)


class TwoHeaded(nn.Module):
    """A picture twice as large and a mask, after a norm and a pooling that both see."""

    inputs = (PHOTO,)
    outputs = (Port("result", "photo", scale=2), Port("mask", "mask", 1))

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(nn.Conv2d(3, 4, 3, padding=1), nn.InstanceNorm2d(4), nn.ReLU())
        self.picture, self.mask = nn.Conv2d(4, 12, 3, padding=1), nn.Conv2d(4, 1, 5, padding=2)

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor]:
        x = self.body(image)
        return F.pixel_shuffle(self.picture(x), 2), self.mask(x).sigmoid()


class WithScore(TwoHeaded):
    """A mask, and a number for the whole picture."""

    outputs = (Port("mask", "mask", 1), Port("score", "score", 4))

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor]:
        x = self.body(image)
        return self.mask(x), x.amax(1, keepdim=True).mean((2, 3)) + x.mean((2, 3))


class ValidUNet(nn.Module):
    """U-Net with valid convolutions and crops (arXiv:1505.04597), whose pooling and unpooling also share places."""

    inputs = (Port("image", "photo", multiple=4, least=28),)
    outputs = (Port("logits", "logits", 3),)

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = nn.Conv2d(3, 4, 3), nn.Conv2d(4, 8, 3)
        self.up, self.last = nn.ConvTranspose2d(8, 4, 2, 2), nn.Conv2d(8, 3, 3)

    def forward(self, image: Tensor) -> Tensor:
        wide = self.first(image).relu()
        x = self.up(self.second(F.max_pool2d(wide, 2)).relu())
        rows, columns = (wide.shape[2] - x.shape[2]) // 2, (wide.shape[3] - x.shape[3]) // 2
        wide = wide[:, :, rows : rows + x.shape[2], columns : columns + x.shape[3]]
        return self.last(torch.cat([wide, x], 1)).softmax(1)


class Unpooling(nn.Module):
    """What SegNet does: the largest of each window goes back to its own place (arXiv:1511.00561)."""

    inputs, outputs = (Port("image", "photo", multiple=4),), (Port("logits", "logits", 4),)

    def __init__(self) -> None:
        super().__init__()
        self.pool, self.unpool = nn.MaxPool2d(2, return_indices=True), nn.MaxUnpool2d(2)
        self.first, self.second = nn.Conv2d(3, 4, 3, padding=1), nn.Conv2d(4, 4, 3, padding=1)

    def forward(self, image: Tensor) -> Tensor:
        x, outer = self.pool(self.first(image))
        x, inner = F.max_pool2d(self.second(x), 2, return_indices=True)
        x = F.max_unpool2d(self.second(x), inner, 2)
        return self.second(self.unpool(x, outer))


class Segmenter(nn.Module):
    """The number of the likeliest class at each place."""

    inputs, outputs = (PHOTO,), (LABELS,)

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Conv2d(3, 5, 3, padding=1)

    def forward(self, image: Tensor) -> Tensor:
        logits = self.body(image)
        likely = torch.max(logits, 1, keepdim=True)[0]
        return (logits - likely).log_softmax(1).argmax(1, keepdim=True)


class Modulated(nn.Module):
    """A convolution whose weights a latent makes, as in StyleGAN2 (arXiv:1912.04958)."""

    inputs, outputs = (PHOTO, LATENT), (RESULT,)

    def __init__(self) -> None:
        super().__init__()
        self.style = nn.Linear(6, 3)
        self.weight = nn.Parameter(torch.randn(3, 3, 3, 3))

    def forward(self, image: Tensor, z: Tensor) -> Tensor:
        n, _, h, w = image.shape
        weight = self.weight[None] * self.style(z)[:, None, :, None, None]
        weight = weight * weight.square().sum((2, 3, 4), keepdim=True).add(1e-8).rsqrt()
        return F.conv2d(image.reshape(1, n * 3, h, w), weight.flatten(0, 1), padding=1, groups=n).view(n, 3, h, w)
