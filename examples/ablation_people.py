"""Parts of ablation.py for recordings of people: clips of named corpora, rewrites by a language model, tokens
of a pretrained Whisper, and classes by the strongest emotion.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from itertools import chain, islice, zip_longest
from typing import Any

import numpy as np

from budew.audio.samples import probe_audio
from budew.corpora import Clip, read
from budew.corpora.named.definition import known_corpus
from budew.evaluation.benchmarks.coarse import CoarseTask, decide
from budew.evaluation.benchmarks.people import task_of
from budew.evaluation.pairs import has_labels
from budew.model.checkpoint import load_checkpoint
from budew.model.reduce import caption_tokenizer
from budew.paraphrase import GrammarBackend
from budew.paraphrase.backend import Candidates, RewriteRequest
from budew.paraphrase.gate import judge
from budew.paraphrase.grammar_backend import Rewrite, shipped_rewrites
from budew.profile import VoiceProfile, intensity_matrix
from budew.randomness import derived_seed, generator
from budew.statistics.arrays import FloatArray, divide

CLIPS = {
    "train": {"emodb": 337, "emogator": 2400, "librispeech": 120},
    "validation": {"emodb": 99, "emogator": 101},
    "test": {"emodb": 99, "emogator": 290, "librispeech": 60},
}
"""Most clips by split and corpus."""
FEW = {split: dict.fromkeys(corpora, 4) for split, corpora in CLIPS.items()}
CLASSES = {
    "EmoDB, recall": ("emodb", "greedy"),
    "EmoGator, accuracy": ("emogator", "greedy"),
    "EmoDB, recall, sampled": ("emodb", "sampled, plain mean"),
    "EmoGator, accuracy, sampled": ("emogator", "sampled, plain mean"),
}
"""Metrics of classes by the strongest emotion: corpus and source of the scores, by name."""
LONGEST_SECONDS = 3600.0


@dataclass(frozen=True)
class People:
    """Folder of the recordings, pretrained Whisper, and number of clips."""

    voices: str
    base: str
    clips: Mapping[str, Mapping[str, int]] = field(default_factory=lambda: CLIPS)

    def number(self, split: str) -> int:
        """Return the number of clips of a split."""
        return sum(self.clips[split].values())

    def sampled(self, split: str, *, seed: int) -> Iterator[Clip]:
        """Yield clips of a split, with about equal numbers of each label of a corpus."""
        for corpus, number in self.clips[split].items():
            clips = read(f"{corpus}@{split}:{self.voices}/{corpus}")
            for clip in balanced(clips, number, seed=seed):
                yield prepared(clip, corpus)


def balanced(clips: Iterable[Clip], number: int, *, seed: int) -> Iterator[Clip]:
    """Yield at most `number` labelled clips, with about equal numbers of each label, in random order."""
    labels = defaultdict[str, list[Clip]](list)
    for clip in sorted(clips, key=lambda clip: derived_seed("ablation", clip.id, seed)):
        if clip.profile is not None and has_labels(clip.profile):
            labels[label_of(clip)].append(clip)
    in_turn = chain.from_iterable(zip_longest(*(labels[label] for label in sorted(labels))))
    return islice((clip for clip in in_turn if clip is not None), number)


def prepared(clip: Clip, corpus: str) -> Clip:
    """Return a clip with the name of its corpus in the id, its duration, and no traits except gender: all
    speakers are adults, which captions need not say.
    """
    profile = clip.profile or VoiceProfile(None)
    traits = {name: value for name, value in profile.traits.items() if name == "gender"}
    return replace(
        clip,
        id=f"{corpus}/{clip.id}",
        duration=probe_audio(clip.audio, max_seconds=LONGEST_SECONDS).seconds,
        profile=VoiceProfile(profile.emotions, profile.bursts, traits, profile.rated),
    )


def corpus_of(clip: Clip) -> str:
    """Return the name of the corpus of a sampled clip."""
    return clip.id.partition("/")[0]


def label_of(clip: Clip) -> str:
    """Return the emotion label of a clip in its corpus."""
    return str(clip.metadata.get("label", "")).casefold()


@dataclass(frozen=True, slots=True)
class CaptionRewrites(GrammarBackend):
    """Rewriting backend: first shipped rewrites by a language model, then captions of the grammar."""

    async def rewrite(self, requests: Sequence[RewriteRequest]) -> list[Candidates]:
        """Return `n` candidates for each request; a rewrite of the same meaning comes first."""
        answers = await GrammarBackend.rewrite(self, requests)
        left = {request.id: _shuffled(request) for request in requests}
        return [
            answer if request.refused else _with_rewrite(answer, next(left[request.id], None), request.n)
            for request, answer in zip(requests, answers, strict=True)
        ]


def _shuffled(request: RewriteRequest) -> Iterator[Rewrite]:
    rewrites = list(rewrites_of(request.profile))
    generator("rewrites", request.id).shuffle(rewrites)
    return iter(rewrites)


def _with_rewrite(answer: Candidates, rewrite: Rewrite | None, n: int) -> Candidates:
    if rewrite is None:
        return answer
    of_text = {**answer.of_text, rewrite.caption: {"rewrite": rewrite.id}}
    return replace(answer, texts=(rewrite.caption, *answer.texts[: n - 1]), of_text=of_text)


@cache
def rewrites_of(profile: VoiceProfile) -> tuple[Rewrite, ...]:
    """Return shipped rewrites with the emotions of a profile that the gate accepts for this profile."""
    return tuple(
        one
        for one in shipped_rewrites()
        if one.accepted
        and one.profile.emotions.keys() == profile.emotions.keys()
        and judge(one.caption, profile).accepted
    )


def base_tokens(base: str, texts: Iterable[str]) -> Any:
    """Return a tokenizer with the tokens of a pretrained Whisper that occur in `texts`, and all bytes."""
    tokenizer = load_checkpoint(base, device="cpu").processor.tokenizer
    used = tokenizer(list(texts), add_special_tokens=False).input_ids
    return caption_tokenizer(tokenizer, chain.from_iterable(used))


def shares_right(corpus: str, clips: Sequence[Clip], predicted: Sequence[VoiceProfile]) -> FloatArray:
    """Return an array (clips, classes): share of a clip predicted as its class, NaN for other classes."""
    task = _task(corpus)
    strongest = decide(task, intensity_matrix(predicted)).strongest
    labels = np.array([task.classes.index(label_of(clip)) for clip in clips])
    own = labels[:, None] == np.arange(len(task.classes))
    return np.where(own, strongest, np.nan)


def class_rates(corpus: str, shares: FloatArray, counts: FloatArray) -> FloatArray:
    """Return per cent (rows,) for weights of the clips (rows, clips): the unweighted average recall of the
    classes for EmoDB, the accuracy for EmoGator.
    """
    right, clips = counts @ np.nan_to_num(shares), counts @ np.isfinite(shares).astype(float)
    if corpus == "emodb":
        return np.asarray(100 * np.nanmean(divide(right, clips), axis=1))
    return np.asarray(100 * right.sum(axis=1) / clips.sum(axis=1))


def _task(corpus: str) -> CoarseTask:
    task = task_of(corpus, known_corpus(corpus))
    assert task is not None  # noqa: S101  # both corpora have labels of emotions
    return task
