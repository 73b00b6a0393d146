"""Preview of a job: its results for some clips of a corpus, and where they contradict the clips' profiles.

Random clips are drawn by a hash of the seed and their ids, so their order does not matter.
"""

from dataclasses import dataclass
from heapq import nsmallest
from itertools import islice
from math import ceil
from operator import itemgetter
from pathlib import Path

import numpy as np

from budew.corpora.clip import Clip
from budew.corpora.sources import files_read, is_corpus_file, read
from budew.errors import InputError
from budew.jobs import Job
from budew.profile import VoiceProfile
from budew.randomness import derived_seed

MOST_CLIPS = 10_000
"""Largest number of clips of a preview, which holds them in memory."""
MOST_FILES = 16
"""Largest number of files from which random clips are drawn, so that a huge corpus is not read whole."""


@dataclass(frozen=True, slots=True)
class JobPreview:
    """Results of a job for some clips.

    Attributes:
        clips: clips that the job returned.
        failures: (clip id, error message) of each clip that failed.
        before: clip id → profile that the clip had before the job, if it had one.
    """

    clips: list[Clip]
    failures: list[tuple[str, str]]
    before: dict[str, VoiceProfile]

    def disagreements(self, most: int) -> list[tuple[Clip, VoiceProfile]]:
        """Return the clips whose profile the job changed most, each with its profile before the job.

        At most `most` clips, the largest difference first: the sum of the absolute differences of intensity
        over the emotions that are rated in both profiles. Unchanged clips are left out.
        """
        found = []
        for clip in self.clips:
            if clip.id in self.before and clip.profile is not None:
                change = self.before[clip.id].vector() - clip.profile.vector()
                found.append((-float(np.nansum(np.abs(change))), clip.id, clip))
        largest = nsmallest(most, (entry for entry in found if entry[0] < 0), key=itemgetter(0, 1))
        return [(clip, self.before[id]) for _, id, clip in largest]


def preview_job(
    source: str | Path, job: Job, *, limit: int | None = None, sample: int | None = None, seed: int = 0
) -> JobPreview:
    """Run a job, in this process, on some clips of a corpus; return the new clips and the failures.

    Args:
        source: anything that `budew.read` takes.
        job: job to run.
        limit: number of clips, taken from the beginning of the corpus.
        sample: number of clips drawn at random, from at most `MOST_FILES` files; replaces `limit`.
        seed: seed of the random draw.

    Raises:
        InputError: `limit` or `sample` is more than `MOST_CLIPS`.
    """
    number = sample or limit or 0
    if number > MOST_CLIPS:
        raise InputError(f"a preview holds {MOST_CLIPS:,} clips at most: run the job on the whole corpus")
    chosen = list(islice(read(source), limit)) if sample is None else _drawn(source, sample, seed)
    failures: list[tuple[str, str]] = []
    clips = list(job.run(iter(chosen), lambda id, error: failures.append((id, str(error)))))
    return JobPreview(clips, failures, {clip.id: clip.profile for clip in chosen if clip.profile})


def _drawn(source: str | Path, number: int, seed: int) -> list[Clip]:
    files = [file for file in files_read(source) if is_corpus_file(file)]
    parts: list[str | Path] = [source]
    if len(files) > MOST_FILES:
        parts = [*nsmallest(MOST_FILES, files, key=lambda file: derived_seed(seed, "file", file.name))]

    def rank(clip: Clip) -> int:
        return derived_seed(seed, "clip", clip.id)

    drawn = (clip for part in parts for clip in nsmallest(ceil(number / len(parts)), read(part), key=rank))
    return nsmallest(number, drawn, key=rank)
