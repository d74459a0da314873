"""What a service is asked to be."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Where a service keeps its files, how it computes, and what it refuses.

    Attributes:
        folder: Of all that it writes: jobs, their files, runs of training.
        models: One's own weight files, and folders of these or of runs.
        device: As commands take it.
        threads: Of the CPU; None takes one for each core.
        max_bytes: Of one request.
        max_pixels: Of one picture that is sent.
        max_memory: Bytes of memory that the process that computes may take.
        max_waiting: Jobs that wait; further ones are refused.
        max_seconds: Of one job.
        max_live_seconds: Of what is made at once, from when it is begun; never more than `max_seconds`.
        max_jobs: That are kept; of more, the oldest that have ended are removed.
        key: That requests must show; None asks for none.
        hosts: Names by which the service may be called beside the one that it listens at.
        page: Whether the page is there.
        train_in: Folders in which data may be named for training; None lets the whole disk be named, as the page of
            one's own machine does.
    """

    folder: Path
    models: tuple[Path, ...] = ()
    device: str = "auto"
    threads: int | None = None
    max_bytes: int = 200 * 2**20
    max_pixels: int = 50_000_000
    max_memory: int = 2**63
    max_waiting: int = 64
    max_seconds: float = 3600.0
    max_live_seconds: float = 120.0
    max_jobs: int = 1000
    key: str | None = None
    hosts: tuple[str, ...] = ()
    page: bool = True
    train_in: tuple[Path, ...] | None = None

    @property
    def runs(self) -> Path:
        """Where training goes on."""
        return self.folder / "runs"

    @property
    def model_places(self) -> list[Path]:
        """Where one's own models may be."""
        return [*(one.resolve() for one in self.models), self.runs.resolve()]

    def of_the_worker(self) -> dict[str, Any]:
        """What the worker's process is told, as plain values."""
        return {
            "models": [str(one) for one in self.model_places],
            "device": self.device,
            "threads": self.threads,
            "max_pixels": self.max_pixels,
        }
