"""Captions of one checkpoint for the clips of several corpora, stored as JSON Lines.

An interrupted run resumes, and results can be computed again without the model.

A file belongs to one folder of audio, checkpoint and number of samples; its name has a hash of them, so that
predictions of different models never mix. Captions are parsed when they are read, by the parser of today.
`read_predictions` takes the files as well.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from budew.captions.parse import parse
from budew.corpora.clip import Clip
from budew.corpora.sources import Progress, counted
from budew.errors import InputError
from budew.inference.options import ModelOptions, WritingOptions
from budew.io import strict_json
from budew.profile import VoiceProfile

if TYPE_CHECKING:
    from budew.inference import CaptionedRecording, Captioner, FailedRecording


@dataclass(frozen=True, slots=True)
class CachedCaption:
    """What a model says of a clip.

    Attributes:
        caption: of greedy search; with times, a line for each window of a longer clip.
        profile: its parse.
        expected: plain means over sampled captions; None without samples.
        error: why there is no caption, or only one of a part; "" where there is one.
    """

    caption: str
    profile: VoiceProfile
    expected: VoiceProfile | None = None
    error: str = ""


class CaptionCache:
    """Captions of one checkpoint, which is loaded when a clip has none yet."""

    def __init__(
        self, folder: Path, options: ModelOptions | None = None, *, num_samples: int = 0, batch_size: int = 16
    ) -> None:
        """Store captions in `folder`, which is created.

        Args:
            folder: of the files.
            options: the checkpoint and what runs it; the embedded one where left out.
            num_samples: captions sampled for each window, besides the greedy one.
            batch_size: windows captioned at once.

        Raises:
            CheckpointError: there is no such checkpoint.
        """
        from budew.inference.loading import identity_of  # torch takes seconds
        from budew.model.checkpoint import find_checkpoint

        options = options or ModelOptions()
        self.folder = folder
        self.num_samples = num_samples
        self.name = " + ".join(find_checkpoint(checkpoint)[1] for checkpoint in options.checkpoints)
        precision = f"/{options.dtype}" if options.dtype else ""
        self._made_of = f"{identity_of(options)}/{num_samples}{precision}"
        self._options = options
        self._writing = WritingOptions(num_beams=1, num_samples=num_samples, batch_size=batch_size)

    @cached_property
    def captioner(self) -> "Captioner":
        """The captioner, loaded at the first use."""
        from budew.inference.captioner import Captioner
        from budew.inference.loading import load_backend

        return Captioner(load_backend(self._options), self._writing)

    def path(self, corpus: str, audio: Path) -> Path:
        """Return the file of a corpus in a folder."""
        key = hashlib.sha256(f"{self._made_of}/{audio.resolve()}".encode(errors="surrogateescape"))
        return self.folder / f"{corpus}-{key.hexdigest()[:8]}.jsonl"

    def predict(
        self, corpus: str, audio: Path, clips: Iterable[Clip], progress: Progress | None = None
    ) -> dict[str, CachedCaption]:
        """Return the caption of each clip by id; caption those that have none yet, and store them.

        Args:
            corpus: a name for the file.
            audio: folder that the clips are read from.
            clips: each id once.
            progress: called after each clip that is captioned.

        Raises:
            InputError: a line of the file is damaged.
            JobError: the model itself failed.
        """
        path, wanted = self.path(corpus, audio), list(clips)
        found = _read(path)
        missing = [clip for clip in wanted if clip.id not in found]
        if missing:
            path.parent.mkdir(parents=True, exist_ok=True)
            captioned = counted(self.captioner.caption_clips(missing), progress)
            with path.open("a", encoding="utf-8") as file:
                for clip, result in zip(missing, captioned, strict=True):
                    record = _record(clip.id, result, sampled=bool(self.num_samples))
                    file.write(json.dumps(record, ensure_ascii=False, allow_nan=False) + "\n")
                    file.flush()
                    found[clip.id] = _cached(record)
        return {clip.id: found[clip.id] for clip in wanted}


def _record(id: str, result: "CaptionedRecording | FailedRecording", *, sampled: bool) -> dict[str, Any]:
    """Return the line of a clip. A damaged one has no caption: the label is that of the whole."""
    from budew.inference import FailedRecording

    fault = result.reason if isinstance(result, FailedRecording) else result.damaged
    if fault or isinstance(result, FailedRecording):
        return {"id": id, "caption": None, "error": fault}
    windows = [{"start": one.start, "end": one.end, "text": one.text} for one in result.windows]
    means = {"expected": result.expected.to_dict()} if sampled else {}
    return {"id": id, "caption": result.caption, "windows": windows, **means}


def _cached(record: Mapping[str, Any]) -> CachedCaption:
    from budew.inference.captioned_recording import WindowCaption, pooled_profile

    if record["caption"] is None:
        return CachedCaption("", VoiceProfile(None), error=record["error"])
    windows = [
        WindowCaption(one["start"], one["end"], one["text"], _parsed(one["text"]))
        for one in record["windows"]
    ]
    means = record.get("expected")
    return CachedCaption(record["caption"], pooled_profile(windows), means and VoiceProfile.from_dict(means))


def _parsed(text: str) -> VoiceProfile:
    """Return the parse of a caption; of one that was withheld, nothing is known."""
    return parse(text).profile if text else VoiceProfile(None)


def _read(path: Path) -> dict[str, CachedCaption]:
    """Return the captions of a file by id; cut off a last line that a killed run left incomplete."""
    if not path.exists():
        return {}
    whole, end, incomplete = path.read_bytes().rpartition(b"\n")
    if incomplete:
        with path.open("r+b") as file:
            file.truncate(len(whole + end))
    found = {}
    for number, line in enumerate(whole.split(b"\n") if whole else (), start=1):
        try:
            record = strict_json.loads(line)
            found[record["id"]] = _cached(record)
        except (InputError, KeyError, TypeError) as error:
            fault = f"is damaged ({error}): remove it, and its clip is captioned again"
            raise InputError(f"{path} line {number}: {fault}") from error
    return found
