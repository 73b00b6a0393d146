"""Captions of one checkpoint for the clips of several corpora, stored as JSON Lines.

An interrupted run resumes, and results can be computed again without the model.

A file has the captions of one folder of audio by one checkpoint with one number of samples. Its name has a
hash of these, so that predictions of different models never mix. Captions are parsed when they are read, by
the current parser. `read_predictions` reads these files, too.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from budew.captions.parse import parse
from budew.corpora.clip import Clip
from budew.corpora.sources import Progress, counted
from budew.errors import InputError
from budew.evaluation.pairs import Skipped
from budew.evaluation.prediction_files import Prediction
from budew.evaluation.predictors import ModelPredictor
from budew.inference.options import ModelOptions, WritingOptions
from budew.io import strict_json
from budew.profile import VoiceProfile

if TYPE_CHECKING:
    from budew.inference import CaptionedRecording, FailedRecording


class CaptionCache:
    """Stored captions of one checkpoint, which is loaded only if a clip has no caption yet."""

    def __init__(
        self, folder: Path, options: ModelOptions | None = None, *, num_samples: int = 0, batch_size: int = 16
    ) -> None:
        """Store captions in `folder`, which is created.

        Args:
            folder: folder for the files.
            options: checkpoint, backend and device; default: the checkpoint in the package.
            num_samples: number of captions sampled for each window, besides the greedy caption.
            batch_size: number of windows captioned at once.

        Raises:
            CheckpointError: there is no such checkpoint.
        """
        from budew.model.checkpoint import find_checkpoint  # torch takes seconds

        options = options or ModelOptions()
        writing = WritingOptions(num_beams=1, num_samples=num_samples, batch_size=batch_size)
        self.folder = folder
        self.num_samples = num_samples
        self.name = " + ".join(find_checkpoint(checkpoint)[1] for checkpoint in options.checkpoints)
        self.predictor = ModelPredictor(options, writing)
        precision = f"/{options.dtype}" if options.dtype else ""
        self._made_of = f"{self.predictor.model}/{num_samples}{precision}"

    def path(self, corpus: str, audio: Path) -> Path:
        """Return the path of the file for a corpus.

        Args:
            corpus: name of the corpus, with which the name of the file begins.
            audio: folder that the clips are read from.
        """
        key = hashlib.sha256(f"{self._made_of}/{audio.resolve()}".encode(errors="surrogateescape"))
        return self.folder / f"{corpus}-{key.hexdigest()[:8]}.jsonl"

    def predict(
        self,
        corpus: str,
        audio: Path,
        clips: Iterable[Clip],
        skipped: list[Skipped],
        progress: Progress | None = None,
    ) -> dict[str, Prediction]:
        """Return predictions by id of the clip; clips without a stored caption are captioned first.

        Args:
            corpus: name of the corpus, see `path`.
            audio: folder that the clips are read from.
            clips: clips with distinct ids.
            skipped: clips that cannot be captioned, or only in part, are added.
            progress: called after each clip that is captioned.

        Raises:
            InputError: a line of the file is damaged.
            JobError: the model itself failed.
        """
        path, wanted = self.path(corpus, audio), list(clips)
        stored = _read(path)
        missing = [clip for clip in wanted if clip.id not in stored]
        if missing:
            path.parent.mkdir(parents=True, exist_ok=True)
            captioned = counted(self.predictor.captioner.caption_clips(missing), progress)
            with path.open("a", encoding="utf-8") as file:
                for clip, result in zip(missing, captioned, strict=True):
                    record = _record(clip.id, result, sampled=bool(self.num_samples))
                    file.write(json.dumps(record, ensure_ascii=False, allow_nan=False) + "\n")
                    file.flush()
                    stored[clip.id] = _prediction(record)
        found = {}
        for clip in wanted:
            prediction = stored[clip.id]
            if isinstance(prediction, Prediction):
                found[clip.id] = prediction
            else:
                skipped.append(Skipped(clip.id, prediction))
        return found


def _record(id: str, result: "CaptionedRecording | FailedRecording", *, sampled: bool) -> dict[str, Any]:
    """Return the line of a clip. A damaged clip gets no caption, as its label holds for the whole clip."""
    from budew.inference import FailedRecording

    fault = result.reason if isinstance(result, FailedRecording) else result.damaged
    if fault or isinstance(result, FailedRecording):
        return {"id": id, "caption": None, "error": fault}
    windows = [{"start": one.start, "end": one.end, "text": one.text} for one in result.windows]
    means = {"expected": result.expected.to_dict()} if sampled else {}
    return {"id": id, "caption": result.caption, "windows": windows, **means}


def _prediction(record: Mapping[str, Any]) -> Prediction | str:
    """Return the prediction of a line, or why there is none."""
    from budew.inference.captioned_recording import WindowCaption, pooled_profile

    if record["caption"] is None:
        return str(record["error"])
    windows = [
        WindowCaption(one["start"], one["end"], one["text"], _parsed(one["text"]))
        for one in record["windows"]
    ]
    means = record.get("expected")
    return Prediction(pooled_profile(windows), record["caption"], means and VoiceProfile.from_dict(means))


def _parsed(text: str) -> VoiceProfile:
    """Return the profile of a caption; one without rated emotions if the caption was withheld."""
    return parse(text).profile if text else VoiceProfile(None)


def _read(path: Path) -> dict[str, Prediction | str]:
    """Return the lines of a file by id; cut off a last line that a killed run left incomplete."""
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
            found[record["id"]] = _prediction(record)
        except (InputError, KeyError, TypeError) as error:
            fault = f"is damaged ({error}): remove the line to have its clip captioned again"
            raise InputError(f"{path} line {number} {fault}") from error
    return found
