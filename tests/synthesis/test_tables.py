from budew.synthesis.tables import cues, table
from budew.taxonomy import BURSTS, EMOTIONS


def test_every_emotion_has_a_row_with_cues_and_studies_in_their_ranges():
    rows = table("correlates")
    assert set(rows) == set(EMOTIONS)
    for emotion, row in rows.items():
        assert row["sources"], emotion
        assert row["basis"] in ("measured", "inferred"), emotion
        assert row["cues"], emotion
        assert all(-1 <= size <= 1 for size in row["cues"].values()), emotion
        assert all(0 < chance <= 0.65 for chance in row["bursts"].values()), emotion
        assert sum(row["bursts"].values()) <= 1, emotion


def test_every_cue_and_every_study_is_used_and_every_burst_is_known():
    rows = table("correlates").values()
    assert {cue for row in rows for cue in row["cues"]} == set(cues())
    assert {name for row in rows for name in row["sources"]} == set(table("literature"))
    assert {name for row in rows for name in row["bursts"]} <= set(table("bursts")) <= set(BURSTS)
