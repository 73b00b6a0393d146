"""Targets: the caption that a clip is trained on, in text and as tokens."""

import random
from collections.abc import Sequence
from typing import Any

from budew.captions import render
from budew.errors import CorpusError
from budew.profile import VoiceProfile
from budew.training.recipe import DataSettings


def target_caption(
    profile: VoiceProfile, captions: Sequence[str], settings: DataSettings, rng: random.Random
) -> str:
    """Return the caption that a clip is trained on this time.

    Args:
        profile: of the clip.
        captions: of the clip in the corpus.
        settings: whether a caption is rendered or drawn, and how it is rendered.
        rng: decides; another one gives another caption.
    """
    if settings.captions == "corpus":
        return rng.choice(captions)
    frame = rng.choice(settings.frames) if settings.frames else None
    return render(profile, seed=rng.getrandbits(32), frame=frame, wording=settings.wording)


def target_tokens(caption: str, tokenizer: Any, longest: int) -> list[int]:
    """Return the ids of a caption between Whisper's prefix and end, cut to `longest` before the end."""
    # "<|endoftext|>" in a caption of a corpus is text, not an end.
    ids: list[int] = tokenizer(caption, split_special_tokens=True).input_ids
    return ids if len(ids) <= longest else [*ids[: longest - 1], tokenizer.eos_token_id]


def check_captions(corpus: str, ids: Sequence[str], captions: Sequence[Sequence[str]]) -> None:
    """Raise `CorpusError` where a clip has no caption to draw."""
    for clip, own in zip(ids, captions, strict=True):
        if not own:
            raise CorpusError(
                f"{corpus}: clip {clip!r} has no caption: caption the corpus, or set data.captions to render"
            )
