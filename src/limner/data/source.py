"""What every kind of training data has: samples, facts about them, and a sheet that shows a network at work."""

from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, Protocol, Self

from pydantic import Field

from limner.config import Config
from limner.data.folder import find_images
from limner.data.sampler import Samples
from limner.errors import LimnerError
from limner.types import Image


class TrainingData(Samples, Protocol):
    """Samples that `training.train` can also show."""

    def sheet(self, run: Callable[..., Any]) -> Image:
        """A picture of fixed samples, and of what a network makes of each.

        Args:
            run: What the network makes of the `inputs` of a batch: a tensor, or one for each of several outputs.
        """


class DataConfig(Config):
    """How training data are read: the configuration of one kind of data."""

    held_out: float = Field(
        0.0, ge=0, lt=1, description="share of the pictures that training does not see, so that it can be measured"
    )
    part: Literal["training", "held out"] = Field("training", description="which of the two is read")

    @abstractmethod
    def load(self, place: Path, *, memory: int | None = None) -> TrainingData:
        """The samples of a folder, or of a file.

        Args:
            place: The folder or the file.
            memory: Bytes of pictures that are kept; the others are read when they are drawn. None takes
                `photo_cache.USUAL_BYTES`. What is drawn does not depend on it.

        Raises:
            LimnerError: If there are none.
        """

    def files(self, place: Path) -> list[Path]:
        """All files that `load` reads, sooner or later.

        Raises:
            LimnerError: If there are none.
        """
        return [place] if place.is_file() else find_images(place)

    def facts(self, place: Path) -> Mapping[str, Any]:
        """Fields of the system's configuration that the data decide, such as how many classes there are.

        It is asked when a run is planned; what it reads is read again by `load`.
        """
        return {}

    def chosen(self, count: int) -> list[int]:
        """Which of so many pictures are read, by their places.

        Those that are held out lie evenly between the others: a quarter of eight are the third and the seventh.

        Raises:
            LimnerError: If so many are held out that none is left to learn from.
        """
        number = round(self.held_out * count)
        self.refuse_none_left(count, number)
        held_out = {int((place + 0.5) * count / number) for place in range(number)}
        return [place for place in range(count) if (place in held_out) == (self.part == "held out")]

    def refuse_none_left(self, count: int, number: int) -> None:
        """Refuse to train on none of `count` pictures, for `number` are held out.

        Raises:
            LimnerError: If it is so.
        """
        if self.part == "training" and 0 < count <= number:
            raise LimnerError(
                f"a held-out share of {self.held_out:g} must leave pictures to learn from, got {count} and none left: "
                "lower --validation (data.held_out), or add pictures"
            )

    def pictures(self, folder: Path) -> list[Path]:
        """The pictures of a folder that are read.

        Raises:
            LimnerError: If there are none.
        """
        found = find_images(folder)
        return [found[place] for place in self.chosen(len(found))]

    def with_styles(self, pictures: Sequence[Path]) -> Self:
        """The same with pictures whose styles are to be learnt.

        Raises:
            LimnerError: If these data have no place for them, or not for so many.
        """
        raise LimnerError("these data take no style: leave out --style")
