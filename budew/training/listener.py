"""Linear classifiers of cached states, whose judgement of emotion and gender is what captions say.

A few hundred acted clips teach a decoder their voices, rooms and words along with their emotions. A linear
classifier of the mean over the states of a clip carries over to other corpora better, if what differs between
neutral clips counts little in it. So it is fitted first, to the labels of the corpora that are *heard*; then
the decoder learns to write what it hears, and that of more than clips: to the states of a clip the
difference of the means of two others is added, as if another voice had spoken in another room. And so that it
need not guess the classifier from examples, which it does wrongly where it knows the recording conditions
least, one of its attention heads becomes the classifier: a linear map of all states alike is what a head is.
Gender is heard in the same way, where the corpora have both: women and men of six emotional voices and many
neutral ones differ in a direction that emotions do not.

For greedy search it matters as well that each sound has one emotion: a decoder that learns labels writes the
likeliest caption, and what it is unsure of becomes neutral.
"""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from budew.errors import CorpusError, require
from budew.io.files import replaced_file
from budew.profile import VoiceProfile
from budew.taxonomy import LEVEL_NAMES, LEVELS
from budew.training.recipe import NONE, ListenerSettings
from budew.training.selection import Selection
from budew.training.state_cache import read_states

Floats = NDArray[np.float32]

LEVEL = LEVELS[LEVEL_NAMES.index("moderate")]
"""Of an emotion that is heard: a class has no level."""
DRAWS = 16
"""Differences that are tried until the wanted class is heard."""
SALIENCE = 5.0
"""Deviation of the scores in the decoder, where the values of Whisper base's other heads have about 0.5."""
GENDERS = ("female", "male")
GENDER_PENALTY = 0.05
"""Found on corpora that are not trained on: with ten times as much, men of EmoDB are heard as women."""
TINY = 1e-6
"""Least deviation of a number in the states."""


@dataclass(frozen=True, eq=False)
class Linear:
    """A fitted classifier: its classes, and weights (width, classes) and bias (classes,) of the mean over the
    states of a clip.
    """

    classes: tuple[str, ...]
    weights: Floats
    bias: Floats

    def hears(self, mean: Floats) -> str:
        """Return the class of a mean state (width,)."""
        return self.classes[int((mean @ self.weights + self.bias).argmax())]

    def values(self, means: Floats) -> "Linear":
        """Return the same classifier with scores whose mean is 0, and whose deviation over these mean states
        (clips, width) is `SALIENCE`.
        """
        weights = self.weights - self.weights.mean(axis=1, keepdims=True)
        scale = SALIENCE / (means @ weights).std(axis=0).mean()
        return Linear(self.classes, weights * scale, (self.bias - self.bias.mean()) * scale)


