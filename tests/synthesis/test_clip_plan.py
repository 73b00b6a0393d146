from hashlib import sha256

import numpy as np

from budew.synthesis.clip_plan import cues, plan_clip, synthesis_table
from budew.synthesis.espeak import utterance
from budew.taxonomy import BURSTS, EMOTIONS

PLANS = [plan_clip(number, seed=11, split="train") for number in range(3000)]


def test_a_plan_is_a_function_of_seed_split_and_number():
    assert plan_clip(7, seed=11, split="train") == PLANS[7] != plan_clip(7, seed=12, split="train")
    assert plan_clip(7, seed=11, split="test").settings != PLANS[7].settings
    for plan in PLANS:
        assert sorted(plan.profile.bursts) == sorted(plan.bursts_before + plan.bursts_after)


def test_splits_have_disjoint_voices():
    others = [plan_clip(n, seed=11, split=split) for n in range(500) for split in ("validation", "test")]
    assert not {plan.voice.speaker for plan in PLANS} & {plan.voice.speaker for plan in others}
    groups = [
        {name for group in genders.values() for name in group}
        for genders in synthesis_table("voices")["variants"].values()
    ]
    assert len(set.union(*groups)) == sum(map(len, groups))


def test_intensity_drives_the_strength_of_the_cues():
    strength: dict[float, list[float]] = {}
    for plan in PLANS:
        if len(plan.profile.emotions) == 1:
            ((emotion, intensity),) = plan.profile.emotions.items()
            row = synthesis_table("correlates")[emotion]["cues"]
            size = np.array(list(row.values()))
            shown = np.array([plan.settings[cue] for cue in row])
            strength.setdefault(intensity, []).append(float(shown @ size / (size @ size)))
    means = [float(np.mean(strength[level])) for level in (0.25, 0.5, 0.75, 1.0)]
    assert means == sorted(means)
    assert means[3] > 1.8 * means[0]


def test_every_emotion_has_a_row_with_cues_and_studies_in_their_ranges():
    rows = synthesis_table("correlates")
    assert set(rows) == set(EMOTIONS)
    for emotion, row in rows.items():
        assert row["sources"], emotion
        assert row["basis"] in ("measured", "inferred"), emotion
        assert row["cues"], emotion
        assert all(-1 <= size <= 1 for size in row["cues"].values()), emotion
        assert all(0 < chance <= 0.65 for chance in row["bursts"].values()), emotion
        assert sum(row["bursts"].values()) <= 1, emotion


def test_every_cue_and_every_study_is_used_and_every_burst_is_known():
    rows = synthesis_table("correlates").values()
    assert {cue for row in rows for cue in row["cues"]} == set(cues())
    assert {name for row in rows for name in row["sources"]} == set(synthesis_table("literature"))
    assert {name for row in rows for name in row["bursts"]} <= set(synthesis_table("bursts")) <= set(BURSTS)


def test_a_seed_gives_the_plans_and_captions_that_it_gave_before():
    said = [utterance(plan, formants=1.1) for plan in PLANS[:400]]
    digests = [sha256(repr(made).encode()).hexdigest()[:12] for made in (PLANS[:400], said)]
    assert digests == ["bf7421da42a6", "05af7a017009"]


def test_no_plan_combines_a_minor_with_sexual_content():
    assert not any(plan_clip(number, seed=1, split="train").profile.is_withheld for number in range(500))
