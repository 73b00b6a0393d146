"""Fine-tune a Whisper on a captioned corpus, and caption a recording with the result.

    python examples/fine_tune.py TRAIN VALIDATION OUT RECORDING
    python examples/fine_tune.py TRAIN VALIDATION OUT RECORDING model.base=openai/whisper-small

TRAIN and VALIDATION are corpora with profiles or captions, by different speakers. Further arguments change
fields of the recipe; `budew recipes whisper-tiny-lora` explains them all. Run it again to resume.
"""

import logging
import sys
from pathlib import Path

from budew import Captioner
from budew.training import train

RECIPE = "whisper-tiny-lora"  # low-rank adapters: fits on a laptop


def main(training: str, validation: str, out: Path, recording: str, *changes: str) -> str:
    """Train, and return the caption of the recording."""
    changes = (f"data.train={training}", f"data.validation={validation}", "target.kind=template", *changes)
    checkpoint = train(RECIPE, out=out, changes=changes)

    captioner = Captioner.from_pretrained(checkpoint)  # a plain Whisper, with the adapters merged
    return captioner(recording).caption


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(message)s")  # losses, validations, sample captions
    print(main(sys.argv[1], sys.argv[2], Path(sys.argv[3]), *sys.argv[4:]))
