"""How long steps of CycleGAN, DCGAN, SPADE, StyleGAN and BigGAN take: `python -m benchmarks.translation.game_training`.

Limner's loop, and the plain one as it is usually written, with the same networks, start and batch, each in a process of
its own, take turns. Seconds are those of the processor, on one thread, so that a busy machine does not count. The
medians are written to results/game_training.json and .md.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any, Literal

import torch
import torch.nn.functional as F
import typer
from torch import Tensor, nn

from benchmarks.runtime.reports import RESULTS, made_by, publish
from benchmarks.runtime.workers import in_turns, medians, serve, started
from benchmarks.translation.plain_generators import PlainBigGAN, PlainStyleGAN
from limner.data.label_maps import LabelMapped
from limner.data.labelled import Labelled
from limner.data.unpaired import Unpaired
from limner.features.loss_network import loss_network
from limner.layers.growth import GrowthConfig
from limner.layers.label_condition import by_channels
from limner.loops.checkpoint import seed_everything
from limner.loops.fit import Fit, FitConfig
from limner.processor import Machine
from limner.runtime.allocator import keep_freed_memory
from limner.systems.adversarial import biggan, cyclegan, dcgan, spade, stylegan

PLAIN, LIMNER = "plain", "limner"
WAYS = (PLAIN, LIMNER)
AIMS = {"cyclegan": 1.6, "dcgan": 1.3, "spade": 1.5, "stylegan": 1.4, "biggan": 1.4}
"""Times faster: nine blocks, 128x128, the identity loss, one of a kind; 64x64, a batch of 32; 128x128, one; 64x64, a
batch of 24; 32x32, a batch of 50."""
GROWN = stylegan.MODERN.model_copy(update={"growth": GrowthConfig(phase_share=0)})
SLIM_SPADE = spade.MODERN.model_copy(update={"num_classes": 12})
LAYERS = ("relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1")
_RATE, _BETAS = 2e-4, (0.5, 0.999)


def unpaired(side: int = 128) -> Unpaired:
    """Any: a step takes as long for all."""
    return Unpaired(*torch.rand(2, 1, 3, side, side, generator=torch.Generator().manual_seed(0)))


def labelled(side: int = 64, number: int = 32, num_classes: int = 1) -> Labelled:
    """Any, of classes in turn."""
    image = torch.rand(number, 3, side, side, generator=torch.Generator().manual_seed(0))
    return Labelled(image, torch.arange(number) % num_classes)


def label_mapped(side: int = 128) -> LabelMapped:
    """Any, of twelve classes in stripes."""
    label = (torch.arange(side) * 12 // side).expand(1, 1, side, side)
    photo = torch.rand(1, 3, side, side, generator=torch.Generator().manual_seed(0))
    return LabelMapped(label, torch.zeros(1, 0, side, side), photo)


class PlainTraining:
    """Channels first, float32, each network forward for each loss, torch's own Adam."""

    def __init__(self, system: cyclegan.CycleGAN | dcgan.DCGAN | spade.SPADEGame) -> None:
        self.system = system.train()
        self.vgg = loss_network(LAYERS, device=torch.device("cpu"))
        self.of_discriminator, self.of_generator = (
            torch.optim.Adam(one.parameters(), _RATE, _BETAS) for one in (system.discriminator, system.generator)
        )

    def step(self, batch: Any) -> None:
        """One, of any of the systems."""
        if isinstance(self.system, dcgan.DCGAN):
            self._dcgan(self.system, batch)
        elif isinstance(self.system, cyclegan.CycleGAN):
            self._cyclegan(self.system, batch)
        else:
            self._spade(self.system, batch)

    def _dcgan(self, system: dcgan.DCGAN, batch: Labelled) -> None:
        """The discriminator by two passes, each with its own backward pass, then the generator by a third."""
        latent = torch.rand(len(batch.image), system.config.latent_channels)
        self.of_discriminator.zero_grad()
        _cross_entropy(system.discriminator(batch.image), 1.0).backward()
        fake = system.generator(latent)
        _cross_entropy(system.discriminator(fake.detach()), 0.0).backward()
        self.of_discriminator.step()
        self.of_generator.zero_grad()
        _cross_entropy(system.discriminator(fake), 1.0).backward()
        self.of_generator.step()

    def _cyclegan(self, system: cyclegan.CycleGAN, batch: Unpaired) -> None:
        """Six passes of generators and six of discriminators, each alone."""
        there, back, judge = system.generator.a_to_b, system.generator.b_to_a, system.discriminator.judge
        assert back
        fake_b, fake_a = there(batch.a), back(batch.b)
        self.of_discriminator.zero_grad()
        seen: tuple[tuple[Literal["a", "b"], Tensor, Tensor], ...] = (
            ("a", batch.a, system.pool_a(fake_a)), ("b", batch.b, system.pool_b(fake_b)),
        )  # fmt: skip
        for domain, real, fake in seen:
            told = _squares(judge(domain, real), 1.0) + _squares(judge(domain, fake.detach()), 0.0)
            (told / 2).backward()
        self.of_discriminator.step()
        system.discriminator.requires_grad_(False)
        self.of_generator.zero_grad()
        loss = _squares(judge("a", fake_a), 1.0) + _squares(judge("b", fake_b), 1.0)
        for made, true in ((back(fake_b), batch.a), (there(fake_a), batch.b)):
            loss = loss + system.config.cycle_weight * F.l1_loss(2 * made, 2 * true)
        for made, true in ((there(batch.b), batch.b), (back(batch.a), batch.a)):
            loss = loss + system.config.identity_weight * F.l1_loss(2 * made, 2 * true)
        loss.backward()
        self.of_generator.step()
        system.discriminator.requires_grad_(True)

    def _spade(self, system: spade.SPADEGame, batch: LabelMapped) -> None:
        """The generator first, through discriminators that gather gradients too; then a new fake for these."""
        condition, config = by_channels(batch.label, system.config.num_classes), system.config
        self.of_generator.zero_grad()
        fake, divergence = self._styled(system, batch)
        of_fake, of_real = system.discriminator(condition, fake), system.discriminator(condition, batch.photo)
        loss = config.kl_weight * divergence + config.perceptual_weight * self._perceptual(fake, batch.photo)
        for found, wanted in zip(of_fake, of_real, strict=True):
            loss = loss - found[-1].mean() / len(of_fake)
            for one, other in zip(found[:-1], wanted[:-1], strict=True):
                loss = loss + config.feature_weight * F.l1_loss(one, other.detach()) / len(of_fake)
        loss.backward()
        self.of_generator.step()
        self.of_discriminator.zero_grad()
        with torch.no_grad():
            fake, _ = self._styled(system, batch)
        judged = system.discriminator(condition, batch.photo), system.discriminator(condition, fake)
        ends = [[maps[-1] for maps in one] for one in judged]
        hinge = sum(F.relu(1 - real).mean() + F.relu(1 + made).mean() for real, made in zip(*ends, strict=True))
        torch.as_tensor(hinge).backward()
        self.of_discriminator.step()

    @staticmethod
    def _styled(system: spade.SPADEGame, batch: LabelMapped) -> tuple[Tensor, Tensor]:
        """A fake in the photo's own style, and the divergence of that."""
        encoder = system.generator.encoder
        assert isinstance(encoder, spade.Encoder)
        mean, log_variance = encoder(batch.photo)
        latent = mean + torch.randn_like(mean) * (0.5 * log_variance).exp()
        return system.generator(batch.label, latent), spade.divergence(mean, log_variance)

    def _perceptual(self, fake: Tensor, photo: Tensor) -> Tensor:
        found, wanted = self.vgg(fake), self.vgg(photo)
        return torch.stack([F.l1_loss(found[name], wanted[name].detach()) for name in LAYERS]).sum()


