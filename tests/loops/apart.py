"""Small trainings of systems of the catalog, by one process or by as many as torchrun starts: what they come to."""

import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any
from unittest.mock import patch

import torch
from tests import kit_data
from torch import Tensor

from limner import processes
from limner.catalog.models import build, find
from limner.data.sampler import Samples
from limner.features import vgg16
from limner.loops.checkpoint import seed_everything
from limner.loops.fit import fit
from limner.loops.optimizers import OptimizerConfig
from limner.loops.step_report import StepReport

ROOT = Path(__file__).parents[2]
BATCH, STEPS = 4, 4
TYPICAL = ("dcgan", "cyclegan", "stylegan", "spade", "conditional-gan", "vae", "unet", "vdsr")
"""Batch norm; a pool of pictures; deviations within a group; sums over a batch; dropout; draws like a tensor."""


class Losses:
    """Keeps all losses of all steps."""

    def __init__(self) -> None:
        self.kept: list[list[float]] = []

    def start(self, step: int) -> None:
        pass

    def step(self, report: StepReport) -> None:
        self.kept.append([loss.double().item() for loss in report.losses.values()])

    def close(self) -> None:
        pass


@contextmanager
def in_doubles() -> Iterator[None]:
    """All is computed in float64, also what losses are computed in, and the networks that they look through.

    Those would else take float32, whose rounding depends on how convolutions are computed: by Winograd's way where
    NNPACK was begun with as many threads, as it is in a process that has run other tests.
    """
    narrow = torch.Tensor.float
    torch.set_default_dtype(torch.float64)
    torch.Tensor.float = torch.Tensor.double  # type: ignore[method-assign]
    try:
        with patch.object(vgg16, "dtype_on", lambda place, precision: torch.float64):
            yield
    finally:
        torch.set_default_dtype(torch.float32)
        torch.Tensor.float = narrow  # type: ignore[method-assign]


class Doubles:
    """Samples in float64: what rounding makes of small networks in float32 is larger than what is looked for."""

    def __init__(self, samples: Samples) -> None:
        self.samples = samples

    def __len__(self) -> int:
        return len(self.samples)

    def draw(self, index: int, rng: torch.Generator) -> Any:
        drawn = self.samples.draw(index, rng)
        return type(drawn)(*(one.double() if one.is_floating_point() else one for one in drawn))


def trained(
    name: str, data: Path, run: Path, steps: int, *, resume: bool = False, changes: Sequence[str] = ()
) -> tuple[Tensor, dict[str, Tensor]]:
    """All losses of all steps, and the weights of a system's default preset, made small."""
    entry = find(name)
    preset = entry.default
    kind = preset.data.override([one.removeprefix("data.") for one in entry.small if one.startswith("data.")])
    place = kit_data.placed(data)[type(kind)]
    config = preset.config.override([one for one in entry.small if not one.startswith(("data.", "fit."))])
    own = {
        "steps": steps,
        "batch_size": BATCH,
        "accumulation": 1,
        "precision": "float32",
        "optimizer": OptimizerConfig(kind="sgd", learning_rate=1e-5),
        "players": {},
    }
    losses = Losses()
    seed_everything(0)
    result = fit(
        build(name, config.model_dump(mode="json")).double(), Doubles(kit_data.styled(kind, place).load(place)),
        preset.fit.model_copy(update=own).override(changes), run=run, resume=resume, watchers=[losses],
    )  # fmt: skip
    state = result.system.state_dict()
    return torch.tensor([one for step in losses.kept for one in step]), {
        key: one for key, one in state.items() if isinstance(one, Tensor)
    }


def torchrun(*words: str) -> subprocess.Popen[str]:
    """Two processes of a program."""
    paths = os.pathsep.join(str(ROOT / one) for one in ("src", ".", "tests", "recipes"))
    environment = {**os.environ, "PYTHONPATH": paths, "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    return subprocess.Popen(
        [*command, *words], env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )


def finished(process: subprocess.Popen[str]) -> tuple[str, str]:
    """What they have said, once they have ended well."""
    output, errors = process.communicate(timeout=1800)
    assert process.returncode == 0, errors
    return output, errors


def compare(names: Sequence[str], tmp_path: Path, *changes: str) -> None:
    """Whether two processes have the losses of one, which knows nothing of the changes."""
    data, runs, alone = (tmp_path / name for name in ("data", "together", "alone"))
    for folder in (data, runs):
        folder.mkdir()
    kit_data.made(data)
    finished(torchrun(str(ROOT / "tests/loops/apart.py"), str(data), str(runs), str(STEPS), *names, *changes))
    for name in names:
        with in_doubles():
            losses, _ = trained(name, data, alone / name, STEPS)
        found, _ = torch.load(runs / f"{name}.pt")
        torch.testing.assert_close(found, losses, rtol=1e-6, atol=1e-9, msg=partial("{}: {}".format, name))


def main(data: Path, runs: Path, steps: int, words: list[str]) -> None:
    """Train what the words name, one after the other, and changed as those say that assign something.

    The first process writes what each came to. With the word `resume` they go on from what is there.
    """
    torch.set_num_threads(1)
    changes = [one for one in words if "=" in one]
    with processes.joined("cpu"), in_doubles():
        for name in (one for one in words if one not in (*changes, "resume")):
            made = trained(name, data, runs / name, steps, resume="resume" in words, changes=changes)
            if processes.place().is_first:
                torch.save(made, runs / f"{name}.pt")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]), sys.argv[4:])
