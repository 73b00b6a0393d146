"""Linear probes predict emotion and gender whoever speaks; captions say what they predict."""

from collections import Counter
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from budew.corpora import write_shard
from budew.errors import CorpusError, SettingsError
from budew.model.checkpoint import load_checkpoint
from budew.profile import VoiceProfile
from budew.randomness import generator
from budew.training.clip_index import ClipRecord
from budew.training.data_settings import NONE, ListenerSettings, TrainingCorpus
from budew.training.dataset import training_dataset
from budew.training.initial_model import load_base
from budew.training.preparation import prepare_corpora, prepare_states
from budew.training.pseudo_labels import LinearProbe, PseudoLabeler, _fitted, fit_labeler, prepare_labeler
from budew.training.run import train
from budew.training.training_clips import CachedStates, TrainingClips
from tests.training.conftest import clip_of

WIDTH, POSITIONS = 24, 6
ANGER, SADNESS, VOICE = 0, 1, slice(2, WIDTH)
"""Numbers of the states that tell these."""


@pytest.fixture
def corpus_of(tmp_path):
    """`corpus_of(clips)` makes a corpus with cached states of clips, given as profile and mean states."""

    def make(clips):
        file = tmp_path / f"{len(list(tmp_path.iterdir()))}.f16"
        np.concatenate([np.tile(mean, (POSITIONS, 1)) for _, mean in clips]).astype("<f2").tofile(file)
        np.full(len(clips), POSITIONS, "<i4").tofile(file.with_suffix(".positions"))
        records = [ClipRecord(str(number), profile, {}, {}) for number, (profile, _) in enumerate(clips)]
        index = SimpleNamespace(record=records.__getitem__)
        return TrainingClips(
            TrainingCorpus(corpus="a", heard=True),
            index,
            np.zeros(len(clips), np.float32),
            30.0,
            Counter(),
            states=CachedStates(file, WIDTH, 1),
        )

    return make


def spoken(rng, *, emotion=None, voice=None, gender="female"):
    """A clip: small noise, a voice that differs widely, and an emotion that differs little from none."""
    mean = rng.normal(0, 0.05, WIDTH)
    mean[VOICE] = rng.normal(0, 3) if voice is None else voice
    if emotion:
        mean[{"Anger": ANGER, "Sadness": SADNESS}[emotion]] += 1
    return VoiceProfile({emotion: 0.5} if emotion else {}, (), {"gender": gender}), mean


@pytest.fixture
def labeler(corpus_of):
    """Fitted to acted clips whose angry speakers have other voices than the sad ones, and to neutral ones."""
    rng = np.random.default_rng(0)
    acted = [spoken(rng, emotion="Anger", voice=4 + rng.normal()) for _ in range(8)]
    acted += [spoken(rng, emotion="Sadness", voice=-4 + rng.normal()) for _ in range(8)]
    read = [spoken(rng, gender=gender) for gender in ("female", "male") for _ in range(40)]
    return fit_labeler([corpus_of(acted), corpus_of(read)], ListenerSettings(shrinkage=0.01, penalty=1))


def test_offsets_are_added_to_the_bias_of_their_classes_alone(corpus_of):
    rng = np.random.default_rng(0)
    clips = [spoken(rng, emotion=emotion) for emotion in ("Anger", "Sadness", None) for _ in range(8)]
    plain, moved = (
        fit_labeler([corpus_of(clips)], ListenerSettings(offsets=offsets)).emotion
        for offsets in ({}, {"Anger": 0.5})
    )
    differences = dict(zip(plain.classes, moved.bias - plain.bias, strict=True))
    assert differences == pytest.approx({"Anger": 0.5, "Sadness": 0, NONE: 0}, abs=1e-6)


@pytest.mark.parametrize(("emotion", "voice"), [("Anger", -4), ("Sadness", 4), (None, -4), (None, 4)])
def test_directions_in_which_neutral_clips_differ_count_little(labeler, emotion, voice):
    rng = np.random.default_rng(1)
    heard = [labeler.emotion.predict(spoken(rng, emotion=emotion, voice=voice)[1]) for _ in range(50)]
    assert heard.count(emotion or NONE) >= 40


@given(
    seed=st.integers(0, 10_000),
    emotion=st.sampled_from(["Anger", "Sadness", None]),
    gender=st.sampled_from(["female", "male"]),
)
def test_the_label_is_the_prediction_from_the_states(fixed_labeler, seed, emotion, gender):
    profile, mean = spoken(np.random.default_rng(seed), emotion=emotion, gender=gender)
    states = np.tile(mean, (POSITIONS, 1)).astype(np.float16)
    changed, said = fixed_labeler.label(states, profile, generator(seed, "clip"))
    mean = changed.mean(axis=0, dtype=np.float32)
    heard = fixed_labeler.emotion.predict(mean)
    largest = np.ptp(fixed_labeler.means[gender], axis=0)  # between the means of two clips
    assert (np.abs(changed - states) <= largest + 1e-2).all()
    assert said.traits == {"gender": fixed_labeler.gender.predict(mean)}
    assert list(said.emotions) == [heard] * (heard != NONE)
    again, _ = fixed_labeler.label(states, profile, generator(seed, "clip"))
    assert np.array_equal(changed, again)


