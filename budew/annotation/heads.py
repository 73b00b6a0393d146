"""Annotation by regression heads on a Whisper encoder: 40 emotions and the voice attributes of a clip.

One pass of the encoder serves all heads, which then take the batch one after the other. A published flattened
head has 295 MB of weights to be read, so a clip takes less time in a larger batch. On a CPU they stay mapped
into memory, on a GPU they lie there in half precision as far as there is room.

Clips longer than the window of the encoder are cut into windows, and scores are means over them, weighted
by their seconds; the published code cuts off what is behind 30 s. Scores depend on the rest of the batch by
rounding alone: by less than 0.001 in float32, 0.02 in the half precision of a GPU.
"""

import json
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from itertools import islice
from math import inf, isfinite
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray

from budew.annotation.head_files import (
    Head,
    check_encoder,
    find_heads,
    is_pooled,
    load_heads,
    notes_on,
    pool,
)
from budew.audio.samples import Window, warn_of_damage, windows
from budew.corpora.clip import Clip
from budew.errors import AudioError, CheckpointError, CorpusError, InputError, JobError, first_line
from budew.io.disk import fingerprint
from budew.jobs import OnFailed
from budew.model.checkpoint import identity
from budew.model.encoder import PUBLISHED, Encoder, load_encoder
from budew.profile import VoiceProfile
from budew.taxonomy import ATTRIBUTES, EMOTIONS
from budew.taxonomy.scales import SCALES, to_intensity

Samples = NDArray[np.float32]

SCALE = SCALES["bud-e"]
"""Of the emotions, 0 to 4: the annotation that the published heads were trained on."""
FAINTEST = 0.5
"""On that scale: less rounds to the level "absent", and is. A head is never quite silent, and most emotions
are absent from most clips: on 300 synthetic ones of unseen voices this raises the mean Spearman correlation
with the reference from 0.24 to 0.61, at the same Pearson of 0.72."""
FIELD = "heads"
"""Name in the metadata of all scores as the heads gave them, also those of no emotion or attribute."""
ROOM = 0.6
"""Share of a GPU's free memory that weights of heads may take."""
SHORTEST = 0.025
"""Seconds: one frame of Whisper's spectrogram."""
SURE = 1.0
"""On the scale of Gender, -2 to 2: from here on it becomes a word too. Of 19 published scores that reach
it, 3 differ from what a listening model wrote. Of Age no word is made: the same scores crowd between 2.6 and
3.6."""
DIGITS = 4


@dataclass(frozen=True, slots=True)
class AnnotateByHeads:
    """The job `annotate heads`.

    Attributes:
        heads: folder of `model_<Name>_best.pth`, or a `.safetensors` file.
        encoder: checkpoint that the heads were made for, a folder or a hub id; None for the one that is noted
            beside the heads, else laion/BUD-E-Whisper.
        device: as of `load_encoder`.
        batch_size: windows at once.
    """

    heads: str | Path
    encoder: str | Path | None = None
    device: str | None = None
    batch_size: int = 16
    name: ClassVar[str] = "annotate"

    def settings(self) -> Mapping[str, Any]:
        """Return the settings that determine the output: hashes of the weights of heads and encoder."""
        files = find_heads(self.heads)
        return {"by": "heads", "heads": fingerprint(files), "encoder": identity(self._encoder())}

    def run(self, clips: Iterator[Clip], failed: OnFailed) -> Iterator[Clip]:
        """Annotate clips in their order; JobError where heads, encoder, device or memory do not do."""
        try:
            note = self.settings()
            bank = _bank(self.heads, self._encoder(), self.device, json.dumps(note))
        except (CheckpointError, OSError, RuntimeError) as error:
            raise JobError(str(error)) from error
        yield from _annotate(clips, failed, bank, self.batch_size, note)

    def _encoder(self) -> str | Path | None:
        if self.encoder is not None:
            return self.encoder
        notes = notes_on(self.heads)
        return PUBLISHED if notes is None else notes.get("encoder")


@dataclass(frozen=True, slots=True)
class Bank:
    """Heads ready on the device of their encoder, as far as there is room."""

    encoder: Encoder
    pooled: tuple[Head, ...]
    flattened: tuple[Head, ...]

    @classmethod
    def build(cls, heads: Sequence[Head], encoder: Encoder) -> "Bank":
        """Sort heads by what they take, and move them to where the encoder is; see `is_pooled`."""
        device, pooled, flattened = encoder.device, [], []
        room = inf if device.type == "cpu" else 0.0  # a CPU maps the weights
        if device.type == "cuda":
            room = ROOM * torch.cuda.mem_get_info(device)[0]
        for head in heads:
            room -= 2 * head.layers[0][0].numel()
            if is_pooled(head, positions=encoder.positions, width=encoder.width):
                pooled.append(head.on(device, torch.float32))
            else:
                flattened.append(_placed(head, device) if room > 0 else head)
        return cls(encoder, tuple(pooled), tuple(flattened))

    def scores(self, samples: Sequence[Samples]) -> list[dict[str, float]]:
        """Return the scores of each window by the names of the heads; `samples` as in `Encoder.states`."""
        with torch.inference_mode():
            states = self.encoder.states(samples)
            pooled, flat = pool(states), states.flatten(1)
            found = {head.name: head(pooled).tolist() for head in self.pooled}
            found |= {head.name: _placed(head, flat.device)(flat).tolist() for head in self.flattened}
        return [{name: column[row] for name, column in found.items()} for row in range(len(samples))]


