"""A random sample of rewritten clips in bounded memory, without audio, and examples of it to show."""

import hashlib
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import islice, zip_longest
from typing import Any

from budew.captions import render
from budew.corpora.clip import Caption, Clip
from budew.paraphrase.metrics.candidate_counts import Refusal, is_fallback, refusals_of, written_by_rewriting
from budew.profile import VoiceProfile
from budew.randomness import derived_seed, generator


@dataclass(frozen=True, slots=True)
class Rewritten:
    """The captions of a clip that rewriting wrote, and the candidates that the gate refused."""

    id: str
    profile: VoiceProfile | None
    captions: tuple[Caption, ...]
    refusals: tuple[Refusal, ...]

    @property
    def paraphrases(self) -> tuple[Caption, ...]:
        """The captions that are no fallbacks."""
        return tuple(caption for caption in self.captions if not is_fallback(caption))

    def choose(self, captions: Sequence[Caption], *, seed: int) -> Caption:
        """Return one of the captions at random."""
        return generator("side", self.id, seed).choice(captions)

    def pair(self, *, seed: int) -> tuple[str, Caption] | None:
        """Return one of the paraphrases at random and its template; None where there is no such pair."""
        if not self.paraphrases:
            return None
        caption = self.choose(self.paraphrases, seed=seed)
        template = self.template_of(caption, seed=seed)
        return None if template is None else (template, caption)

    def template_of(self, caption: Caption, *, seed: int) -> str | None:
        """Return the template that was rewritten, else a fresh rendering; None without a profile."""
        template = caption.made_by.get("of")
        if isinstance(template, str):
            return template
        if self.profile is None:
            return None
        return render(self.profile, seed=derived_seed("template", self.id, seed))


@dataclass(slots=True)
class Sample:
    """At most `size` of the clips added: those whose hash with the seed is lowest, in whatever order."""

    size: int
    seed: int
    _kept: list[tuple[bytes, str, list[str], Rewritten]] = field(default_factory=list)

    def add(self, clip: Clip) -> None:
        """Consider a clip that has captions by rewriting."""
        rank = hashlib.sha256(f"{self.seed}/{clip.id}".encode()).digest()
        captions = written_by_rewriting(clip)
        held = Rewritten(clip.id, clip.profile, captions, tuple(refusals_of(clip)))
        self._kept.append((rank, clip.id, [caption.text for caption in captions], held))
        if len(self._kept) > 2 * self.size:
            self._drop_all_but_lowest()

    def clips(self) -> list[Rewritten]:
        """Return the sample in the order of the hashes."""
        self._drop_all_but_lowest()
        return [held for *_, held in self._kept]

    def _drop_all_but_lowest(self) -> None:
        self._kept.sort(key=lambda entry: entry[:3])
        del self._kept[self.size :]


@dataclass(frozen=True, slots=True)
class Example:
    """A text beside the template that was rewritten.

    Attributes:
        id: of the clip.
        profile: of the clip, where it is known.
        template, text: the two.
        made_by: what wrote the text, for readers.
        refusal: why it was refused; None where it was not.
    """

    id: str
    profile: VoiceProfile | None
    template: str
    text: str
    made_by: str = ""
    refusal: Refusal | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return plain data."""
        parts = {"id": self.id, "template": self.template, "text": self.text}
        if self.refusal is None:
            return parts | {"made_by": self.made_by}
        return parts | self.refusal.model_dump(include={"codes", "missed", "unknown"})


def accepted_examples(clips: Sequence[Rewritten], most: int, *, seed: int) -> tuple[Example, ...]:
    """Return at most `most` paraphrases, one of a clip, in the random order of the clips."""
    pairs = ((clip, pair) for clip in clips if (pair := clip.pair(seed=seed)) is not None)
    return tuple(
        Example(clip.id, clip.profile, template, caption.text, _origin(caption))
        for clip, (template, caption) in islice(pairs, most)
    )


def _origin(caption: Caption) -> str:
    parts = (caption.made_by.get(name) for name in ("backend", "model", "style"))
    made_by = ", ".join(str(part) for part in parts if part not in (None, ""))
    return made_by + (f", with {caption.made_by['repaired']} added" if "repaired" in caption.made_by else "")


def refused_examples(clips: Sequence[Rewritten], most: int, *, seed: int) -> tuple[Example, ...]:
    """Return at most `most` refused candidates: one of each first reason, then another of each."""
    by_code: dict[str, list[Example]] = defaultdict(list)
    for clip in clips:
        for refusal in clip.refusals:
            code = refusal.codes[0] if refusal.codes else ""
            template = clip.template_of(clip.captions[0], seed=seed) if clip.captions else None
            if template is not None and len(by_code[code]) < most:
                by_code[code].append(Example(clip.id, clip.profile, template, refusal.text, refusal=refusal))
    rounds = zip_longest(*(by_code[code] for code in sorted(by_code)))
    return tuple(islice((example for turn in rounds for example in turn if example is not None), most))