@dataclass(frozen=True, eq=False)
class Listener:
    """Fitted classifiers, and the mean states that differences are made of.

    Attributes:
        settings: of the run.
        emotion: its classes are names of emotions, and `NONE`.
        gender: None where the corpora have not both.
        means: gender → (copies of clips, width); of clips whose gender is unknown, under "".
    """

    settings: ListenerSettings
    emotion: Linear
    gender: Linear | None
    means: Mapping[str, Floats]

    def listen(
        self, states: NDArray[Any], profile: VoiceProfile, rng: random.Random
    ) -> tuple[NDArray[Any], VoiceProfile]:
        """Return states (positions, width) of a clip, some of them moved, and what is heard in them.

        Args:
            states: of the clip.
            profile: of the clip.
            rng: decides all.
        """
        mean = states.mean(axis=0, dtype=np.float32)
        if rng.random() >= self.settings.moved:
            return states, self._heard(profile, mean, self.emotion.hears(mean))
        wanted = rng.choices(self.emotion.classes, self._shares)[0]
        others = self.means[_gender(profile)]
        for _ in range(DRAWS):
            one, other = rng.randrange(len(others)), rng.randrange(len(others))
            moved = (others[one] - others[other]) * np.float32(rng.random())
            heard = self.emotion.hears(mean + moved)
            if heard == wanted:
                break
        return states + moved, self._heard(profile, mean + moved, heard)

    def drawn(self, profile: VoiceProfile, rng: random.Random) -> VoiceProfile:
        """Return the profile with any class: what a caption of the clip may come to say."""
        gender = rng.choice(self.gender.classes) if self.gender else _gender(profile)
        return _said(profile, rng.choice(self.emotion.classes), gender)

    def seat(self, model: Any) -> None:
        """Make the first head of a decoder's first cross-attention the listener.

        It attends to all states alike, and its values are the scores of the classes. Weights that make it so
        do not learn; with weight decay they would shrink.

        Args:
            model: a Whisper whose encoder gives the states that the listener was fitted to.

        Raises:
            CorpusError: there are more classes than a head has values.
        """
        attention = model.get_decoder().layers[0].encoder_attn
        size = attention.head_dim
        means = np.concatenate(list(self.means.values()))
        parts = [part.values(means) for part in (self.emotion, self.gender) if part is not None]
        weights = torch.from_numpy(np.concatenate([part.weights for part in parts], axis=1))
        count = weights.shape[1]
        if count > size:
            raise CorpusError(
                f"{count} classes are heard, and an attention head of the model has {size} values"
            )
        values = torch.zeros(size, len(weights)), torch.zeros(size)
        values[0][:count] = weights.T
        values[1][:count] = torch.from_numpy(np.concatenate([part.bias for part in parts]))
        nothing = torch.zeros_like(values[0]), torch.zeros_like(values[1])
        for projection, (weight, bias) in ((attention.q_proj, nothing), (attention.v_proj, values)):
            with torch.no_grad():
                projection.weight[:size], projection.bias[:size] = weight, bias
            for parameter in (projection.weight, projection.bias):
                parameter.register_hook(partial(_without_first, rows=size))

    def _heard(self, profile: VoiceProfile, mean: Floats, emotion: str) -> VoiceProfile:
        return _said(profile, emotion, self.gender.hears(mean) if self.gender else _gender(profile))

    @cached_property
    def _shares(self) -> list[float]:
        return [self.settings.shares.get(name, 1.0) for name in self.emotion.classes]

    def save(self, file: Path) -> None:
        """Write all but the settings."""
        arrays: dict[str, Any] = {f"mean {gender}": means for gender, means in self.means.items()}
        for name, part in (("emotion", self.emotion), ("gender", self.gender)):
            if part is not None:
                arrays |= {
                    f"{name} classes": np.array(part.classes),
                    f"{name} weights": part.weights,
                    f"{name} bias": part.bias,
                }
        with replaced_file(file) as unfinished, unfinished.open("wb") as opened:
            np.savez(opened, **arrays)

    @classmethod
    def load(cls, file: Path, settings: ListenerSettings) -> "Listener":
        """Read what `save` wrote."""

        def part(name: str) -> Linear:
            classes = tuple(map(str, saved[f"{name} classes"]))
            return Linear(classes, saved[f"{name} weights"], saved[f"{name} bias"])

        with np.load(file, allow_pickle=False) as saved:
            means = {name.removeprefix("mean "): saved[name] for name in saved if name.startswith("mean ")}
            gender = part("gender") if "gender classes" in saved else None
            return cls(settings, part("emotion"), gender, means)


def fit_listener(
    corpora: Sequence[Selection], weights: Sequence[float], settings: ListenerSettings
) -> Listener:
    """Fit the classifiers to the labels of corpora with cached states.

    Of a clip the class is its strongest emotion. All classes weigh the same, and in each of them the corpora
    as given. States of a second take 0.3 ms to read.

    Args:
        corpora: that are heard.
        weights: of each corpus.
        settings: of the run.

    Raises:
        CorpusError: there is only one class, or none without emotion.
        MissingExtraError: scikit-learn is not installed.
    """
    read = [_read(used) for used in corpora]
    means = np.concatenate([part for part, _ in read]).astype(np.float64)
    profiles = [profile for _, part in read for profile in part]
    share = np.concatenate(
        [np.full(len(part), weight / len(part)) for weight, (part, _) in zip(weights, read, strict=True)]
    )
    labels = np.array([_class_of(profile) for profile in profiles])
    classes = sorted(set(labels))
    if len(classes) < 2 or NONE not in classes:
        raise CorpusError(
            f"the corpora that are heard have the classes {', '.join(classes)}: there must be one without "
            "emotion, such as that of read speech, and another"
        )
    scale = means.std(axis=0) + TINY
    neutral = (means[labels == NONE] - means[labels == NONE].mean(axis=0)) / scale
    whitening = _whitening(neutral, settings.shrinkage) / scale[:, None]
    emotion = _fitted(means, labels, share, whitening, settings.penalty)
    offsets = [settings.offsets.get(name, 0.0) for name in emotion.classes]
    genders = np.array([_gender(profile) for profile in profiles])
    known = np.isin(genders, GENDERS)
    gender = None
    if len(set(genders[known])) == len(GENDERS):
        gender = _fitted(means[known], genders[known], share[known], np.diag(1 / scale), GENDER_PENALTY)
    return Listener(
        settings,
        replace(emotion, bias=emotion.bias + np.array(offsets, np.float32)),
        gender,
        {str(name): means[genders == name].astype(np.float32) for name in np.unique(genders)},
    )


