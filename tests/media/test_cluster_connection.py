"""Ctrl-C while a cluster begins: on a Ray that is made up and takes its time, and on a real one."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from tests.coarse_pictures import draw_coarse

import limner as package

SLOW_RAY = """
import sys, threading, time, types
from limner.media.cluster_connection import connected

def init(**_):
    ray.begun_in = threading.current_thread()
    print("beginning", flush=True)
    for _ in range(int(sys.argv[1])):
        time.sleep(0.01)
    print("begun", flush=True)

ray = types.ModuleType("ray")
ray._private = types.SimpleNamespace(worker=types.SimpleNamespace(listen_error_messages=None))
ray.init, ray.is_initialized = init, lambda: False
ray.shutdown = lambda: print("shut down" if ray.begun_in.is_alive() else "died", flush=True)
sys.modules["ray"] = ray
try:
    with connected("ray", lambda text: print(text, flush=True)):
        print("at work", flush=True)
except KeyboardInterrupt:
    print("stopped", flush=True)
"""


@pytest.fixture
def environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(Path(package.__file__).parents[1])}


def begun(environment: dict[str, str], hundredths: int) -> subprocess.Popen[str]:
    """A process whose Ray takes so long, when it has been asked to begin."""
    process = subprocess.Popen(
        [sys.executable, "-c", SLOW_RAY, str(hundredths)], env=environment, text=True, stdout=subprocess.PIPE
    )
    assert process.stdout
    assert process.stdout.readline() == "beginning\n"
    return process


def lines(process: subprocess.Popen[str]) -> Iterator[str]:
    assert process.stdout
    return iter(process.stdout)


def test_the_first_ctrl_c_says_what_it_waits_for_and_leaves_no_ray_half_begun(environment: dict[str, str]) -> None:
    process = begun(environment, 200)
    process.send_signal(signal.SIGINT)
    assert next(lines(process)).startswith("stopping once Ray has begun")
    assert list(lines(process)) == ["begun\n", "shut down\n", "stopped\n"]
    assert process.wait(10) == 0


def test_what_has_begun_ray_stays_as_long_as_its_processes(environment: dict[str, str]) -> None:
    """They die with the thread that began them."""
    process = begun(environment, 1)
    assert list(lines(process)) == ["begun\n", "at work\n", "shut down\n"]


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM])
def test_the_second_ctrl_c_ends_at_once(environment: dict[str, str], sent: signal.Signals) -> None:
    process = begun(environment, 6000)
    process.send_signal(signal.SIGINT)
    assert next(lines(process)).startswith("stopping once Ray has begun")
    asked = time.monotonic()
    process.send_signal(sent)
    assert process.wait(10) == -sent
    assert time.monotonic() - asked < 2


def test_what_ray_says_when_it_cannot_begin_is_told(environment: dict[str, str]) -> None:
    script = SLOW_RAY.replace('    print("begun", flush=True)', '    raise RuntimeError("no room")')
    found = subprocess.run([sys.executable, "-c", script, "1"], env=environment, text=True, capture_output=True)
    assert found.stderr.splitlines()[-1].endswith(
        "ClusterError: ray: no cluster answers (RuntimeError: no room): check the address"
    )


@pytest.fixture
def command(environment: dict[str, str], tmp_path: Path) -> list[str]:
    """On a cluster that begins for it."""
    pytest.importorskip("ray", reason="needs the extra ray")
    environment.pop("RAY_ADDRESS", None)
    photos = draw_coarse(tmp_path / "photos", 2, squares=4, size=(32, 32))
    return [sys.executable, "-m", "limner", "upscale", str(photos), "--on", "ray", "-o", str(tmp_path / "made")]


@pytest.mark.slow
def test_a_real_cluster_that_begins_for_a_run_does_it(
    command: list[str], environment: dict[str, str], tmp_path: Path
) -> None:
    subprocess.run(command, env=environment, check=True, capture_output=True, timeout=250)
    assert sorted(one.name for one in (tmp_path / "made").iterdir()) == ["0_x2.png", "1_x2.png"]


@pytest.mark.slow
@pytest.mark.parametrize("times", [1, 2])
def test_a_real_cluster_that_begins_is_gone_after_ctrl_c(
    command: list[str], environment: dict[str, str], tmp_path: Path, times: int
) -> None:
    process = subprocess.Popen(command, env=environment, text=True, stderr=subprocess.PIPE)
    while not (children := psutil.Process(process.pid).children(recursive=True)):
        assert process.poll() is None
        time.sleep(0.02)
    for _ in range(times):
        process.send_signal(signal.SIGINT)
        time.sleep(0.5)
    _, errors = process.communicate(timeout=120)
    assert errors.startswith("stopping once Ray has begun")
    assert process.returncode == (1 if times == 1 else -signal.SIGINT)
    assert errors.endswith("stopped; finished files are whole\n") == (times == 1)
    assert not [one for one in (tmp_path / "made").rglob("*") if one.is_file()]
    _, alive = psutil.wait_procs([one for one in children if one.is_running()], timeout=30)
    assert [one for one in alive if one.status() != psutil.STATUS_ZOMBIE] == []
