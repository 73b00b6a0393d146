"""Predictions from a file are read exactly or refused with the line that is wrong."""

import json
from pathlib import Path

import pytest

from budew import parse, render
from budew.corpora import Clip, write_shard
from budew.errors import CorpusError, InputError
from budew.evaluation import Settings, evaluate_corpus, read_predictions, write_predictions
from budew.profile import VoiceProfile

FEW = Settings(resamples=20, permutations=3)


def write(path: Path, records: list[object]) -> Path:
    path.write_text("".join(json.dumps(record) + "\n" for record in records), encoding="utf-8")
    return path


@pytest.mark.parametrize("scale", ["bud-e", "0-4"])
def test_captions_are_parsed_numbers_are_converted_and_count_beside_a_caption(
    tmp_path: Path, scale: str
) -> None:
    caption = render(VoiceProfile({"Fear": 0.75}, traits={"gender": "female"}))
    read = read_predictions(
        write(
            tmp_path / "p.jsonl",
            [
                {"id": "a", "caption": caption},
                {"id": "b", "emotions": {"Fear": 3, "hope": 0}},
                {"id": "c", "caption": caption, "emotions": {"Pride": 1}},
            ],
        ),
        scale=scale,
    )
    profile = parse(caption).profile
    assert (read["a"].profile, read["a"].caption) == (profile, caption)
    assert read["b"].profile == VoiceProfile({"Fear": 0.75})
    assert read["c"].profile == VoiceProfile({"Pride": 0.25}, traits=profile.traits)


def test_perfect_predictions_of_a_corpus_score_one(clips: list[Clip], corpus: Path, tmp_path: Path) -> None:
    records = [{"id": clip.id, "caption": render(clip.profile)} for clip in clips if clip.profile]
    predictions = write(tmp_path / "p.jsonl", records)
    result = evaluate_corpus(corpus, predictions=predictions, settings=FEW, examples=2)
    assert result.mean["spearman"].value == pytest.approx(1)
    assert result.mean["mae"].value == 0
    assert result.unparsed == 0
    assert sum(pair.audio is not None for pair in result.pairs) == 2
    write_shard(tmp_path / corpus.name, clips[::-1])
    turned = evaluate_corpus(tmp_path / corpus.name, predictions=predictions, settings=FEW, examples=2)
    assert turned.pairs == result.pairs


def test_what_is_written_reads_back(clips: list[Clip], corpus: Path, tmp_path: Path) -> None:
    records = [{"id": clip.id, "emotions": {"Fear": 0.3}} for clip in clips]
    predictions = write(tmp_path / "p.jsonl", records)
    result = evaluate_corpus(corpus, predictions=predictions, settings=FEW)
    write_predictions(tmp_path / "again.jsonl", result.pairs)
    assert read_predictions(tmp_path / "again.jsonl") == read_predictions(predictions)


def test_ids_that_differ_are_named(clips: list[Clip], corpus: Path, tmp_path: Path) -> None:
    every = [{"id": clip.id, "emotions": {}} for clip in clips]
    wrong = (
        (every[:1], r"differ in 5 clips, such as 'clip1', .*'clip5': "),
        ([*every, {"id": "odd", "emotions": {}}], "'odd'"),
    )
    for records, complaint in wrong:
        with pytest.raises(InputError, match=complaint):
            evaluate_corpus(corpus, predictions=write(tmp_path / "p.jsonl", records), settings=FEW)


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("{", "JSON"),
        ("[1]", "one prediction per line"),
        ("[" * 100_000, "JSON"),
        ('{"caption": "x"}', "id: "),
        ('{"id": 3, "caption": "x"}', "id: "),
        ('{"id": "b"}', "needs `caption`"),
        ('{"id": "b", "caption": 3}', "caption: "),
        ('{"id": "b", "caption": "x", "emotions": ["Fear"]}', "emotions: "),
        ('{"id": "b", "emotions": {"Fear": 2}}', "from 0 to 1"),
        ('{"id": "b", "emotions": {"Fear": NaN}}', "from 0 to 1"),
        ('{"id": "b", "emotions": {"Fear": "1"}}', "emotions.Fear: "),
        ('{"id": "b", "emotions": {"Feer": 1}}', "Fear"),
        ('{"id": "a", "emotions": {}}', "occurs twice"),
    ],
)
def test_a_wrong_line_is_named(line: str, complaint: str, tmp_path: Path) -> None:
    path = tmp_path / "p.jsonl"
    path.write_text('{"id": "a", "emotions": {}}\n\n' + line + "\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"p\.jsonl line 3.*" + complaint):
        read_predictions(path)


def test_an_unknown_scale_and_a_binary_file_are_refused(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="emonet-voice"):
        read_predictions(write(tmp_path / "p.jsonl", []), scale="stars")
    (tmp_path / "p.jsonl").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InputError, match="UTF-8"):
        read_predictions(tmp_path / "p.jsonl")
