"""The sheet has a row for the content and a row for the style, layer after layer."""

import torch

from limner.experiments.reconstruction import main, sheet, squared


def test_each_row_begins_with_its_source_and_goes_from_layer_to_layer():
    photo, painting = torch.rand(1, 3, 20, 20), torch.rand(1, 3, 20, 20)
    panels = sheet(photo, painting, ["relu1_1", "relu2_1"], steps=1)
    assert [panel.label for panel in panels] == [
        "photo",
        "content relu1_1",
        "content relu2_1",
        "painting",
        "style to relu1_1",
        "style to relu2_1",
    ]
    assert panels[0].image is photo
    assert panels[3].image is painting
    assert all(panel.image.shape == photo.shape for panel in panels)


def test_the_middle_square_is_cut_out():
    image = torch.rand(1, 3, 10, 16)
    assert torch.equal(squared(image), image[..., 3:13])
    assert torch.equal(squared(image.mT), image[..., 3:13].mT)


def test_the_program_writes_its_sheet(tmp_path, capsys):
    main(tmp_path / "sheet.png", size=32, steps=1)
    assert capsys.readouterr().out == f"{tmp_path / 'sheet.png'}\n"
    assert (tmp_path / "sheet.png").is_file()
