"""Pseudo-labels: linear probes on cached encoder states predict the emotion and gender in captions.

From a few hundred acted clips a decoder also memorizes voices, rooms and words, and greedy search writes
"neutral" when it is unsure. A linear probe on the mean state of a clip transfers better to other corpora if
states are whitened, so that the differences between neutral clips (voice, room) have little weight.

In recipes, `data.listener` has the settings of the probe, and `heard: true` marks the corpora to use it for.

- First the probe is fitted to the labels of these corpora.
- Then the decoder is trained to write the emotion that the probe predicts. For some examples (`moved`), the
  difference between the mean states of two other clips is added to the states of a clip, as if another voice
  had spoken in another room; the probe predicts the emotion of the sum.
- One attention head of the decoder is set to the weights of the probe: a head that attends equally to all
  states is a linear map of their mean.
- Gender is predicted in the same way if the corpora have women and men.
"""

import logging
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
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
from budew.training.data_settings import NONE, ListenerSettings
from budew.training.feature_cache import read_states
from budew.training.training_clips import TrainingClips

Floats = NDArray[np.float32]
logger = logging.getLogger(__name__)

LEVEL = LEVELS[LEVEL_NAMES.index("moderate")]
"""Intensity of a predicted emotion, because probes predict no intensity."""
MAX_DRAWS = 16
"""Number of random differences that are tried until the probe predicts the wanted class."""
SCORE_DEVIATION = 5.0
"""Standard deviation of the probe's scores in the decoder; values of other heads (Whisper base) have 0.5."""
GENDERS = ("female", "male")
"""Values of the trait "gender" that the gender probe predicts."""
GENDER_PENALTY = 0.05
"""L2 penalty of the gender probe, chosen on other corpora: with 0.5, men of EmoDB are predicted as women."""
MIN_DEVIATION = 1e-6
"""Added to standard deviations of states, so that none is 0."""


@dataclass(frozen=True, eq=False, slots=True)
class LinearProbe:
    """Linear classifier of a clip by the mean of its encoder states.

    Attributes:
        classes: names of the classes.
        weights: weights of a mean state for the score of each class, (width, classes).
        bias: bias of the score of each class, (classes,).
    """

    classes: tuple[str, ...]
    weights: Floats
    bias: Floats

    def predict(self, mean: Floats) -> str:
        """Return the name of the class that is predicted from a mean state (width,)."""
        return self.classes[int((mean @ self.weights + self.bias).argmax())]

    def rescaled(self, means: Floats) -> "LinearProbe":
        """Return a probe with the same predictions and scores of another scale.

        The scores of all classes have the mean 0, and over the mean states `means` (clips, width) the
        standard deviation `SCORE_DEVIATION`.
        """
        weights = self.weights - self.weights.mean(axis=1, keepdims=True)
        scale = SCORE_DEVIATION / (means @ weights).std(axis=0).mean()
        return LinearProbe(self.classes, weights * scale, (self.bias - self.bias.mean()) * scale)


