"""Profiles from existing labels: those of the corpus, its parsed captions, or a file of labels.

Scores, votes and words of other corpora become profiles when they are read (`budew.corpora.labels`); this job
keeps these profiles and records their origin. If a clip has only captions, they are parsed. A file of labels,
JSON Lines with `id` and `profile`, such as the consensus of raters (`budew.curation.consensus`), is joined to
the clips by their ids.
"""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any, ClassVar

from budew.captions import parse
from budew.corpora.clip import Clip, annotated
from budew.corpora.text_files import check_file, file_lines, json_object, readable
from budew.errors import CorpusError, FilteredError, InputError, JobError
from budew.jobs import OnFailed, each
from budew.profile import VoiceProfile, expectation
from budew.version import __version__

SOURCES = ("profile", "captions")
"""Sources of labels, in the order in which they are tried."""
_DIGITS = 4
_LONGEST_LISTED = 200  # characters


@dataclass(frozen=True, slots=True)
class AnnotateByLabels:
    """The job `annotate labels`: clips with captions or a profile → clips with a profile.

    Attributes:
        source: one of `SOURCES`; None for the first that a clip has.
        labels: file of labels that is used instead of `source`, see `read_labels`; None for no file.

    Example:
        >>> from budew.corpora import Caption, Clip
        >>> clip = Clip("a", b"", "wav", captions=(Caption("A voice full of fear."),))
        >>> annotated = next(AnnotateByLabels("captions").run(iter([clip]), failed=print))
        >>> list(annotated.profile.emotions)
        ['Fear']
    """

    source: str | None = None
    labels: str | Path | None = None
    name: ClassVar[str] = "annotate"

    def __post_init__(self) -> None:
        if self.source not in (None, *SOURCES):
            raise InputError(f"labels come from {' or '.join(SOURCES)}, not from {self.source!r}")
        if self.source and self.labels:
            raise InputError(
                f"labels come from {self.labels} or from the {self.source}: choose one of the two"
            )

    def settings(self) -> Mapping[str, Any]:
        """Return the settings that determine the output, and the version, on which parsing depends."""
        settings = {"by": "labels", "source": self.source, "budew": __version__}
        if self.labels:
            path = Path(self.labels)
            with readable(path), path.open("rb") as file:
                settings["labels"] = hashlib.file_digest(file, "sha256").hexdigest()[:16]
        return settings

    def run(self, clips: Iterator[Clip], failed: OnFailed) -> Iterator[Clip]:
        """Annotate each clip; clips without labels fail, clips that a file of labels lacks are left out."""
        if self.labels is None:
            return each(clips, partial(label_clip, source=self.source), failed)
        try:
            labels = read_labels(self.labels)
        except CorpusError as error:
            raise JobError(str(error)) from error
        return each(clips, partial(join_label, labels=labels), failed)


def read_labels(path: str | Path) -> dict[str, VoiceProfile]:
    """Read JSON Lines with `id` and `profile` as a mapping id → profile; other fields are ignored.

    Raises:
        CorpusError: a line is invalid, or its id occurs twice; the error names file and line.

    Example:
        >>> _ = Path("labels.jsonl").write_text('{"id": "a", "profile": {"emotions": {"Awe": 0.5}}}')
        >>> dict(read_labels("labels.jsonl")["a"].emotions)
        {'Awe': 0.5}
    """
    path, labels = Path(path), dict[str, VoiceProfile]()
    check_file(path)
    for number, line in file_lines(path):
        row = json_object(line, f"{path}: line {number}")
        id, profile = row.get("id"), row.get("profile")
        if not isinstance(id, str) or not isinstance(profile, Mapping):
            raise CorpusError(f"{path}: line {number}: a label is an object with id and profile: correct it")
        if id in labels:
            raise CorpusError(f"{path}: line {number}: there are two labels of {id!r}: keep one")
        try:
            labels[id] = VoiceProfile.from_dict(profile)
        except InputError as error:
            raise CorpusError(f"{path}: line {number}: {error}") from error
    return labels


def join_label(clip: Clip, labels: Mapping[str, VoiceProfile]) -> Clip:
    """Return the clip with the emotions of its label; bursts and traits that the label lacks are kept.

    The keys of `labels` are clip ids, or their last parts, as tables of ratings omit folders.

    Raises:
        FilteredError: there is no label for the clip.
    """
    label = labels.get(clip.id) or labels.get(PurePosixPath(clip.id).name)
    if label is None:
        raise FilteredError(f"clip {clip.id!r}: left out: the file of labels has no label for it")
    before = clip.profile or VoiceProfile(None)
    emotions = label if label.rated else before
    bursts, traits = label.bursts or before.bursts, {**before.traits, **label.traits}
    profile = VoiceProfile(emotions.emotions, bursts, traits, rated=emotions.rated)
    return _noted(clip, profile, "file")


def label_clip(clip: Clip, *, source: str | None = None) -> Clip:
    """Return the clip with the profile from its labels; `source` as in `AnnotateByLabels`.

    Emotions, bursts and traits of captions replace those of the profile; traits that captions do not mention
    are kept.

    Raises:
        CorpusError: the clip has no labels.
    """
    # Captions say more than a profile from columns that describe only the speaker.
    origin = clip.metadata.get("profile_from")
    of_speaker = isinstance(origin, Mapping) and origin.get("form") == "speaker"
    captions_first = source is None and of_speaker and bool(clip.captions)
    if source != "captions" and clip.profile is not None and not captions_first:
        return clip if "annotated_by" in clip.metadata else _noted(clip, clip.profile, "profile")
    if source != "profile" and clip.captions:
        return _noted(clip, _from_captions(clip), "captions")
    odd = clip.metadata.get("not_understood")
    if isinstance(odd, Mapping) and odd and source is None:
        listed = ", ".join(f"{column}: {text}" for column, text in odd.items())[:_LONGEST_LISTED]
        raise CorpusError(
            f"clip {clip.id!r}: its labels are not understood ({listed}): write emotions as "
            "words (joy, anger), or as the classes of a Hugging Face ClassLabel"
        )
    raise CorpusError(
        f"clip {clip.id!r} has no {source or 'labels'}: leave it out, or annotate it with heads or an LLM"
    )


def _noted(clip: Clip, profile: VoiceProfile, source: str) -> Clip:
    note = {"by": "labels", "from": source, "budew": __version__}
    return annotated(clip, profile, note)


def _from_captions(clip: Clip) -> VoiceProfile:
    """Combine parsed captions: means of the emotions, and the bursts and traits that most captions name."""
    profiles = [parse(caption.text).profile for caption in clip.captions]
    mean = expectation(profiles)
    emotions = {name: round(value, _DIGITS) for name, value in mean.emotions.items()}
    before = {} if clip.profile is None else clip.profile.traits
    return VoiceProfile(emotions, mean.bursts, {**before, **mean.traits})
