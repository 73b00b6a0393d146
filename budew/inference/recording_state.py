"""State of a recording while its windows are captioned, which may happen in any order."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from budew.audio.samples import Window
from budew.captions.caption_prompt import STYLES
from budew.captions.parse import parse
from budew.captions.phrases import PERSONAL
from budew.captions.rewording import reworded
from budew.errors import CorpusError
from budew.heads.presence import PresenceCurves
from budew.inference.backends import DecodingOptions, GeneratedText
from budew.inference.captioned_recording import (
    REPETITION,
    UNCAPTIONED,
    CaptionedRecording,
    FailedRecording,
    WindowCaption,
    clock,
    pooled_profile,
    unrated,
    without_stray_letters,
    without_withheld_captions,
)
from budew.inference.recordings import Recording
from budew.inference.repetition import without_repetition
from budew.inference.self_consistency import consensus, presence_shares
from budew.inference.speaker_turns import speaker_at
from budew.profile import VoiceProfile, expectation
from budew.randomness import derived_seed


@dataclass(slots=True)
class RecordingState:
    """State of a recording while its windows are captioned.

    Attributes:
        recording: the audio.
        decodings: decoding options; each window gets one caption for each of them.
        curves: calibration of the probability of presence; None for the shares of sampled captions.
        seed: random seed of the wording of several windows; None for the words of the model.
        windows: captions of each window that was read, one per decoding; None: not captioned yet.
        damage: message about damage of the audio; None if there is no damage.
        failure: result of a recording that could not be captioned; None if nothing failed so far.
        is_read: whether all windows were read.
    """

    recording: Recording
    decodings: Sequence[DecodingOptions]
    curves: PresenceCurves | None = None
    seed: int | None = None
    windows: list[tuple[WindowCaption, ...] | None] = field(default_factory=list)
    damage: str | None = None
    failure: FailedRecording | None = None
    is_read: bool = False

    @property
    def source(self) -> str:
        """Name of the recording."""
        return self.recording.source

    @property
    def is_complete(self) -> bool:
        """Whether the recording has failed, or all its windows are captioned."""
        return self.is_read and (self.failure is not None or None not in self.windows)

    def read(self, seconds: float, sampling_rate: int) -> Iterator[tuple[int, Window]]:
        """Yield number and samples of each window; errors and damage are stored, not raised.

        Args:
            seconds: longest window.
            sampling_rate: rate of the samples in Hz.
        """
        try:
            for place, window in enumerate(self.recording.cut(seconds, sampling_rate)):
                self.damage = window.damage and window.damage.removeprefix(f"{self.source}: ")
                self.windows.append(None)
                yield place, window
        except (CorpusError, OSError) as error:
            self.fail(str(error).removeprefix(f"{self.source}: "))
        except Exception as error:  # noqa: BLE001  # any error of a decoder ends this recording only
            fault = f"reading it failed with {type(error).__name__} ({error})"
            self.fail(f"{fault}: convert it to wav or flac, and report this")
        self.is_read = True

    def fail(self, reason: str) -> None:
        """Mark the recording as failed; only the first reason is kept."""
        self.failure = self.failure or FailedRecording(self.source, reason)

    def write(self, place: int, window: Window, texts: Sequence[GeneratedText]) -> None:
        """Store the generated texts of window number `place`, one per decoding."""
        fault = next((text.fault for text in texts if text.fault is not None), None)
        if fault is not None:
            self.fail(fault)
            return
        self.windows[place] = tuple(
            self._caption(window, text, decoding)
            for text, decoding in zip(texts, self.decodings, strict=True)
        )

    def results(self) -> tuple[CaptionedRecording | FailedRecording, ...]:
        """Return the result of each decoding; only valid when `is_complete`."""
        if self.failure is not None:
            return (self.failure,) * len(self.decodings)
        captions = [window for window in self.windows if window is not None]
        return tuple(
            self._result([of_window[number] for of_window in captions], decoding)
            for number, decoding in enumerate(self.decodings)
        )

    def _caption(self, window: Window, generated: GeneratedText, decoding: DecodingOptions) -> WindowCaption:
        """Return the caption of a window: the text without stray letters and repetitions, and its parse."""
        text, removed = _cleaned(generated.text, decoding, repetitive=generated.repetitive)
        samples = tuple(_cleaned(sample, decoding)[0] for sample in generated.samples)
        sampled, presence = None, None
        if samples:
            profiles = [parse(sample).profile for sample in samples]
            sampled, presence = expectation(profiles), presence_shares(profiles)
            presence = self.curves.applied_to(presence) if self.curves else presence
        if text in UNCAPTIONED:
            profile = VoiceProfile()
        else:
            profile = parse(text).profile if sampled is None else consensus(sampled)
        speaker = speaker_at(self.recording.turns, window)
        return WindowCaption(
            window.start, window.end, text, profile, sampled, removed, samples, speaker, presence
        )

    def _with_one_speaker(
        self, windows: Sequence[WindowCaption], decoding: DecodingOptions
    ) -> Sequence[WindowCaption]:
        """Give all windows of a speaker the same gender and age, and each window its own wording."""
        if len(windows) < 2:
            return windows
        pooled = {
            speaker: pooled_profile([window for window in windows if window.speaker == speaker]).traits
            for speaker in {window.speaker for window in windows}
        }
        found = []
        for window in windows:
            if not window.silent and not window.withheld:
                traits, profile = pooled[window.speaker], window.profile
                person = {trait: traits[trait] for trait in PERSONAL if trait in traits}
                emotions = profile.emotions if profile.rated else None
                profile = VoiceProfile(emotions, profile.bursts, {**profile.traits, **person})
                window = self._reworded(replace(window, profile=profile), person, decoding)
            found.append(window)
        return found

    def _reworded(
        self, window: WindowCaption, person: Mapping[str, str | float], decoding: DecodingOptions
    ) -> WindowCaption:
        """Word a caption anew; one that says more than a profile holds is kept in the words of the model."""
        if self.seed is None or not decoding.stop_repetition or not decoding.rates_emotions:
            return window
        style = next((style for style in STYLES if decoding.prompt.startswith(style)), STYLES[0])
        name = self.recording.id or Path(self.source).name
        seed = derived_seed(self.seed, name, f"{window.start:.3f}")
        text = reworded(window.text, seed=seed, style=style, speaker=person)
        return window if text is None else replace(window, text=text, model_caption=window.text)

    def _result(self, captions: Sequence[WindowCaption], decoding: DecodingOptions) -> CaptionedRecording:
        allowed = without_withheld_captions(captions)
        windows = without_withheld_captions(self._with_one_speaker(allowed, decoding))
        if not decoding.rates_emotions:
            windows = tuple(map(unrated, windows))
        warnings = [f"at {clock(window.start)}: {window.removed}" for window in windows if window.removed]
        warnings += [
            f"at {clock(window.start)}: the caption joins a minor with sexual content and is withheld"
            for window in windows
            if window.withheld
        ]
        return CaptionedRecording(
            self.source,
            windows[-1].end,
            windows,
            pooled_profile(windows),
            tuple(warnings),
            self.damage,
            self.recording.id,
        )


def _cleaned(
    generated: str, decoding: DecodingOptions, *, repetitive: bool = False
) -> tuple[str, str | None]:
    """Clean a generated text; return the caption and what was removed (None: nothing)."""
    line, stray = without_stray_letters(generated)
    if not decoding.stop_repetition:
        return line, None
    text = without_repetition(line)
    removed = [f"stray letters {stray!r} before the caption removed"] if stray else []
    removed += [REPETITION] if repetitive or text != line else []
    return text, "; ".join(removed) or None
