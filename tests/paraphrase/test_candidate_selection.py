"""A candidate that only omits something is repaired, and then expresses all; others are not repaired."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from budew.captions import ContentSelection, parse, render
from budew.paraphrase.candidate_selection import is_repairable, repaired
from budew.paraphrase.gate import judge
from budew.profile import VoiceProfile
from tests.paraphrase.scripted import FULL, some_profile


def without(profile: VoiceProfile, count: int) -> VoiceProfile:
    traits = {name: profile.traits[name] for name in ("gender", "age") if name in profile.traits}
    return VoiceProfile(dict(list(profile.emotions.items())[count:]), profile.bursts[1:], traits)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10_000), st.integers(0, 3), st.integers(0, 99))
def test_a_repaired_candidate_expresses_what_it_omitted(number, count, seed):
    profile, no_emotion = some_profile(number), ["emotions"] if count > 3 else []
    selection = ContentSelection(leave_out=no_emotion)
    candidate = render(without(profile, count), seed=seed, style="prose", selection=selection)
    verdict = judge(candidate, profile)
    if not is_repairable(verdict, profile):
        return
    text, names = repaired(candidate, verdict, profile, seed=seed)
    said = parse(text)
    assert said.emotions == profile.emotions
    assert set(said.bursts) == set(profile.bursts)
    assert said.traits == profile.traits
    assert text.startswith(candidate.rstrip("."))
    assert set(names.split(", ")) == {reason.what for reason in verdict.reasons}


@pytest.mark.parametrize(
    "candidate", ["A young man, furious.", "Level 3 of anger.", "", render(FULL), "Hm.", "A woman."]
)
def test_candidates_that_add_something_or_express_little_are_not_repairable(candidate):
    assert not is_repairable(judge(candidate, FULL), FULL)
    angry = VoiceProfile({"Anger": 0.75}, traits={"gender": "female"})
    assert not is_repairable(judge(candidate, angry), angry)
    assert is_repairable(judge("A deeply angry voice.", angry), angry)
