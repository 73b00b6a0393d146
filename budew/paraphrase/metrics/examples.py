"""Which rewritings and refusals a report shows: by lot, and of the refusals one for each reason first."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice, zip_longest
from typing import Any

from budew.paraphrase.metrics.comparison import chosen, template_of
from budew.paraphrase.metrics.sample import Refusal, Rewritten
from budew.profile import VoiceProfile


@dataclass(frozen=True, slots=True)
class Example:
    """A text beside the template that it was to say in other words.

    Attributes:
        id: of the clip.
        profile: what was to be said, where it is known.
        template, text: the two.
        made_by: what wrote the text, in words.
        refusal: why it was refused; None where it was not.
    """

    id: str
    profile: VoiceProfile | None
    template: str
    text: str
    made_by: str = ""
    refusal: Refusal | None = field(default=None)

    def to_dict(self) -> dict[str, Any]:
        """Return plain data."""
        told = {"id": self.id, "template": self.template, "text": self.text}
        if self.refusal is None:
            return told | {"made_by": self.made_by}
        parts = ("codes", "missed", "unknown")
        return told | {name: list(getattr(self.refusal, name)) for name in parts}


def accepted_examples(clips: Sequence[Rewritten], most: int, *, seed: int) -> tuple[Example, ...]:
    """Return at most so many paraphrases, one of a clip; the clips are in an order by lot already."""
    return tuple(islice(_accepted(clips, seed), most))


def refused_examples(clips: Sequence[Rewritten], most: int, *, seed: int) -> tuple[Example, ...]:
    """Return at most so many refused candidates: one of each first reason, then another."""
    by_code: dict[str, list[Example]] = defaultdict(list)
    for clip in clips:
        for refusal in clip.refusals:
            code = refusal.codes[0] if refusal.codes else ""
            template = _template(clip, seed)
            if template is not None and len(by_code[code]) < most:
                by_code[code].append(Example(clip.id, clip.profile, template, refusal.text, refusal=refusal))
    rounds = zip_longest(*(by_code[code] for code in sorted(by_code)))
    return tuple(islice((example for turn in rounds for example in turn if example is not None), most))


def _accepted(clips: Sequence[Rewritten], seed: int) -> Iterator[Example]:
    for clip in clips:
        if clip.paraphrases:
            caption = chosen(clip, clip.paraphrases, seed=seed)
            template = template_of(clip, caption, seed=seed)
            if template is not None:
                told = (caption.made_by.get(name) for name in ("backend", "model", "style"))
                made_by = ", ".join(str(part) for part in told if part not in (None, ""))
                if "repaired" in caption.made_by:
                    made_by += f", with {caption.made_by['repaired']} added"
                yield Example(clip.id, clip.profile, template, caption.text, made_by)


def _template(clip: Rewritten, seed: int) -> str | None:
    """Return the template that the refused candidates of a clip were made from."""
    return template_of(clip, clip.captions[0], seed=seed) if clip.captions else None
