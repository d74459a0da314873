import torch

from limner.data.labelled import LabelledPictures
from limner.measure import generation


def test_samples_of_their_class_are_told_from_others(monkeypatch) -> None:
    """Class k is a picture of the gray k / 10; one generator obeys, one makes the next class."""
    labels = torch.arange(40) % 4
    real = LabelledPictures((labels * 255 // 10).to(torch.uint8)[:, None, None, None].expand(-1, 1, 2, 2), labels)

    def made(shift: int):
        def generate(model, classes, *, count, device):
            return (((torch.arange(count) + shift) % 4) / 10)[:, None, None, None].expand(-1, 1, 2, 2)

        return generate

    found = []
    for shift in (0, 1):
        monkeypatch.setattr(generation, "generate", made(shift))
        report = generation.generation_report("model", real, real, each=3)
        ((case, figures),) = report.metrics["parzen"].items()
        found.append(figures)
        assert case == "40 pictures"
    assert [one["class_accuracy"] for one in found] == [1.0, 0.0]
    assert found[0]["log_likelihood"] == found[1]["log_likelihood"]  # blind to classes
    assert found[0]["log_likelihood"] > 0