@dataclass(slots=True)
class _Pending:
    """A clip whose windows are not all scored yet."""

    clip: Clip
    seconds: list[float] = field(default_factory=list)
    scores: list[dict[str, float]] = field(default_factory=list)
    read: bool = False
    error: Exception | None = None

    def windows(self, encoder: Encoder) -> Iterator[Samples]:
        """Give the samples of each window; what goes wrong is kept in `error`."""
        name = f"clip {self.clip.id!r}"
        try:
            for window in encoder_windows(self.clip, encoder):
                if window.end < SHORTEST:
                    raise AudioError(f"{name}: lasts {window.end * 1000:.1f} ms, too short: leave it out")
                warn_of_damage(window.damage)
                self.seconds.append(window.end - window.start)
                yield window.samples
        except Exception as error:  # noqa: BLE001  # whatever happens to one clip, the others continue
            self.error = error
        self.read = True

    @property
    def complete(self) -> bool:
        return self.read and len(self.scores) == len(self.seconds)

    def scored(self, note: Mapping[str, Any]) -> Clip:
        """Return the clip with the mean scores over the windows, weighted by their seconds."""
        if self.error is not None:
            raise self.error
        rows, total = list(zip(self.scores, self.seconds, strict=True)), sum(self.seconds)
        mean = {
            name: round(sum(row[name] * seconds for row, seconds in rows) / total, DIGITS)
            for name in self.scores[0]
        }
        return with_scores(self.clip, mean, note)


def encoder_windows(clip: Clip, encoder: Encoder) -> Iterator[Window]:
    """Return the windows of a clip that an encoder takes; errors are those of `budew.audio.windows`."""
    seconds, rate = encoder.window_seconds, encoder.sampling_rate
    return windows(clip.audio, seconds=seconds, sampling_rate=rate, name=f"clip {clip.id!r}")


@lru_cache(maxsize=1)
def _bank(heads: str | Path, encoder: str | Path | None, device: str | None, _state: str) -> Bank:
    """Load heads and encoder once for all shards of a process; `_state` changes with their content."""
    check_encoder(heads, encoder)
    return Bank.build(load_heads(heads), load_encoder(encoder, device=device))


def _annotate(
    clips: Iterator[Clip], failed: OnFailed, bank: Bank, batch_size: int, note: Mapping[str, Any]
) -> Iterator[Clip]:
    """Score windows in batches, whatever clips they are of, and pass on the clips that are complete."""
    waiting: deque[_Pending] = deque()

    def opened() -> Iterator[tuple[_Pending, Samples]]:
        for clip in clips:
            waiting.append(pending := _Pending(clip))
            yield from ((pending, samples) for samples in pending.windows(bank.encoder))

    windows = opened()
    while (batch := list(islice(windows, batch_size))) or waiting:
        _score(batch, bank)
        while waiting and waiting[0].complete:
            pending = waiting.popleft()
            try:
                yield pending.scored(note)
            except (CorpusError, InputError) as error:
                failed(pending.clip.id, error)


def _score(batch: list[tuple[_Pending, Samples]], bank: Bank) -> None:
    if not batch:
        return
    try:
        rows = bank.scores([samples for _, samples in batch])
    except (RuntimeError, MemoryError) as error:
        raise JobError(
            f"{len(batch)} windows cannot be scored on {bank.encoder.device} ({first_line(error)[:200]}): "
            "use a smaller --batch-size, or another --device"
        ) from error
    for (pending, _), row in zip(batch, rows, strict=True):
        pending.scores.append(row)


def with_scores(clip: Clip, scores: Mapping[str, float], made_by: Mapping[str, Any]) -> Clip:
    """Return the clip with a profile of scores, by the names of the heads; what they do not score stays.

    Published heads pass the ends of a scale (Arousal 4.3 of 4, Valence -3.7 of -3); such a score counts as
    the end. Scores of no emotion or attribute go to the metadata alone, as does the note `made_by`.

    Raises:
        InputError: a score is not a number.
    """
    before = clip.profile or VoiceProfile(emotions=None)
    emotions, traits = dict(before.emotions), dict(before.traits)
    for name, score in scores.items():
        if name in EMOTIONS and score < FAINTEST:
            emotions[name] = 0.0
        elif (name in EMOTIONS or name in ATTRIBUTES) and not isfinite(score):
            raise InputError(
                f"{name} is {score:g}, which is not a finite number: leave the head or the clip out"
            )
        elif name in EMOTIONS:
            emotions[name] = round(to_intensity(SCALE.clipped(score), SCALE), DIGITS)
        elif name in ATTRIBUTES:
            traits[name] = round(ATTRIBUTES[name].scale.clipped(score), DIGITS)
    if abs(number := scores.get("Gender", 0.0)) >= SURE:
        traits.setdefault("gender", "female" if number > 0 else "male")
    profile = VoiceProfile(emotions, before.bursts, traits, rated={*before.rated, *emotions})
    metadata = {**clip.metadata, FIELD: dict(scores), "annotated_by": dict(made_by)}
    return replace(clip, profile=profile, metadata=metadata)


def _placed(head: Head, device: torch.device) -> Head:
    """Return a flattened head on a device: in half precision on a GPU, in full elsewhere."""
    return head.on(device, torch.float16 if device.type == "cuda" else torch.float32)
