"""Caption a folder of recordings: a line of JSON for each, with the caption and all 40 scores.

    python examples/caption_folder.py RECORDINGS captions.jsonl
    python examples/caption_folder.py RECORDINGS captions.jsonl laion/BUD-E-Whisper

Recordings can have any audio format and length. The third argument is a checkpoint; without it, the
checkpoint in the package is used, which needs no network.
`budew caption RECORDINGS -o captions.jsonl --format jsonl --scores` does the same, and can be resumed.
"""

import sys
from pathlib import Path

from budew import Captioner
from budew.inference import OutputOptions, caption_files, to_records, write_results


def main(recordings: str, out: str, model: str | None = None) -> bool:
    """Caption recordings; return False if one could not be decoded, which is reported on stderr."""
    captioner = Captioner.from_pretrained(model, num_beams=4)
    results = caption_files(captioner, [recordings])  # one at a time: memory does not grow with the folder
    with Path(out).open("w", encoding="utf-8") as file:
        return write_results(to_records(results), file, OutputOptions("jsonl", scores=True))


if __name__ == "__main__":
    sys.exit(0 if main(*sys.argv[1:]) else 1)
