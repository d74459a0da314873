"""What a command took: seconds and memory."""

import time

from limner.processor import peak_bytes


class Cost:
    """Counts from when it is made."""

    def __init__(self) -> None:
        self._start = time.perf_counter()

    @property
    def seconds(self) -> float:
        """Wall clock so far."""
        return round(time.perf_counter() - self._start, 3)

    @property
    def peak_memory(self) -> int:
        """The most memory that this process has held, in bytes."""
        return peak_bytes()

    def line(self) -> str:
        """Both, for people."""
        return f"{self.seconds:.1f} s, {self.peak_memory / 2**20:.0f} MiB at the peak"
