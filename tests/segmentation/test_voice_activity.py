"""Speech is heard as such, and the size of a block changes nothing."""

import subprocess
import sys

import numpy as np
import pytest

from budew.segmentation.voice_activity import FRAME, Frames, detect_speech, model_name


def heard(samples, **options) -> Frames:
    blocks = list(detect_speech([samples], **options))
    return Frames(
        np.concatenate([block.probabilities for block in blocks]),
        np.concatenate([block.powers for block in blocks]),
    )


@pytest.mark.parametrize("block", [1, 7, 100, 512])
def test_block_by_block_is_bit_equal_to_the_whole(compose, block):
    samples = compose([0.5, "0", 1.0, "1", 0.3]).samples
    whole = heard(samples, block=10_000)
    parts = heard(samples, block=block)
    assert np.array_equal(parts.probabilities, whole.probabilities)
    assert np.array_equal(parts.powers, whole.powers)


def test_it_hears_what_silero_s_own_front_end_hears(compose):
    silero = pytest.importorskip("silero_vad")
    samples = compose([0.5, "0", 1.0, "2"]).samples
    own = heard(samples, block=100).probabilities
    assert np.array_equal(own, silero.load_silero_vad(sequence=True).audio_forward(samples))
    streamed = silero.load_silero_vad(onnx=True).audio_forward(_tensor(samples), 16_000).numpy()[0]
    assert np.abs(own - streamed).max() < 1e-4


def _tensor(samples):
    import torch

    return torch.from_numpy(samples)


def test_samples_may_come_in_pieces_of_any_size(compose):
    samples = compose([0.2, "2", 0.2]).samples
    places = np.random.default_rng(1).integers(0, len(samples), 40)
    pieces = np.split(samples, sorted(places))
    joined = np.concatenate([block.probabilities for block in detect_speech(pieces, block=30)])
    assert np.array_equal(joined, heard(samples).probabilities)
    assert len(joined) == -(-len(samples) // FRAME)


def test_speech_is_likely_where_it_is_and_unlikely_elsewhere(compose):
    made = compose([2.0, "0", 2.0])
    likely = heard(made.samples).probabilities
    start, end = (round(second * 16_000 / FRAME) for second in made.speech[0])
    assert likely[start + 3 : end - 3].mean() > 0.85
    assert likely[: start - 1].max() < 0.4
    assert likely[end + 10 :].max() < 0.4


def test_the_power_of_a_frame_is_its_mean_square():
    assert heard(np.full(FRAME * 3, 0.5, np.float32)).powers == pytest.approx(0.25)


def test_listening_leaves_the_threads_of_torch_alone():
    program = (
        "import sys, numpy as np\n"
        "from budew.segmentation.voice_activity import detect_speech\n"
        "print(len(list(detect_speech([np.zeros(16000, np.float32)]))), 'silero_vad' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["1", "False"]


def test_the_model_has_a_version():
    assert model_name().startswith("silero-vad 6.")
