"""Options that several commands have."""

import json
from typing import Annotated, Any, Literal

import typer

Device = Annotated[str, typer.Option(help="auto, cpu, cuda or mps.", metavar="NAME")]
Precision = Annotated[
    Literal["fast", "exact"], typer.Option(help="fast: bfloat16 where it pays; exact: float32, bit-stable.")
]
Backend = Annotated[
    Literal["auto", "torch", "onnxruntime", "openvino"],
    typer.Option(help="What computes on the CPU; auto takes the fastest that was measured here."),
]
Memory = Annotated[
    str | None,
    typer.Option(
        metavar="SIZE",
        help="What the process may hold in all, such as 2GB. Without it: half of what is free.",
        show_default=False,
    ),
]
Threads = Annotated[
    int | None,
    typer.Option(min=1, metavar="N", help="CPU threads. Without it: one for each core.", show_default=False),
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object on standard output, and nothing else.")]
Force = Annotated[bool, typer.Option("--force", help="Replace files that are already there.")]


def print_json(value: Any) -> None:
    """One JSON value on standard output; what JSON cannot hold is written as text."""
    print(json.dumps(value, indent=2, ensure_ascii=False, default=str))


def mebibytes(size: int) -> str:
    """A size in bytes as people read it."""
    return f"{size / 2**20:.1f} MiB"
