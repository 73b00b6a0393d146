"""Heads learn a loud cue, the same ones from the same seed, whatever else is trained with them."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from budew.heads import fitting, stack_training
from budew.heads.encoder_states import TARGETS, LabeledStates
from budew.heads.fitting import Quality, fit_heads, split_by_speaker, unstandardized_head
from budew.heads.networks import Head
from budew.heads.stack_training import LARGE, FittingOptions, initial_stack
from budew.taxonomy import EMOTIONS

OPTIONS = FittingOptions(validation=0.25)
AROUSAL = TARGETS.index("Arousal")


def fitted(data: LabeledStates, options: FittingOptions, **how) -> dict[str, tuple[Head, Quality]]:
    return {head.name: (head, quality) for head, quality in fit_heads(data, options, **how)}


def weights_of(trained: dict[str, tuple[Head, Quality]]) -> dict[str, tuple[Quality, list[int]]]:
    """All weights of heads, to be compared bit for bit."""
    return {
        name: (quality, [hash(part.numpy().tobytes()) for layer in head.layers for part in layer])
        for name, (head, quality) in trained.items()
    }


def test_a_loud_cue_is_predicted_better_than_by_the_mean(pooled):
    trained = fitted(pooled, OPTIONS)
    assert set(trained) == {"Arousal", "Anger"}
    for _, quality in trained.values():
        assert quality.r2 > 0.4
        assert quality.error < 0.75 * quality.error_of_mean
    scores = trained["Arousal"][0](torch.tensor(pooled.states)).numpy()
    target = pooled.targets[:, AROUSAL]
    assert np.corrcoef(scores, target)[0, 1] > 0.8
    assert abs(scores.mean() - target.mean()) < 0.15
    targets = pooled.targets.copy()  # clips of which some targets are unknown train the others
    targets[::8, : len(EMOTIONS)] = np.nan
    targets[::3, AROUSAL] = np.nan
    some = fitted(replace(pooled, targets=targets), OPTIONS)
    assert all(some[name][1].clips < trained[name][1].clips for name in trained)
    assert some["Arousal"][1].r2 > 0.4


def test_the_same_seed_gives_the_same_heads_and_leaves_the_global_generator_alone(pooled):
    torch.manual_seed(4)
    state = torch.random.get_rng_state()
    first, again, other = (fitted(pooled, FittingOptions(most_epochs=3, seed=seed)) for seed in (1, 1, 2))
    assert torch.equal(torch.random.get_rng_state(), state)
    assert weights_of(first) == weights_of(again) != weights_of(other)


def test_a_head_is_bit_for_bit_the_same_alone_and_with_others_in_both_layouts(pooled, flattened):
    targets = np.tile(pooled.targets[:, AROUSAL, None], len(TARGETS))
    targets *= np.linspace(0.5, 1, len(TARGETS), dtype=np.float32)  # heads that stop at different epochs
    targets[:, 3:] = np.nan
    few_epochs = replace(OPTIONS, most_epochs=4, layout="flattened", loss="absolute")
    for data, options in ((pooled, OPTIONS), (flattened, few_epochs)):
        some = replace(data, targets=targets)
        together, alone = (fitted(some, replace(options, memory=memory)) for memory in (4.0, 0.0))
        assert len(together) == 3
        assert weights_of(together) == weights_of(alone)


def test_the_quality_of_a_head_is_that_of_its_scores_on_held_out_speakers(pooled):
    trained = fitted(pooled, replace(OPTIONS, most_epochs=4))
    check = split_by_speaker(pooled.speakers, share=0.25, seed=0)
    for head, quality in trained.values():
        target = pooled.targets[:, TARGETS.index(head.name)]
        scores = head(torch.tensor(pooled.states)).numpy()
        miss, of_mean = scores[check] - target[check], target[~check].mean() - target[check]
        assert quality.epochs == 4
        assert quality.r2 == pytest.approx(1 - np.mean(miss**2) / np.mean(of_mean**2), abs=2e-4)
        assert quality.error == pytest.approx(np.abs(miss).mean(), abs=2e-4)
        assert quality.error_of_mean == pytest.approx(np.abs(of_mean).mean(), abs=2e-4)


def test_training_further_starts_from_the_given_heads_at_a_tenth_of_the_rate(pooled, monkeypatch):
    (head, _) = fitted(pooled, OPTIONS)["Arousal"]
    slow = replace(OPTIONS, rate=1e-12, decay=0.0, most_epochs=1)
    new, rates = weights_of(fitted(pooled, slow))["Anger"], []

    def fit_stack(*arguments):
        rates.append(arguments[-1].rate)
        return stack_training.fit_stack(*arguments)

    monkeypatch.setattr(fitting, "fit_stack", fit_stack)
    further = fitted(pooled, slow, start=[head])
    assert (list(further), rates) == (["Arousal", "Anger"], [1e-13, 1e-12])
    assert weights_of(further)["Anger"] == new
    states = torch.tensor(pooled.states)
    assert torch.allclose(further["Arousal"][0](states), head(states), atol=1e-4)


def test_no_speaker_is_in_both_parts_of_the_split():
    speakers = [f"speaker-{number % 7}" for number in range(100)]
    check = split_by_speaker(speakers, share=0.15, seed=3)
    names = np.array(speakers)
    assert not set(names[check]) & set(names[~check])
    assert 0.1 < check.mean() < 0.35
    assert (split_by_speaker(speakers, share=0.15, seed=3) == check).all()
    assert not split_by_speaker(["one"] * 9, share=0.5, seed=1).any()


def test_a_head_of_a_stack_scores_as_the_stack_does_on_standardized_states():
    stack = initial_stack(["Awe", "Pain", "Fear"], 21, FittingOptions(widths=(6, 5, 4)))
    inputs, mean, spread = torch.randn(9, 21), torch.randn(7), torch.rand(7) + 0.5
    wanted = stack((inputs - mean.repeat(3)) / spread.repeat(3)) * 1.7 + 0.3
    for number in range(3):
        head = unstandardized_head("Awe", list(stack.parameters()), number, (mean, spread), (0.3, 1.7))
        assert torch.allclose(head(inputs), wanted[number], atol=1e-5)


def test_heads_are_as_wide_and_trained_as_long_as_the_published_ones():
    published = FittingOptions((64, 64, 32, 16), 0.1, 1e-3, 0.01, 64, 200, 10, 0.005, 0.15, 0)
    assert FittingOptions() == published
    assert (published.loss, FittingOptions(layout="flattened").loss) == ("squared", "absolute")
    assert published.weights(1500 * 768) * 4 == pytest.approx(295e6, rel=0.01)
    assert FittingOptions(LARGE).weights(1500 * 768) * 4 == pytest.approx(590e6, rel=0.01)
    assert published.to_dict() == replace(published, memory=1.0).to_dict()


def test_twenty_clips_to_train_on_and_five_to_validate_are_enough_and_fewer_are_not():
    speakers = tuple(f"s{number:02}" for number in range(25))
    check = split_by_speaker(speakers, share=0.2, seed=0)
    assert check.sum() == 5
    targets = np.full((25, len(TARGETS)), np.nan, np.float32)
    enough, *few = (TARGETS.index(name) for name in ("Arousal", "Valence", "Age"))
    targets[:, [enough, *few]] = np.arange(25)[:, None]
    targets[np.flatnonzero(~check)[0], few[0]] = np.nan
    targets[np.flatnonzero(check)[0], few[1]] = np.nan
    features = np.random.default_rng(1).normal(size=(25, 6)).astype(np.float32)
    data = LabeledStates(features, targets, speakers)
    assert set(fitted(data, FittingOptions(validation=0.2, most_epochs=1))) == {"Arousal"}