@pytest.fixture(scope="module")
def fixed_labeler():
    """Probes with given weights."""
    weights = np.zeros((WIDTH, 3), np.float32)
    weights[ANGER, 0] = weights[SADNESS, 1] = 4
    emotion = LinearProbe(("Anger", "Sadness", NONE), weights, np.array([0, 0, 2], np.float32))
    voices = np.zeros((WIDTH, 2), np.float32)
    voices[VOICE, 1] = 1
    gender = LinearProbe(("female", "male"), voices, np.zeros(2, np.float32))
    rng = np.random.default_rng(2)
    means = {name: rng.normal(0, 1, (30, WIDTH)).astype(np.float32) for name in gender.classes}
    return PseudoLabeler(ListenerSettings(), emotion, gender, means)


def test_a_probe_does_not_depend_on_the_unit_of_the_states():
    rng = np.random.default_rng(4)
    means, labels = rng.normal(size=(60, 3)), np.array(["a", "b", "c"] * 20)
    means[:, 0] += np.arange(60) % 3
    probes = [_fitted(unit * means, labels, np.ones(60), np.eye(3), 1.0) for unit in (1, 30)]
    one, other = (
        [probe.predict(unit * mean) for mean in means] for probe, unit in zip(probes, (1, 30), strict=True)
    )
    assert one == other
    assert len(set(one)) == 3


def test_shares_decide_how_often_a_class_occurs(fixed_labeler):
    rare = replace(fixed_labeler, settings=ListenerSettings(moved=1, shares={"Anger": 0}))
    profile, mean = spoken(np.random.default_rng(0))
    states = np.tile(mean, (POSITIONS, 1))

    def angry(labeler):
        said = [labeler.label(states, profile, generator(number))[1] for number in range(200)]
        return sum("Anger" in one.emotions for one in said)

    assert angry(rare) < angry(replace(rare, settings=ListenerSettings(moved=1))) / 3


def test_gender_is_predicted_whatever_the_emotion(corpus_of):
    rng = np.random.default_rng(4)

    def clips(emotion, number):
        pairs = [("female", 1.5), ("male", -1.5)] * number
        return [
            spoken(rng, emotion=emotion, voice=rng.normal(voice, 1), gender=gender) for gender, voice in pairs
        ]

    fitted = fit_labeler([corpus_of(clips("Anger", 10)), corpus_of(clips(None, 30))], ListenerSettings())
    for emotion in ("Anger", None):
        unheard = clips(emotion, 20)
        right = [fitted.gender.predict(mean) == profile.traits["gender"] for profile, mean in unheard]
        assert np.mean(right) > 0.9


def test_gender_is_the_label_where_the_corpora_have_one_only(corpus_of):
    rng = np.random.default_rng(5)
    clips = [spoken(rng, emotion=emotion) for emotion in ("Anger", None) for _ in range(10)]
    fitted = fit_labeler([corpus_of(clips)], ListenerSettings())
    profile, mean = spoken(rng)
    assert fitted.gender is None
    assert fitted.label(np.tile(mean, (POSITIONS, 1)), profile, generator(0))[1].traits == {
        "gender": "female"
    }


def test_an_offset_moves_the_decision_boundary(labeler, corpus_of):
    rng = np.random.default_rng(3)
    clips = corpus_of([spoken(rng, emotion=emotion) for emotion in ("Anger", None) for _ in range(20)])
    strict = fit_labeler([clips], ListenerSettings(offsets={"Anger": -50}))
    assert strict.emotion.predict(spoken(rng, emotion="Anger")[1]) == NONE


def test_probes_cannot_be_fitted_without_neutral_clips(corpus_of):
    rng = np.random.default_rng(0)
    clips = [spoken(rng, emotion=emotion) for emotion in ("Anger", "Sadness") for _ in range(3)]
    with pytest.raises(CorpusError, match="heard"):
        fit_labeler([corpus_of(clips)], ListenerSettings())


@pytest.fixture
def heard_recipe(make_recipe, make_whisper, tmp_path):
    base = make_whisper(tmp_path / "base", layers=2, text_positions=100)
    profiles = [
        VoiceProfile({"Anger": 1.0}, (), {"gender": "male"}),
        VoiceProfile({}, (), {"gender": "male"}),
    ]
    write_shard(
        tmp_path / "a.tar", [replace(clip_of(n), profile=profiles[n % 2], captions=()) for n in range(12)]
    )

    def make(*changes, heard="true", listener="{}"):
        corpus = f"data.train=[{{corpus: {tmp_path / 'a.tar'}, heard: {heard}}}]"
        model = f"model={{base: {base}, method: encoder-frozen, vocabulary: captions}}"
        given = (model, corpus, f"data.validation={tmp_path / 'a.tar'}", f"data.listener={listener}")
        return make_recipe(
            *given, "target={kind: template, wording: plain}", "data.cache_states=true", *changes
        )

    return make


