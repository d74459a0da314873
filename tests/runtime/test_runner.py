import math
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from limner.errors import LimnerError
from limner.memory import resident_bytes
from limner.runtime import runner as runner_module
from limner.runtime.device import choose_device
from limner.runtime.operators import Region, Span
from limner.runtime.plan import Grid
from limner.runtime.run_options import RunOptions
from limner.runtime.runner import Runner
from limner.runtime.tiling import Tiled
from limner.systems.feedforward.srresnet import SRResNet, SRResNetConfig
from limner.systems.feedforward.vdsr import VDSR, VDSRConfig


def small_vdsr() -> VDSR:
    return VDSR(VDSRConfig(num_layers=4, channels=8)).eval()


class Styled(nn.Module):
    """The parts of a style network: reflection, strides, instance norm, a residual, an enlargement."""

    def __init__(self, channels: int = 8) -> None:
        super().__init__()
        wide = 2 * channels
        self.head = nn.Sequential(
            nn.ReflectionPad2d(4), nn.Conv2d(3, channels, 9), nn.InstanceNorm2d(channels, affine=True), nn.ReLU()
        )
        self.down = nn.Sequential(nn.Conv2d(channels, wide, 3, 2, 1), nn.InstanceNorm2d(wide), nn.ReLU())
        self.block = nn.Sequential(
            nn.ReflectionPad2d(1), nn.Conv2d(wide, wide, 3), nn.InstanceNorm2d(wide), nn.ReLU(),
            nn.ReflectionPad2d(1), nn.Conv2d(wide, wide, 3), nn.InstanceNorm2d(wide),
        )  # fmt: skip
        self.up = nn.Sequential(
            nn.Upsample(scale_factor=2), nn.ReflectionPad2d(1), nn.Conv2d(wide, channels, 3), nn.ReLU()
        )
        self.tail = nn.Sequential(nn.ReflectionPad2d(4), nn.Conv2d(channels, 3, 9))

    def forward(self, x: Tensor) -> Tensor:
        x = self.down(self.head(x))
        return self.tail(self.up(x + self.block(x)))


@pytest.mark.parametrize("precision", ["fast", "exact"])
def test_same_input_same_bits(precision):
    system = small_vdsr()
    runner = Runner(system, RunOptions(device="cpu", precision=precision))
    image = torch.rand(1, 1, 31, 45)
    first = runner(image)
    assert torch.equal(runner(image), first)
    assert torch.equal(Runner(system, RunOptions(device="cpu", precision=precision))(image), first)


@pytest.mark.parametrize("system", [SRResNet(SRResNetConfig(num_blocks=1, channels=8)), Styled()])
@pytest.mark.parametrize("tile", [16, 21, 80])
def test_tiles_do_not_show(system, tile):
    image = torch.rand(1, 3, 48, 66)
    with torch.inference_mode():
        expected = system.eval()(image)
    result = Runner(system, RunOptions(device="cpu", precision="exact", tile=tile))(image)
    torch.testing.assert_close(result, expected, atol=2e-5, rtol=0)


@pytest.mark.parametrize("system", [small_vdsr(), Styled()])
def test_a_picture_that_does_not_fit_is_run_in_parts(system):
    channels = 1 if isinstance(system, VDSR) else 3
    image, told = torch.rand(1, channels, 512, 256), []
    runner = Runner(system, RunOptions(device="cpu", precision="exact", memory=resident_bytes() + 6_000_000))
    runner.on_tile = lambda *progress: told.append(progress)
    assert runner.plan(tuple(image.shape)).grid.rows > 1
    with torch.inference_mode():
        torch.testing.assert_close(runner(image), system.eval()(image), atol=2e-5, rtol=0)
    assert told[-1][0] == told[-1][1] == len(told)


def test_a_picture_that_fits_is_run_whole():
    assert Runner(Styled(), RunOptions(memory=resident_bytes() + 10**9)).plan((1, 3, 64, 64)).grid == Grid(1, 1)


def test_a_budget_below_the_smallest_part_is_refused_with_what_is_needed():
    with pytest.raises(LimnerError, match=r"needs about .* even in the smallest parts, and may take 1 MB: allow more"):
        Runner(Styled(), RunOptions(memory=1_000_000))(torch.rand(1, 3, 64, 64))


