"""A worker that takes as long as it is told to, and needs no model."""

import os
import sys
import threading
import time
from types import SimpleNamespace
from typing import Any

from limner.cli.progress import Told
from limner.studio import worker as studio_worker
from limner.studio.verbs import Verb


def wait(order: dict[str, Any]) -> dict[str, Any]:
    """Take so many `seconds` at once."""
    time.sleep(order["seconds"])
    return {"waited": order["seconds"]}


def step(verb: Verb, order: dict[str, Any]) -> None:
    """A job of so many `steps`, each of so many `seconds`."""
    for number in range(order["steps"]):
        time.sleep(order["seconds"])
        Told().step(SimpleNamespace(share=(number + 1) / order["steps"]))


def main() -> None:
    """As the real one, with these two."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    studio_worker.run = step
    worker = studio_worker.Worker(answers, {"wait": wait})
    threading.Thread(target=worker.listen, args=(sys.stdin,), daemon=True).start()
    worker.answer(id="hello", answer={})
    worker.serve()


if __name__ == "__main__":
    main()
