"""Synthetic clips per second on one core, compared with espeak-ng alone for the same words."""

import argparse
import time

from budew.synthesis import plan_clip
from budew.synthesis.espeak import Espeak, utterance
from budew.synthesis.speech_signal import formant_factor, synthesize_clip


def main() -> None:
    """Print both rates and their ratio."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").strip())
    parser.add_argument("--n", type=int, default=200, help="number of clips")
    count = parser.parse_args().n
    plans = [plan_clip(number, seed=1, split="train") for number in range(count)]
    requests = [utterance(plan, formants=formant_factor(plan)) for plan in plans]
    with Espeak() as espeak:
        start = time.perf_counter()
        for request in requests:
            espeak.speak(request)
        alone = time.perf_counter() - start
        start = time.perf_counter()
        for plan in plans:
            synthesize_clip(plan, espeak)
        whole = time.perf_counter() - start
    print(f"espeak-ng alone (baseline): {count / alone:7.1f} utterances/s  x 1.00")
    print(f"whole clips:                {count / whole:7.1f} clips/s       x {alone / whole:.2f}")


if __name__ == "__main__":
    main()
