from budew.synthesis.tables import correlates, cues, table
from budew.taxonomy import BURSTS, EMOTIONS


def test_every_emotion_has_a_row_with_cues_and_studies():
    rows = table("correlates")
    assert set(rows) == set(EMOTIONS)
    for emotion, row in rows.items():
        assert row["cues"], emotion
        assert row["sources"], emotion
        assert row["basis"] in ("measured", "inferred"), emotion
        assert set(row["bursts"]) <= set(table("bursts")), emotion


def test_cues_and_chances_stay_in_their_ranges():
    for emotion, row in correlates().items():
        assert all(-1 <= size <= 1 for size in row.cues.values()), emotion
        assert all(0 < chance <= 0.65 for chance in row.bursts.values()), emotion
        assert sum(row.bursts.values()) <= 1, emotion


def test_every_cue_and_every_study_is_used_and_every_burst_is_in_the_taxonomy():
    used = {cue for row in correlates().values() for cue in row.cues}
    assert used == set(cues())
    cited = {name for row in table("correlates").values() for name in row["sources"]}
    assert cited == set(table("literature"))
    assert set(table("bursts")) <= set(BURSTS)


def test_voices_of_the_splits_are_disjoint():
    variants = table("voices")["variants"]
    seen: set[str] = set()
    for genders in variants.values():
        names = {name for group in genders.values() for name in group}
        assert not names & seen
        seen |= names