def _cross_entropy(logits: Tensor, wanted: float) -> Tensor:
    return F.binary_cross_entropy_with_logits(logits, torch.full_like(logits, wanted))


def _squares(logits: Tensor, wanted: float) -> Tensor:
    return F.mse_loss(logits, torch.full_like(logits, wanted))


def game_of(name: str) -> tuple[Any, Any, FitConfig]:
    """A system of `AIMS` at its start, its batch, and how it is trained, without the average of its weights."""
    system: nn.Module
    batch: Unpaired | Labelled | LabelMapped
    seed_everything(0)
    if name == "cyclegan":
        system, batch, fit = cyclegan.CycleGAN(cyclegan.CYCLEGAN_RELEASED_CODE), unpaired(), cyclegan.FIT_MODERN
    elif name == "spade":
        system, batch, fit = spade.SPADEGame(SLIM_SPADE), label_mapped(), spade.FIT_MODERN
    elif name == "stylegan":
        system, batch, fit = stylegan.StyleGAN(GROWN), labelled(64, 24), stylegan.FIT_MODERN
    elif name == "biggan":
        system, batch, fit = biggan.BigGAN(biggan.MODERN), labelled(32, 50, 10), biggan.FIT_MODERN
    else:
        system, batch, fit = dcgan.DCGAN(dcgan.DCGAN_2016), labelled(), dcgan.FIT_MODERN
    return system, batch, fit.model_copy(update={"ema_decay": None})