def test_captions_of_the_examples_agree_with_the_prediction_from_their_states(heard_recipe, tmp_path):
    recipe = heard_recipe()
    model, processor = load_base(recipe)
    corpora = prepare_corpora(recipe, tmp_path, "train", processor.feature_extractor)
    corpora = prepare_states(recipe, tmp_path, corpora, model, processor.feature_extractor)
    labeler = prepare_labeler(recipe.data.listener, tmp_path, corpora)
    examples = training_dataset(recipe, corpora, processor, max_tokens=60, labeler=labeler)
    for number in range(20):
        example = examples[number]
        text = processor.tokenizer.decode(example["tokens"], skip_special_tokens=True).lower()
        heard = labeler.emotion.predict(example["states"].float().numpy().mean(axis=0))
        assert ("ang" in text) == (heard == "Anger"), text


def head_of(model, states):
    """What the first head of the first cross-attention gives each token, (values,)."""
    seen, attention = [], model.get_decoder().layers[0].encoder_attn
    handle = attention.out_proj.register_forward_hook(lambda _, given, __: seen.append(given[0]))
    with torch.inference_mode():
        model(encoder_outputs=(states[None],), decoder_input_ids=torch.tensor([[0, 1]]))
    handle.remove()
    return seen[0][0, -1, : attention.head_dim]


def test_a_trained_model_has_the_probe_as_an_attention_head(heard_recipe, tmp_path):
    recipe = heard_recipe("optimizer={max_steps: 3, batch_size: 4, learning_rate: 1e-2, weight_decay: 0}")
    model = load_checkpoint(train(recipe, out=tmp_path / "run"), device="cpu", dtype="float32").model
    with np.load(tmp_path / "run/training/listener.npz") as saved:
        weights, bias = saved["emotion weights"], saved["emotion bias"]
    rng = np.random.default_rng(0)
    for _ in range(5):
        states = rng.normal(0, 1, (POSITIONS, len(weights))).astype(np.float32)
        scores = states.mean(axis=0) @ weights + bias
        values = head_of(model, torch.from_numpy(states)).numpy()[: len(scores)]
        assert np.corrcoef(values - values.mean(), scores - scores.mean())[0, 1] > 0.99
        assert values.argmax() == scores.argmax()


def test_the_head_has_the_scores_of_emotion_and_gender(make_whisper, tmp_path):
    model = load_checkpoint(make_whisper(tmp_path / "base"), device="cpu", dtype="float32").model
    rng = np.random.default_rng(0)
    width = model.config.d_model

    def classifier(*classes):
        return LinearProbe(
            classes, *(rng.normal(0, 1, shape).astype(np.float32) for shape in ((width, 2), 2))
        )

    emotion, gender = classifier("Anger", NONE), classifier("female", "male")
    means = rng.normal(0, 1, (50, width)).astype(np.float32)
    PseudoLabeler(ListenerSettings(), emotion, gender, {"": means}).set_head(model.requires_grad_(True))
    for mean in means:
        values = head_of(model, torch.from_numpy(np.tile(mean, (POSITIONS, 1)))).numpy()
        assert emotion.classes[values[:2].argmax()] == emotion.predict(mean)
        assert gender.classes[values[2:4].argmax()] == gender.predict(mean)


def test_the_attention_head_of_the_probes_is_not_trained(make_whisper, tmp_path):
    model = load_checkpoint(
        make_whisper(tmp_path / "base"), device="cpu", dtype="float32"
    ).model.requires_grad_(True)
    weights = np.random.default_rng(0).normal(0, 1, (model.config.d_model, 2)).astype(np.float32)
    emotion = LinearProbe(("Anger", NONE), weights, np.zeros(2, np.float32))
    PseudoLabeler(ListenerSettings(), emotion, None, {"": weights.T}).set_head(model)
    states = torch.randn(2, POSITIONS, model.config.d_model)
    model(encoder_outputs=(states,), decoder_input_ids=torch.tensor([[1, 2]] * 2)).logits.sum().backward()
    attention = model.get_decoder().layers[0].encoder_attn
    for projection in (attention.q_proj, attention.v_proj):
        rows = projection.weight.grad.abs().sum(dim=1)
        assert not rows[: attention.head_dim].any()
        assert rows[attention.head_dim :].all()


@pytest.mark.parametrize("how", [{"heard": "false"}, {"listener": "null"}])
def test_pseudo_labels_need_a_corpus_and_the_corpus_their_settings(heard_recipe, how):
    with pytest.raises(SettingsError, match="listener"):
        heard_recipe(**how)
