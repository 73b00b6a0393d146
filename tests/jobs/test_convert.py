"""Converting checks each clip by decoding it and keeps the encoded audio as it is."""

from budew.corpora import read
from budew.jobs import run
from budew.jobs.convert import Convert


def test_rate_and_duration_are_measured_and_the_audio_stays(shard, tmp_path):
    source = shard("in/a", "one")
    run(Convert(), source, tmp_path / "out", workers=0)
    (before,), (after,) = read(source), read(tmp_path / "out")
    assert after.audio == before.audio
    assert (after.sampling_rate, after.duration) == (16_000, 0.05)


def test_undecodable_and_too_long_clips_fail(shard, tmp_path):
    shard("in/a", "text", audio=b"this is no audio at all")
    shard("in/b", "long")
    summary = run(Convert(max_seconds=0.01), tmp_path / "in", tmp_path / "out", workers=0)
    assert (summary.clips, summary.failures) == (0, 2)
    assert "budew corpus segment" in (tmp_path / "out/failures.jsonl").read_text()
