"""CPU time is counted once, of all processes of a tree, and what idling costs is left out."""

import subprocess
import sys
import time
from types import SimpleNamespace

import psutil
import pytest

from bench.speed import cpu

_BURN = "import time\nwhile time.process_time() < {}: pass"
_PARENT = f"""
import subprocess, sys, time
subprocess.run([sys.executable, "-c", {_BURN.format(0.3)!r}])
child = subprocess.Popen([sys.executable, "-c", {(_BURN.format(0.3) + chr(10) + "time.sleep(60)")!r}])
print("ready", flush=True)
time.sleep(60)
"""


def test_times_of_processes_and_of_their_ended_children_add_up() -> None:
    times = [
        SimpleNamespace(user=1.0, system=0.5, children_user=0.25, children_system=0.125),
        SimpleNamespace(user=8.0, system=4.0, children_user=0.0, children_system=0.0),
    ]
    assert cpu.seconds(times) == 13.875


def test_what_idling_costs_in_the_same_time_is_left_out() -> None:
    idle = cpu.Spent(cpu=0.5, wall=10)  # a twentieth of a core
    assert cpu.Spent(cpu=3, wall=20).beyond(idle) == 2
    assert cpu.Spent(cpu=0.1, wall=20).beyond(idle) == 0
    assert cpu.Spent(cpu=3, wall=2).cores == 1.5


def test_meter_counts_children_that_ended_and_those_that_live() -> None:
    process = subprocess.Popen([sys.executable, "-c", _PARENT], stdout=subprocess.PIPE, text=True)
    try:
        meter = cpu.Meter(process.pid)
        assert process.stdout is not None
        process.stdout.readline()
        began = time.monotonic()
        spent = 0.0
        while spent < 0.55 and time.monotonic() < began + 120:
            spent += meter.read().cpu
        assert spent == pytest.approx(0.65, abs=0.15)  # 0.3 each, and three starts of Python
        assert meter.memory() > 5_000_000
    finally:
        for child in psutil.Process(process.pid).children(recursive=True):
            child.kill()
        process.kill()
        process.wait()


def test_a_tree_that_is_gone_costs_nothing() -> None:
    process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    meter = cpu.Meter(process.pid)
    process.kill()
    process.wait()
    assert meter.read().cpu == 0
    assert meter.memory() == 0