@dataclass(frozen=True, eq=False, slots=True)
class PseudoLabeler:
    """Fitted probes that label clips, and the mean states from which random differences are drawn.

    Attributes:
        settings: settings of the probes in the recipe.
        emotion: probe whose classes are names of emotions, and `NONE`.
        gender: probe whose classes are `GENDERS`; None if the corpora have only one gender.
        means: gender ("" if unknown) → mean states of all copies of its clips, (copies, width).
    """

    settings: ListenerSettings
    emotion: LinearProbe
    gender: LinearProbe | None
    means: Mapping[str, Floats]

    def label(
        self, states: NDArray[Any], profile: VoiceProfile, rng: random.Random
    ) -> tuple[NDArray[Any], VoiceProfile]:
        """Predict the profile of a clip from its states, to which a random difference may be added.

        Args:
            states: encoder states of the clip, (positions, width).
            profile: profile of the clip; the predicted emotion and gender replace those in it.
            rng: generator of all random choices.

        Returns:
            The states, with a difference added to the share `settings.moved` of the clips; their profile.
        """
        mean = states.mean(axis=0, dtype=np.float32)
        if rng.random() >= self.settings.moved:
            return states, self._predicted(profile, mean)
        shares = [self.settings.shares.get(name, 1.0) for name in self.emotion.classes]
        wanted = rng.choices(self.emotion.classes, shares)[0]
        others = self.means[_gender_of(profile)]
        for _ in range(MAX_DRAWS):
            one = others[rng.randrange(len(others))]
            other = others[rng.randrange(len(others))]
            difference = (one - other) * np.float32(rng.random())
            if self.emotion.predict(mean + difference) == wanted:
                break
        return states + difference, self._predicted(profile, mean + difference)

    def any_profile(self, profile: VoiceProfile, rng: random.Random) -> VoiceProfile:
        """Return the profile with a random emotion and gender, from those that the probes may predict."""
        gender = rng.choice(self.gender.classes) if self.gender else _gender_of(profile)
        return _relabelled(profile, rng.choice(self.emotion.classes), gender)

    def set_head(self, model: Any) -> None:
        """Put the probes into the first cross-attention head of the first decoder layer of a model.

        The head attends equally to all states, and its values are the scores of the classes. Its weights are
        not trained; set weight decay to 0, because it would shrink them.

        Raises:
            CorpusError: the probes have more classes than a head has values.
        """
        attention = model.get_decoder().layers[0].encoder_attn
        size = attention.head_dim
        means = np.concatenate(list(self.means.values()))
        probes = [probe.rescaled(means) for probe in (self.emotion, self.gender) if probe is not None]
        weights = torch.from_numpy(np.concatenate([probe.weights for probe in probes], axis=1))
        count = weights.shape[1]
        if count > size:
            raise CorpusError(
                f"the linear probes have {count} classes, but an attention head of the model has only {size} "
                "values: use corpora with fewer emotions, or a larger model"
            )
        value_weight, value_bias = torch.zeros(size, len(weights)), torch.zeros(size)
        value_weight[:count] = weights.T
        value_bias[:count] = torch.from_numpy(np.concatenate([probe.bias for probe in probes]))
        _fix_rows(attention.q_proj, torch.zeros_like(value_weight), torch.zeros_like(value_bias))
        _fix_rows(attention.v_proj, value_weight, value_bias)

    def _predicted(self, profile: VoiceProfile, mean: Floats) -> VoiceProfile:
        gender = self.gender.predict(mean) if self.gender else _gender_of(profile)
        return _relabelled(profile, self.emotion.predict(mean), gender)

    def save(self, file: Path) -> None:
        """Write the probes and mean states, without the settings, to a `.npz` file."""
        arrays: dict[str, Any] = {f"mean {gender}": means for gender, means in self.means.items()}
        for name, probe in (("emotion", self.emotion), ("gender", self.gender)):
            if probe is not None:
                arrays[f"{name} classes"] = np.array(probe.classes)
                arrays[f"{name} weights"] = probe.weights
                arrays[f"{name} bias"] = probe.bias
        with replaced_file(file) as unfinished, unfinished.open("wb") as opened:
            np.savez(opened, **arrays)

    @classmethod
    def load(cls, file: Path, settings: ListenerSettings) -> "PseudoLabeler":
        """Read a file that `save` wrote; `settings` are those of the recipe."""

        def probe(name: str) -> LinearProbe:
            classes = tuple(map(str, saved[f"{name} classes"]))
            return LinearProbe(classes, saved[f"{name} weights"], saved[f"{name} bias"])

        with np.load(file, allow_pickle=False) as saved:
            means = {name.removeprefix("mean "): saved[name] for name in saved if name.startswith("mean ")}
            gender = probe("gender") if "gender classes" in saved else None
            return cls(settings, probe("emotion"), gender, means)


def prepare_labeler(
    settings: ListenerSettings | None, folder: Path, corpora: Sequence[TrainingClips]
) -> PseudoLabeler | None:
    """Return the pseudo-labeler of a run. It is fitted once and kept in the folder of the run.

    Args:
        settings: `data.listener` of the recipe; None: returns None.
        folder: folder of the run.
        corpora: corpora with cached states, from `prepare_states`.

    Raises:
        CorpusError: the corpora with `heard: true` have fewer than two classes, or none without emotion.
    """
    if settings is None:
        return None
    file = folder / "training" / "listener.npz"
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        labeler = fit_labeler([clips for clips in corpora if clips.corpus.heard], settings)
        logger.info(
            "captions name what a linear probe predicts, one of: %s", ", ".join(labeler.emotion.classes)
        )
        labeler.save(file)
    return PseudoLabeler.load(file, settings)


def fit_labeler(corpora: Sequence[TrainingClips], settings: ListenerSettings) -> PseudoLabeler:
    """Fit the probes to the labels of corpora with cached states.

    The class of a clip is its strongest emotion, or `NONE`. All classes have the same weight; within a class,
    corpora have their weights in the recipe. Reading states takes 0.3 ms per second of audio.

    Args:
        corpora: the corpora with `heard: true`.
        settings: settings of the probes in the recipe.

    Raises:
        CorpusError: there is only one class, or no clip without emotion.
        MissingExtraError: scikit-learn is not installed.
    """
    read = [_mean_states(clips) for clips in corpora]
    means = np.concatenate([part for part, _ in read]).astype(np.float64)
    profiles = [profile for _, part in read for profile in part]
    share = np.concatenate(
        [
            np.full(len(part), clips.corpus.weight / len(part))
            for clips, (part, _) in zip(corpora, read, strict=True)
        ]
    )
    labels = np.array(
        [max(profile.emotions, key=profile.emotions.__getitem__, default=NONE) for profile in profiles]
    )
    classes = sorted(set(labels))
    if len(classes) < 2 or NONE not in classes:
        raise CorpusError(
            f"the corpora with heard: true have the classes {', '.join(classes)}: one must be without "
            "emotion, such as read speech, and there must be another"
        )
    scale = means.std(axis=0) + MIN_DEVIATION
    neutral = (means[labels == NONE] - means[labels == NONE].mean(axis=0)) / scale
    whitening = _whitening(neutral, settings.shrinkage) / scale[:, None]
    emotion = _fitted(means, labels, share, whitening, settings.penalty)
    offsets = np.array([settings.offsets.get(name, 0.0) for name in emotion.classes], np.float32)
    genders = np.array([_gender_of(profile) for profile in profiles])
    known = np.isin(genders, GENDERS)
    gender = None
    if len(set(genders[known])) == len(GENDERS):
        gender = _fitted(means[known], genders[known], share[known], np.diag(1 / scale), GENDER_PENALTY)
    return PseudoLabeler(
        settings,
        replace(emotion, bias=emotion.bias + offsets),
        gender,
        {str(name): means[genders == name].astype(np.float32) for name in np.unique(genders)},
    )