def plain_step(name: str) -> Callable[[], Any]:
    """What makes a step of a system in the usual way."""
    system, batch, fit = game_of(name)
    plain = _plain(system, fit)
    return lambda: plain.step(batch)


def _limner_step(name: str) -> Callable[[], Any]:
    system, batch, fit = game_of(name)
    training = Fit(system, fit)
    return lambda: training.step([batch])


def _plain(system: Any, fit: FitConfig) -> PlainTraining | PlainStyleGAN | PlainBigGAN:
    if isinstance(system, stylegan.StyleGAN):
        return PlainStyleGAN(system, fit)
    return PlainBigGAN(system, fit) if isinstance(system, biggan.BigGAN) else PlainTraining(system)


def work(way: str, name: str) -> None:
    """Be the worker of a way: the seconds of a step each time that it is asked."""
    torch.set_num_threads(1)
    if way == LIMNER:
        keep_freed_memory()
    step = _limner_step(name) if way == LIMNER else plain_step(name)

    def answer(question: Any) -> float:
        begun = time.process_time()
        step()
        return time.process_time() - begun

    serve(answer)


def measure(name: str, steps: int) -> dict[str, Any]:
    """The figures of a system."""
    with started(Path(__file__), WAYS, "--system", name) as workers:
        return medians(in_turns(workers, steps - 1), PLAIN)


def report(found: dict[str, Any]) -> Iterator[str]:
    """The lines of the Markdown report."""
    yield "# Training CycleGAN, DCGAN, SPADE, StyleGAN and BigGAN"
    yield from ("", made_by(found), "")
    yield f"{found['steps']} steps of each way in turns: CycleGAN of nine blocks on one picture of 128x128 of either"
    yield "kind, with the identity loss; DCGAN on 32 pictures of 64x64; SPADE on one label map of 128x128; StyleGAN on"
    yield "24 pictures of 64x64, grown; BigGAN on 50 of 32x32 for two steps of its discriminator and one of its"
    yield "generator. *plain* is float32, channels first, malloc as it is, torch's own Adam, a pass of a network for"
    yield "each loss, of BigGAN one for real and fake pictures; *limner* is its loop as modern trains. Both have the"
    yield "paper's networks, but for SPADE, StyleGAN and BigGAN, which have those of modern. R1 of StyleGAN falls on"
    yield "each 16th step of both, which medians leave out. Seconds of the processor, on one thread."
    yield from ("", "| system | way | seconds a step | times faster |", "|---|---|---|---|")
    for name, one in found["systems"].items():
        for way in WAYS:
            yield f"| {name} | {way} | {one['seconds'][way]:.3f} | {one['times_faster'][way]:.2f} |"
    for name, one in found["systems"].items():
        met = "met" if one["times_faster"][LIMNER] >= AIMS[name] else "**missed**"
        yield from ("", f"{name}: aim: {AIMS[name]:g} times faster: {met}.")


def main(
    system: Annotated[list[str] | None, typer.Option(help=f"{', '.join(AIMS)}; again for several.")] = None,
    steps: Annotated[int, typer.Option(min=2, help="Of each way.")] = 8,
    out: Annotated[Path, typer.Option(help="Folder of the report.")] = RESULTS,
    way: Annotated[str | None, typer.Option(hidden=True)] = None,
) -> None:
    """Measure and write the report."""
    systems = system or [*AIMS]
    if way:
        work(way, systems[0])
        return
    found = {
        "machine": asdict(Machine.here()),
        "command": "python -m benchmarks.translation.game_training",
        "steps": steps,
        "systems": {name: measure(name, steps) for name in systems},
    }
    publish("game_training", found, report(found), out)


if __name__ == "__main__":
    typer.run(main)
