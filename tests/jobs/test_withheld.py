"""What joins a minor with sexual content can be read and counted; no job and no export emits it."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from odd_jobs import contents, flac

from budew.captions import ContentSelection, expressible, frame_names, parse, render
from budew.corpora import Caption, Clip, ExportOptions, export_corpus, read, write_shard
from budew.corpora.exports import FORMATS
from budew.errors import WithheldError
from budew.jobs import run
from budew.jobs.convert import Convert
from budew.jobs.render import Render
from budew.paraphrase import Candidates, GrammarBackend, Paraphrase, Rewriting, judge
from budew.profile import VoiceProfile

MINORS = ({"age": "child"}, {"age": "teenager"}, {"Age": 0.0}, {"Age": 2.4}, {"age": "adult", "Age": 1.0})
SEXUAL = (({"Sexual Lust": 0.2}, ()), ({"Fear": 1.0}, ("Pleasure Moan",)), (None, ("Wolf Whistle",)))
withheld = st.builds(
    lambda of, minor, more: VoiceProfile(*of, {**minor, **more}),
    st.sampled_from(SEXUAL),
    st.sampled_from(MINORS),
    st.sampled_from(({}, {"gender": "female"}, {"style": "whispered"})),
)
SAID = "A teenage girl's voice, extremely lustful, with a moan of pleasure."
CLEAN = "A woman's voice, deeply sad."


@settings(deadline=None)
@given(withheld, st.integers(), st.sampled_from((None, *frame_names())))
def test_withheld_profiles_are_never_rendered_whatever_is_left_out(profile, seed, frame):
    leave_out = {"leave_out": ["age", "emotions", "bursts"]}
    for options in ({}, leave_out, {"max_emotions": 0}, {"min_level": 1.0}):
        with pytest.raises(WithheldError, match="joins a minor with sexual content"):
            render(profile, seed=seed, frame=frame, selection=ContentSelection(**options))
        with pytest.raises(WithheldError):
            expressible(profile, selection=ContentSelection(**options))
    assert judge(CLEAN, profile).codes == ("withheld",)


@pytest.mark.parametrize(
    "profile",
    [
        VoiceProfile({"Sexual Lust": 1.0}, ["Pleasure Moan"], {"age": "young adult", "Age": 2.5}),
        VoiceProfile({"Sexual Lust": 1.0}, ["Wolf Whistle"]),
        VoiceProfile({"Sexual Lust": 0.12, "Affection": 1.0}, ["Kissing Sounds"], {"age": "child"}),
    ],
)
def test_adults_kisses_and_faint_scores_are_not_withheld(profile):
    assert not profile.is_withheld
    assert render(profile)


@pytest.fixture
def corpus(tmp_path):
    """Three clips to withhold, for their words, their number and an old caption, and one to keep."""

    def clip(id: str, profile: VoiceProfile, *captions: str) -> Clip:
        made = tuple(map(Caption, captions))
        return Clip(id, flac(), "flac", transcript="So it is.", profile=profile, captions=made)

    sad = VoiceProfile({"Sadness": 0.75}, traits={"gender": "female"})
    clips = [
        clip("words", VoiceProfile({"Sexual Lust": 1.0}, (), {"age": "teenager"})),
        clip("number", VoiceProfile(None, ["Pleasure Moan"], {"Age": 1.0})),
        clip("caption", sad, SAID, CLEAN),
        clip("kept", sad, CLEAN),
    ]
    write_shard(tmp_path / "in" / "a.tar", clips)
    return tmp_path / "in"


class Insisting(GrammarBackend):
    """A model that writes what it was not asked for."""

    async def rewrite(self, requests):
        return [Candidates((SAID, CLEAN), {"backend": "insisting"}) for _ in requests]


@pytest.mark.parametrize(
    "job",
    [
        Render(per_clip=3),
        Convert(),
        Paraphrase(GrammarBackend()),
        Paraphrase(Insisting(), Rewriting(keep_refused=True)),
    ],
    ids=lambda job: f"{job.name}-{type(getattr(job, 'backend', None)).__name__}",
)
def test_every_job_leaves_out_withheld_clips_with_one_reason(job, corpus, tmp_path):
    done = run(job, corpus, tmp_path / "out", workers=0)
    (kept,) = read(tmp_path / "out")
    assert kept.id == "kept"
    assert not any(parse(caption.text).profile.is_withheld for caption in kept.captions)
    reasons = (tmp_path / "out" / "left_out.jsonl").read_text()
    assert reasons.count("joins a minor with sexual content") == reasons.count("\n") == 3
    assert (done.failures, done.left_out) == (0, 3)
    assert not any(b"lust" in content.lower() for content in contents(tmp_path / "out").values())


@pytest.mark.parametrize("to", FORMATS)
def test_no_export_contains_withheld_clips(to, corpus, tmp_path):
    bad = []
    exported = export_corpus(corpus, tmp_path / "out", ExportOptions(to, caption="all"), on_bad=bad.append)
    assert exported.clips == 1
    assert [type(error) for error in bad] == [WithheldError] * 3
    assert all(not clip.is_withheld for clip in read(tmp_path / "out"))


def test_withheld_output_of_a_job_is_not_written(corpus, tmp_path, monkeypatch):
    predicted = VoiceProfile({"Sexual Lust": 0.5}, (), {"age": "child"})
    monkeypatch.setattr(Convert, "_check", lambda self, clip: replace(clip, profile=predicted))
    done = run(Convert(), corpus, tmp_path / "out", workers=0)
    assert (done.clips, done.failures, done.left_out) == (0, 0, 4)
