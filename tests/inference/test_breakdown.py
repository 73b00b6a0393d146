"""A model that breaks down is one sentence with the recording and the remedy."""

import json
import shutil
import subprocess
import sys

import pytest

from budew.inference import Captioner, CaptioningError

IN_LITTLE_MEMORY = """
import resource, sys
from pathlib import Path
import numpy as np
from budew.inference import Captioner, CaptioningError

captioner = Captioner.from_pretrained(sys.argv[1], device="cpu", batch_size=100, beams=64)
noise = np.random.default_rng(0).normal(0, 0.1, 200 * 16_000).astype(np.float32)
captioner(noise[:16_000], sampling_rate=16_000)  # loads what is loaded late
used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (used + 40_000_000, resource.RLIM_INFINITY))
try:
    captioner(noise, sampling_rate=16_000)
except CaptioningError as error:
    print(error)
"""


def test_too_little_memory_advises_a_smaller_batch(whisper_folder):
    ran = subprocess.run(
        [sys.executable, "-c", IN_LITTLE_MEMORY, whisper_folder], capture_output=True, text=True
    )
    assert ran.stdout == (
        "samples: out of memory on cpu with 100 windows at once: "
        "use a smaller --batch-size than 100, or --device cpu\n"
    ), ran.stderr


def test_a_model_that_fails_is_told_with_the_recording_and_the_reason(whisper_folder, sounds, tmp_path):
    folder = shutil.copytree(whisper_folder, tmp_path / "broken")
    settings = json.loads((folder / "generation_config.json").read_text())
    settings["decoder_start_token_id"] = 99_999  # a token that the model does not have
    (folder / "generation_config.json").write_text(json.dumps(settings))
    captioner = Captioner.from_pretrained(folder, device="cpu")
    with pytest.raises(CaptioningError, match=r"a\.wav: the model failed on cpu \(IndexError: ") as caught:
        list(captioner.caption_files([sounds / "a.wav", sounds / "b.flac"]))
    assert "\n" not in str(caught.value)
