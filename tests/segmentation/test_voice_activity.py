"""Speech is heard as such, and the size of a block changes nothing."""

import subprocess
import sys

import numpy as np
import pytest

from budew.segmentation.voice_activity import FRAME, Frames, detect_speech


def detected(*samples, **options) -> Frames:
    return Frames(*map(np.concatenate, zip(*detect_speech(samples, **options), strict=True)))


@pytest.mark.parametrize("block", [1, 7, 512])
def test_probabilities_do_not_depend_on_the_block_size(compose, block):
    samples = compose([0.5, "0", 1.0, "1", 0.3]).samples
    whole = detected(samples, block=10_000)
    places = np.random.default_rng(1).integers(0, len(samples), 40)
    parts = detected(*np.split(samples, sorted(places)), block=block)
    assert np.array_equal(parts.probabilities, whole.probabilities)
    assert np.array_equal(parts.powers, whole.powers)
    assert len(parts.powers) == -(-len(samples) // FRAME)


def test_probabilities_equal_those_of_the_silero_package(compose):
    silero = pytest.importorskip("silero_vad")
    torch = pytest.importorskip("torch")
    samples = compose([0.5, "0", 1.0, "2"]).samples
    own = detected(samples, block=100).probabilities
    assert np.array_equal(own, silero.load_silero_vad(sequence=True).audio_forward(samples))
    streamed = silero.load_silero_vad(onnx=True).audio_forward(torch.from_numpy(samples), 16_000).numpy()[0]
    assert np.abs(own - streamed).max() < 1e-4


def test_the_power_of_a_frame_is_its_mean_square():
    assert detected(np.full(FRAME * 3, 0.5, np.float32)).powers == pytest.approx(0.25)


def test_detection_does_not_import_silero_or_torch():
    program = (
        "import sys, numpy as np\n"
        "from budew.segmentation.voice_activity import detect_speech\n"
        "print(len(list(detect_speech([np.zeros(16000, np.float32)]))), 'silero_vad' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["1", "False"]
