import subprocess
import sys
from importlib.metadata import version

import pytest

import limner


def test_the_package_and_its_command_line_are_light() -> None:
    code = "import sys, limner, limner.cli.main; print(*({'torch', 'numpy', 'PIL', 'rich'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


def test_a_command_does_not_wait_for_libraries_that_few_need() -> None:
    heavy = "{'scipy', 'kornia', 'onnx', 'onnxruntime', 'openvino', 'av', 'torch._dynamo', 'matplotlib', 'cv2'}"
    code = f"import sys, limner.cli.work.evaluate, limner.cli.work.upscale; print(*({heavy} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


@pytest.mark.parametrize("name", limner.__all__)
def test_every_public_name_is_there(name: str) -> None:
    assert getattr(limner, name) is not None
    assert name in dir(limner)


def test_a_name_is_the_one_of_its_module() -> None:
    from limner.verbs.upscale.upscale import upscale

    assert limner.upscale is upscale
    assert limner.__version__ == version("limner")


def test_another_name_is_refused() -> None:
    with pytest.raises(AttributeError, match="module 'limner' has no attribute 'downscale'"):
        limner.downscale  # noqa: B018


def test_the_command_can_be_run_as_a_module() -> None:
    done = subprocess.run([sys.executable, "-m", "limner", "--version"], capture_output=True, text=True, check=True)
    assert done.stdout == f"limner {limner.__version__}\n"