class Undecided(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x if x.mean() > 0 else -x


def test_a_network_that_cannot_be_parted_is_run_whole_unless_parts_are_asked_for():
    image = torch.rand(1, 3, 20, 20)
    assert torch.equal(Runner(Undecided())(image), image)
    with pytest.raises(LimnerError, match="cannot be run in tiles"):
        Runner(Undecided(), RunOptions(tile=16))(image)


class Rows:
    """A picture that is never there as a whole."""

    shape = (1, 3, 96, 40)

    def __init__(self) -> None:
        self.most = 0

    def read(self, region: Region) -> Tensor:
        rows, columns = region
        self.most = max(self.most, rows.length)
        y, x = torch.arange(rows.start, rows.stop)[:, None], torch.arange(columns.start, columns.stop)
        return torch.sin(0.3 * y + 0.1 * x * torch.tensor([1, 2, 3])[:, None, None])[None].float()


def test_a_source_is_read_in_parts_and_the_result_comes_in_order():
    source, system = Rows(), Styled().eval()
    whole = Rows().read(Region(Span(0, 96), Span(0, 40)))
    runner = Runner(system, RunOptions(precision="exact", tile=24))
    rows, seen = 0, []
    for region, part in runner.parts(source):
        assert region.rows.start >= rows
        rows = region.rows.start
        seen.append((region, part))
    assert source.most < 96
    result = torch.empty(1, 3, 96, 40)
    for (ys, xs), part in seen:
        result[..., ys.start : ys.stop, xs.start : xs.stop] = part
    with torch.inference_mode():
        torch.testing.assert_close(result, system(whole), atol=2e-5, rtol=0)


def test_verify_measures_the_difference_of_parts_and_whole():
    assert 0 < Runner(Styled(), RunOptions(precision="fast")).verify(torch.rand(1, 3, 64, 48)) < 1e-4


def test_explain_names_the_plan_that_is_chosen():
    runner = Runner(Styled(), RunOptions(memory=resident_bytes() + 40_000_000))
    text, plan = runner.explain((1, 3, 1024, 1024)), runner.plan((1, 3, 1024, 1024))
    starred = next(line for line in text.splitlines() if line.startswith("*"))
    assert starred.split()[1] == str(plan.grid)


def test_threads_are_put_back():
    before = torch.get_num_threads()
    Runner(small_vdsr(), RunOptions(threads=before + 1))(torch.rand(1, 1, 16, 16))
    assert torch.get_num_threads() == before


_MEASURE = """
import torch
from limner.runtime.allocator import keep_freed_memory
from limner.runtime.run_options import RunOptions
from limner.runtime.runner import Runner
from limner.runtime.tiling import Tiled
from tests.runtime.test_runner import Styled
keep_freed_memory(large_blocks=False)
torch.set_num_threads(1)
image = torch.rand(1, 3, 1536, 1536)
Runner(Styled(16), RunOptions(precision="exact", memory={memory}))(image)
with open("/proc/self/status") as status:  # getrusage counts what the parent held when it forked
    print(next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmHWM:")))
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads the peak as Linux tells it")
@pytest.mark.parametrize("memory", [450_000_000, 700_000_000])
def test_peak_memory_stays_near_the_budget(memory):
    root = Path(__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-c", _MEASURE.format(memory=memory)], cwd=root, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) <= 1.25 * memory


def test_device_that_is_not_there_is_refused_in_one_line():
    with pytest.raises(LimnerError, match="device must be one that this machine has"):
        choose_device("tpu")


def test_cpu_is_always_there():
    assert choose_device("cpu") == torch.device("cpu")


class Doubling:
    """An engine that shows that it was asked."""

    name = "onnxruntime"

    def __init__(self, system: nn.Module) -> None:
        self.system, self.calls = system, 0

    def __call__(self, *inputs: Tensor) -> Tensor:
        self.calls += 1
        return self.system(*inputs)


@pytest.fixture
def engines(monkeypatch):
    """Two backends, nothing measured yet; what is asked of them."""
    asked: dict[str, list] = {"made": [], "measured": []}

    def make(name, system, **options):
        asked["made"].append(Doubling(system))
        return asked["made"][-1]

    monkeypatch.setattr(runner_module, "make", make)
    monkeypatch.setattr(runner_module, "installed", lambda: ("torch", "onnxruntime"))
    monkeypatch.setattr(runner_module, "measure", lambda *_, **__: asked["measured"].append(1))
    monkeypatch.setattr(runner_module, "measured_best", lambda *_, **__: "onnxruntime" if asked["measured"] else None)
    return asked


@pytest.mark.parametrize("tile", [None, 16])
def test_a_backend_that_is_named_does_the_work_in_parts_too(engines, tile):
    system, image = small_vdsr(), torch.rand(1, 1, 61, 47)
    runner = Runner(system, RunOptions(backend="onnxruntime", tile=tile))
    with torch.inference_mode():
        torch.testing.assert_close(runner(image), system(image), atol=1e-5, rtol=0)
    assert engines["made"][0].calls == (12 if tile else 1)


def test_auto_is_torch_until_something_was_measured(engines):
    assert Runner(small_vdsr()).backend == "torch"
    assert Runner(small_vdsr(), RunOptions(work=10**6)).backend == "torch"
    assert engines["measured"] == []


def test_auto_measures_when_there_is_much_to_do(engines):
    assert Runner(small_vdsr(), RunOptions(work=10**12)).backend == "onnxruntime"
    assert engines["measured"] == [1]
    assert Runner(small_vdsr()).backend == "onnxruntime"


def test_a_backend_that_is_not_known_is_refused():
    with pytest.raises(LimnerError, match="backend must be one of auto, torch, onnxruntime, openvino"):
        Runner(small_vdsr(), RunOptions(backend="tensorrt"))


@pytest.mark.parametrize("tile", [None, 16])
@pytest.mark.parametrize("precision", ["fast", "exact"])
def test_pictures_of_many_sizes_at_once_are_what_they_are_alone(precision, tile):
    pictures = [torch.rand(1, 3, 32 + 4 * (number % 6), 40) for number in range(18)]
    system = Styled().eval()
    alone = [Runner(system, RunOptions(device="cpu", precision=precision, tile=tile))(one) for one in pictures]
    runner = Runner(system, RunOptions(device="cpu", precision=precision, tile=tile))
    with ThreadPoolExecutor(3) as pool:
        at_once = list(pool.map(runner, pictures))
    assert all(map(torch.equal, at_once, alone))


def test_each_thread_hears_of_its_own_parts():
    runner = Runner(small_vdsr(), RunOptions(device="cpu", tile=16))
    heard: dict[int, list[tuple[int, int]]] = {}

    def run(rows):
        runner.on_tile = lambda done, total: heard.setdefault(rows, []).append((done, total))
        runner(torch.rand(1, 1, 16 * rows, 16))

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(run, (2, 3, 4, 5)))
    assert heard == {rows: [(done + 1, rows) for done in range(rows)] for rows in (2, 3, 4, 5)}
    assert runner.on_tile is None


def test_light_is_what_memory_holds_twice_without_bounds(monkeypatch):
    monkeypatch.setattr(torch, "get_num_threads", lambda: 2)
    photo, system = (1, 1, 256, 256), small_vdsr()
    assert Runner(system, RunOptions(device="cpu")).is_light(photo)
    for bound in ({"memory": 10**12}, {"threads": 2}, {"tile": 64}):
        assert not Runner(system, RunOptions(device="cpu", **bound)).is_light(photo)
    runner = Runner(system, RunOptions(device="cpu", precision="exact"))
    # the input and a feature map of 8 channels and its copy, in float32: 17 numbers or a few more for each pixel
    needed, held = 2 * 2 * 4 * math.prod(photo), resident_bytes()
    monkeypatch.setattr(runner_module, "resident_bytes", lambda: held)
    for numbers, light in ((12, False), (40, True)):
        monkeypatch.setattr(runner_module, "default_budget", lambda free=numbers * needed: held + free)
        assert runner.is_light(photo) == light
    monkeypatch.setattr(torch, "get_num_threads", lambda: 1)
    assert not runner.is_light(photo)


def test_a_network_without_ports_is_light_for_nothing(monkeypatch):
    monkeypatch.setattr(torch, "get_num_threads", lambda: 2)
    assert not Runner(Styled(), RunOptions(device="cpu")).is_light((1, 3, 32, 32))


def test_the_network_is_read_once_for_a_size(monkeypatch):
    read: list[tuple[int, ...]] = []

    def reading(network, shape, **kept):
        read.append(shape)
        return Tiled(network, shape, **kept)

    monkeypatch.setattr(runner_module, "Tiled", reading)
    runner = Runner(small_vdsr(), RunOptions(device="cpu"))
    sizes = [(1, 1, side, 16) for side in (16, 20, 24, 28)]
    for shape in sizes * 3:
        runner(torch.rand(shape))
    assert read == sizes