def _fitted(
    means: NDArray[np.float64],
    labels: NDArray[np.str_],
    share: NDArray[np.float64],
    projection: NDArray[np.float64],
    penalty: float,
) -> Linear:
    """Return a logistic regression, all of whose classes weigh the same.

    Args:
        means: mean states (clips, width).
        labels: class of each clip, at least two.
        share: weight of each clip among those of its class.
        projection: (width, width), applied to the means before they are penalized.
        penalty: half of it times the squared weights is added to the mean loss.
    """
    logistic = require("sklearn.linear_model", extra="train", purpose="data.listener").LogisticRegression
    classes, numbers = np.unique(labels, return_inverse=True)
    share = share / np.bincount(numbers, share)[numbers] * len(share) / len(classes)
    center = means.mean(axis=0)
    seen = (means - center) @ projection
    unit = seen.std()
    fitted = logistic(C=1 / (penalty * len(seen)), max_iter=1000)
    fitted.fit(seen / unit, labels, sample_weight=share)
    plane, level = fitted.coef_, fitted.intercept_
    if len(classes) == 2:  # then it has the scores of the second class alone
        plane, level = np.concatenate([-plane, plane]) / 2, np.array([-1, 1]) * level / 2
    linear = projection @ plane.T / unit
    return Linear(
        tuple(map(str, classes)), linear.astype(np.float32), (level - center @ linear).astype(np.float32)
    )


def _read(used: Selection) -> tuple[Floats, list[VoiceProfile]]:
    """Return the mean states of all copies of the clips whose emotions are known, (copies, width), and
    their profiles.
    """
    if used.states is None:
        raise ValueError("a corpus without cached states")
    means, profiles = [], []
    for place, number in enumerate(used.numbers):
        profile = used.index.notes(int(number)).profile
        if profile is None or not profile.rated:
            continue
        for copy in range(used.states.copies):
            states = read_states(used.states, place, copy)
            if len(states):
                means.append(states.mean(axis=0, dtype=np.float32))
                profiles.append(profile)
    return np.stack(means), profiles


def _without_first(gradient: Tensor, *, rows: int) -> Tensor:
    """Return a gradient with zeros in the first rows."""
    return torch.cat([torch.zeros_like(gradient[:rows]), gradient[rows:]])


def _class_of(profile: VoiceProfile) -> str:
    return max(profile.emotions, key=profile.emotions.__getitem__, default=NONE)


def _gender(profile: VoiceProfile) -> str:
    return str(profile.traits.get("gender", ""))


def _said(profile: VoiceProfile, emotion: str, gender: str) -> VoiceProfile:
    """Return what a caption says of a clip in which a class is heard: this, and the gender of the voice.

    A moved voice need not be as old as the clip's, nor speak in its style.
    """
    emotions = {} if emotion == NONE else {emotion: LEVEL}
    return VoiceProfile(emotions, profile.bursts, {"gender": gender} if gender else {})


def _whitening(neutral: NDArray[np.float64], shrinkage: float) -> NDArray[np.float64]:
    """Return the symmetric matrix (width, width) after which neutral clips differ as much in all directions.

    Args:
        neutral: centred (n, width).
        shrinkage: of their covariance, towards a sphere.
    """
    covariance = neutral.T @ neutral / len(neutral)
    round_one = np.eye(len(covariance)) * np.trace(covariance) / len(covariance)
    values, vectors = np.linalg.eigh((1 - shrinkage) * covariance + shrinkage * round_one)
    whitening: NDArray[np.float64] = vectors / np.sqrt(values) @ vectors.T
    return whitening
