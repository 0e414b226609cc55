"""What each effort of the Opus encoder costs and gives, as a table: docs/voice.md has it.

pip install numpy scipy soundfile pesq pystoi visqol-python    (only this program needs them)
cargo build --release -p ossa-codec --example effort
python3 bench/opus/quality.py NAME=FILE...    files are whatever libsndfile reads; those whose name begins with `speech` are judged by PESQ and STOI, others by ViSQOL
"""

import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import soundfile
from pesq import pesq
from pystoi import stoi
from scipy.signal import resample_poly
from visqol import VisqolApi

ROOT = Path(__file__).parents[2]
RATE = 48_000


def load(files):
    """One mono signal of 48 kHz; several files follow each other."""
    parts = []
    for name in files.split(","):
        samples, rate = soundfile.read(name, always_2d=True)
        parts.append(resample_poly(samples.mean(axis=1), RATE, rate))
    signal = np.concatenate(parts)
    return signal * 0.5 / np.abs(signal).max()


def judge(name, original, heard, folder):
    length = min(len(original), len(heard))
    original, heard = original[:length], heard[:length]
    if name.startswith("speech"):
        wide = [resample_poly(signal, 1, 3) for signal in (original, heard)]
        return [pesq(16_000, wide[0], wide[1], "wb"), stoi(wide[0], wide[1], 16_000)]
    files = [str(Path(folder) / f"{which}.wav") for which in ("original", "heard")]
    for file, signal in zip(files, (original, heard)):
        soundfile.write(file, signal, RATE)
    api = VisqolApi()
    api.create(mode="audio")
    return [api.measure(*files).moslqo]


for argument in sys.argv[1:]:
    name, files = argument.split("=", 1)
    original = load(files)
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "in.s16"
        (original * 32_767).astype("<i2").tofile(source)
        run = [str(ROOT / "target/release/examples/effort"), str(source), folder]
        for line in subprocess.run(run, check=True, capture_output=True, text=True).stdout.splitlines():
            bitrate, effort, cost = line.split()
            heard = np.fromfile(Path(folder) / f"{bitrate}-{effort}.s16", "<i2") / 32_768
            values = judge(name, original, heard, folder)
            told = " | ".join(f"{value:.3f}" for value in values)
            print(f"| {name} {len(original) / RATE:.0f} s | {int(bitrate) // 1000} | {effort} | {cost} | {told} |", flush=True)