def _fitted(
    means: NDArray[np.float64],
    labels: NDArray[np.str_],
    share: NDArray[np.float64],
    projection: NDArray[np.float64],
    penalty: float,
) -> LinearProbe:
    """Fit a logistic regression to mean states; all classes have the same weight.

    Args:
        means: mean state of each clip, (clips, width).
        labels: class of each clip, (clips,).
        share: weight of each clip relative to the others of its class, (clips,).
        projection: matrix (width, width) by which means are multiplied before the regression.
        penalty: L2 penalty, see `ListenerSettings`.
    """
    logistic = require("sklearn.linear_model", extra="train", purpose="data.listener").LogisticRegression
    classes, numbers = np.unique(labels, return_inverse=True)
    share = share / np.bincount(numbers, share)[numbers] * len(share) / len(classes)
    center = means.mean(axis=0)
    projected = (means - center) @ projection
    unit = projected.std()
    fitted = logistic(C=1 / (penalty * len(projected)), max_iter=1000)
    fitted.fit(projected / unit, labels, sample_weight=share)
    plane, level = fitted.coef_, fitted.intercept_
    if len(classes) == 2:  # then the regression only has the scores of the second class
        plane = np.concatenate([-plane, plane]) / 2
        level = np.array([-1, 1]) * level / 2
    linear = projection @ plane.T / unit
    return LinearProbe(
        tuple(map(str, classes)), linear.astype(np.float32), (level - center @ linear).astype(np.float32)
    )


def _whitening(neutral: NDArray[np.float64], shrinkage: float) -> NDArray[np.float64]:
    """Return the symmetric whitening matrix (width, width) of centred states of neutral clips (n, width).

    Their covariance is first shrunk towards a multiple of the identity, by the share `shrinkage`.
    """
    covariance = neutral.T @ neutral / len(neutral)
    sphere = np.eye(len(covariance)) * np.trace(covariance) / len(covariance)
    values, vectors = np.linalg.eigh((1 - shrinkage) * covariance + shrinkage * sphere)
    whitening: NDArray[np.float64] = vectors / np.sqrt(values) @ vectors.T
    return whitening


def _mean_states(clips: TrainingClips) -> tuple[Floats, list[VoiceProfile]]:
    """Return mean states (copies, width) and profiles of all copies of the clips with rated emotions."""
    assert clips.states is not None  # noqa: S101  # recipes with listener need cache_states
    means, profiles = [], []
    for place in range(len(clips)):
        profile = clips.record(place).profile
        if profile is None or not profile.rated:
            continue
        for copy in range(clips.states.copies):
            states = read_states(clips.states, place, copy)
            if len(states):
                means.append(states.mean(axis=0, dtype=np.float32))
                profiles.append(profile)
    return np.stack(means), profiles


def _fix_rows(projection: Any, weight: Tensor, bias: Tensor) -> None:
    """Set the first rows of a linear layer, and exclude them from training."""
    with torch.no_grad():
        projection.weight[: len(weight)] = weight
        projection.bias[: len(bias)] = bias
    for parameter in (projection.weight, projection.bias):
        parameter.register_hook(partial(_without_first_rows, rows=len(weight)))


def _without_first_rows(gradient: Tensor, *, rows: int) -> Tensor:
    """Return a gradient with zeros in the first `rows` rows."""
    return torch.cat([torch.zeros_like(gradient[:rows]), gradient[rows:]])


def _gender_of(profile: VoiceProfile) -> str:
    return str(profile.traits.get("gender", ""))


def _relabelled(profile: VoiceProfile, emotion: str, gender: str) -> VoiceProfile:
    """Return a profile with the predicted emotion and gender, and the bursts of the clip.

    Other traits, such as age and style, are dropped: they may be wrong for states with an added difference.
    """
    emotions = {} if emotion == NONE else {emotion: LEVEL}
    return VoiceProfile(emotions, profile.bursts, {"gender": gender} if gender else {})
