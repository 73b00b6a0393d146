"""Predictions from anywhere are read exactly or refused with the line that is wrong."""

import csv
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from budew import parse, render
from budew.annotation.head_annotator import with_scores
from budew.corpora import Clip, write_shard
from budew.errors import BudewWarning, InputError
from budew.evaluation import (
    FilePredictor,
    Pair,
    evaluate_corpus,
    read_predictions,
    write_predictions,
)
from budew.evaluation.prediction_files import Prediction, by_id, read_scores
from budew.profile import VoiceProfile
from budew.statistics.resampling import Resampling
from budew.taxonomy import EMOTIONS

FEW = Resampling(resamples=20, permutations=3)
SILENT = VoiceProfile(None)


def write(path: Path, records: list[Any]) -> Path:
    path.write_text("".join(json.dumps(record) + "\n" for record in records), encoding="utf-8")
    return path


def profiles(source: Path, **options: Any) -> dict[str, VoiceProfile]:
    return {id: found.profile for id, found in read_predictions(source, **options).items()}


@pytest.mark.parametrize("scale", ["bud-e", "0-4"])
def test_captions_are_parsed_numbers_are_converted_and_count_beside_a_caption(
    tmp_path: Path, scale: str
) -> None:
    caption = render(VoiceProfile({"Fear": 0.75}, traits={"gender": "female"}))
    records = [
        {"id": "a", "caption": caption},
        {"id": "b", "emotions": {"Fear": 3, "hope": 0}},
        {"id": "c", "caption": caption, "emotions": {"Pride": 1}},
    ]
    read = read_predictions(write(tmp_path / "p.jsonl", records), scale=scale)
    profile = parse(caption).profile
    assert read["a"] == Prediction(profile, caption)
    assert read["b"].profile == VoiceProfile({"Fear": 0.75}, rated=["Fear", "Hope/Optimism", "Pride"])
    assert read["c"].profile == VoiceProfile({"Pride": 0.25}, traits=profile.traits)


@pytest.mark.parametrize("under", [None, "emotions", "scores"])
def test_labels_of_hume_voice_are_mapped_to_emotions(tmp_path: Path, under: str | None) -> None:
    labels = {"Joy": 0.5, "Empathic Pain": 0.75, "Distress": 0.25, "Guilt": 0.9, "Craving": 0.8, "Pride": 0}
    surprises = {"Surprise (positive)": 0.25, "Surprise (negative)": None}
    scores = labels | surprises
    record = {"id": "a"} | ({under: scores} if under else scores)
    names = ("Elation", "Distress", "Pride", "Astonishment/Surprise")
    expected = VoiceProfile(dict(zip(names, (0.5, 0.75, 0, 0.25), strict=True)), rated=names)
    assert profiles(write(tmp_path / "p.jsonl", [record]), scale="0-1") == {"a": expected}


def test_what_no_line_names_is_unrated_what_a_line_leaves_out_is_absent_and_null_is_a_refusal(
    tmp_path: Path,
) -> None:
    lines = [{"Fear": 1, "anger_best": 0.5}, {"Fear": 0.5}, {"Fear": None, "Anger": 1}, {"scores": {}}]
    refusals = [{}, {"caption": None}, {"caption": " "}, {"Fear": None, "Anger": None}]
    found = profiles(
        write(tmp_path / "p.jsonl", [{"id": n, **line} for n, line in enumerate(lines + refusals)])
    )
    both = ("Fear", "Anger")
    assert list(found.values()) == [
        VoiceProfile({"Fear": 1, "Anger": 0.5}, rated=both),
        VoiceProfile({"Fear": 0.5}, rated=both),
        VoiceProfile({"Anger": 1}, rated=["Anger"]),
        VoiceProfile(rated=both),
        *[SILENT] * 4,
    ]


@pytest.mark.parametrize(
    "fields",
    [
        {"Fear": 2, "Hopelessness": 1},
        {"scores": {"model_fear_best": 2, "helplessness": "1"}, "text": "I hate my anger.", "snr": 3},
        {"model": "x", "predictions": {"emotions": {"FEAR": 2.0, "Helplessness": 1}}},
        {
            "profile": VoiceProfile(
                {"Fear": 0.5, "Helplessness": 0.25}, rated=["Fear", "Helplessness"]
            ).to_dict()
        },
    ],
)
def test_any_spelling_place_and_file_gives_the_same_prediction(
    fields: dict[str, Any], tmp_path: Path
) -> None:
    expected = {
        "wavs/a.wav": VoiceProfile({"Fear": 0.5, "Helplessness": 0.25}, rated=["Fear", "Helplessness"])
    }
    for name in ("id", "file", "audio_filepath", "source"):
        assert (
            profiles(write(tmp_path / "p.jsonl", [{name: "wavs/a.wav", **fields}]), scale="0-4") == expected
        )
    (tmp_path / "f" / "wavs").mkdir(parents=True)
    write(tmp_path / "f" / "wavs" / "a.wav.json", [{"id": 7, **fields}])
    assert profiles(tmp_path / "f", scale="0-4") == expected


def test_csv_and_json_lines_and_a_folder_of_them_are_the_same(tmp_path: Path) -> None:
    rows = [
        {"file": "a.wav", "Fear": 0.25, "Sexual Lust": 1e-5},
        {"file": "b.wav", "Fear": None, "Sexual Lust": 1},
    ]
    (tmp_path / "f").mkdir()
    with (tmp_path / "f" / "p.csv").open("w", newline="") as file:
        out = csv.DictWriter(file, list(rows[0]))
        out.writeheader()
        out.writerows(rows)
    expected = profiles(write(tmp_path / "p.jsonl", rows))
    assert expected["a.wav"].emotions == {"Fear": 0.25, "Sexual Lust": 1e-5}
    assert expected["b.wav"].rated == ("Sexual Lust",)
    assert profiles(tmp_path / "f" / "p.csv") == profiles(tmp_path / "f") == expected


def test_the_profiles_of_a_corpus_are_predictions(clips: list[Clip], tmp_path: Path) -> None:
    write_shard(tmp_path / "heads-00000.tar", [replace(clips[0], profile=None), *clips[1:]])
    expected = {clip.id: clip.profile for clip in clips} | {clips[0].id: SILENT}
    for source in (tmp_path, tmp_path / "heads-00000.tar", str(tmp_path / "*.tar")):
        assert profiles(source) == expected


def test_labels_that_heads_left_in_a_corpus_are_not_their_predictions(
    clips: list[Clip], tmp_path: Path
) -> None:
    labelled = replace(
        clips[0], profile=VoiceProfile({"Anger": 1}, traits={"Authenticity": 4, "age": "adult"})
    )
    write_shard(tmp_path / "h.tar", [with_scores(labelled, {"Fear": 2.0, "Pride": 0.1, "Arousal": 3.0}, {})])
    assert profiles(tmp_path / "h.tar") == {
        labelled.id: VoiceProfile(
            {"Fear": 0.5, "Pride": 0.025}, traits={"Arousal": 3}, rated=["Fear", "Pride"]
        )
    }


def test_rated_attributes_are_on_the_scale_of_the_scores(tmp_path: Path) -> None:
    found = profiles(write(tmp_path / "p.jsonl", [{"id": "a", "Arousal": 5, "Fear": 10}]), scale="0-10")["a"]
    assert (dict(found.traits), found.rated) == ({"Arousal": 2.0}, ("Fear",))


def test_scores_of_heads_may_leave_their_scale_and_mixed_scales_are_an_error(tmp_path: Path) -> None:
    path = write(tmp_path / "p.jsonl", [{"id": "a", "Anger": 5.6}, {"id": "b", "Anger": -0.3}])
    assert [dict(found.emotions) for found in profiles(path, scale="bud-e").values()] == [{"Anger": 1.0}, {}]
    mixed = write(tmp_path / "m.jsonl", [{"id": "a", "Anger": 0.9}, {"id": "b", "Anger": 80}])
    for source, scale, line in ((path, "0-4", 1), (mixed, "bud-e", 2), (mixed, "intensity", 2)):
        with pytest.raises(InputError, match=f"line {line}: Anger"):
            read_predictions(source, scale=scale)


def test_intensities_of_scored_faces_have_their_own_scale(tmp_path: Path) -> None:
    scored = {"image_path": "a", "results": {"model_anger_best": {"raw": 3.5, "intensity": 0.5}}}
    path = write(tmp_path / "p.jsonl", [scored, {"id": "b", "Anger": 7}])
    assert [found.emotions["Anger"] for found in profiles(path, scale="0-7").values()] == [0.5, 1.0]


def test_answers_in_words_are_shares_of_any_scale(tmp_path: Path) -> None:
    words = {"id": "a", "scores": {"Anger": "Mildly Present", "Awe": "intensely present", "Pain": None}}
    rows = [words, {"id": "b", "Anger": 3}, {"id": "c", "text": "Anger: mildly present\nAwe: not present"}]
    found = read_predictions(write(tmp_path / "p.jsonl", rows), scale="0-4")
    assert dict(found["a"].profile.emotions) == {"Anger": 0.5, "Awe": 1.0}
    assert "Pain" not in found["a"].profile.rated
    assert (found["b"].profile.emotions["Anger"], dict(found["c"].profile.emotions)) == (
        0.75,
        {"Anger": 0.25},
    )
    with pytest.raises(InputError, match="give one kind"):
        read_predictions(write(tmp_path / "p.jsonl", [{"id": "a", "Anger": "present", "Awe": 1}]))


def test_an_id_is_found_with_and_without_suffix_and_folder(tmp_path: Path) -> None:
    ids = ["read/a.wav", "speech/a.wav", "b", "d/c.mp3", "e.1"]
    found = read_predictions(
        write(tmp_path / "p.jsonl", [{"id": id, "Fear": n / 10} for n, id in enumerate(ids)])
    )
    for predictions in (found, dict(found)):
        for id, expected in (
            ("read/a", ids[0]), ("/data/speech/a.flac", ids[1]), ("x/b.WAV", "b"), ("c", "d/c.mp3"),
            ("x/d/c.mp3", ids[3]), ("a", None), ("other/c", None), ("e", None), ("e.1.wav", "e.1"),
            ("", None),
        ):  # fmt: skip
            assert by_id(predictions, id) == (None if expected is None else found[expected]), id


def test_perfect_predictions_of_a_corpus_score_one(clips: list[Clip], corpus: Path, tmp_path: Path) -> None:
    records = [{"id": clip.id, "caption": render(clip.profile)} for clip in clips if clip.profile]
    predictions = write(tmp_path / "p.jsonl", records)
    result = evaluate_corpus(corpus, FilePredictor(predictions), settings=FEW, examples=2)
    assert result.mean["spearman"].value == pytest.approx(1)
    assert result.mean["mae"].value == 0
    assert result.unparsed == 0
    assert sum(pair.audio is not None for pair in result.pairs) == 2
    write_shard(tmp_path / corpus.name, clips[::-1])
    turned = evaluate_corpus(tmp_path / corpus.name, FilePredictor(predictions), settings=FEW, examples=2)
    assert turned.pairs == result.pairs


partial = st.dictionaries(st.sampled_from(EMOTIONS), st.one_of(st.none(), st.floats(0, 1)))


@given(st.lists(partial, max_size=4))
def test_what_is_written_reads_back(
    tmp_path_factory: pytest.TempPathFactory, given: list[dict[str, Any]]
) -> None:
    predicted = [VoiceProfile({n: v for n, v in one.items() if v is not None}, rated=one) for one in given]
    path = tmp_path_factory.mktemp("written") / "p.jsonl"
    write_predictions(path, [Pair(str(n), SILENT, one) for n, one in enumerate(predicted)])
    assert list(profiles(path).values()) == predicted


def test_captions_are_written_beside_their_scores(tmp_path: Path) -> None:
    caption = render(VoiceProfile({"Fear": 0.75}, traits={"gender": "female"}))
    pairs = [Pair("a", SILENT, parse(caption).profile, caption), Pair("b", SILENT, SILENT)]
    write_predictions(tmp_path / "p.jsonl", pairs)
    found = read_predictions(tmp_path / "p.jsonl")
    assert found == {"a": Prediction(parse(caption).profile, caption), "b": Prediction(SILENT)}


def test_clips_without_a_prediction_are_named_and_other_predictions_are_not_used(
    clips: list[Clip], corpus: Path, tmp_path: Path
) -> None:
    every = [{"file": f"{clip.id}.wav", "Fear": 1} for clip in clips]
    expected = evaluate_corpus(corpus, FilePredictor(write(tmp_path / "p.jsonl", every)), settings=FEW)
    more = write(tmp_path / "p.jsonl", [{"id": "odd", "Fear": 0.5}, *every])
    assert evaluate_corpus(corpus, FilePredictor(more), settings=FEW).pairs == expected.pairs
    with pytest.raises(InputError, match=r"'clip1', .*'clip5'"):
        evaluate_corpus(corpus, FilePredictor(write(tmp_path / "p.jsonl", every[:1])), settings=FEW)


@pytest.mark.parametrize(
    "line",
    [
        "{", "[1]", '{"caption": "x"}', '{"id": "a", "emotions": {}}',
        '{"id": "b", "caption": "x", "emotions": ["Fear"]}', '{"id": "b", "emotions": {"Fear": 2}}',
        '{"id": "b", "Fear": NaN}', '{"id": "b", "Fear": "much"}', '{"id": "b", "Fear": true}',
        '{"id": "b", "emotions": {"Feer": 1}}', '{"id": "b", "caption": ["x"]}', '{"id": "b", "caption": 5}',
        '{"id": "b", "Fear": 1, "fear": 0}',
        '{"id": "b", "profile": {"emotions": {"Fear": 2}}}',
    ],
)  # fmt: skip
def test_a_wrong_line_is_named(line: str, tmp_path: Path) -> None:
    path = tmp_path / "p.jsonl"
    path.write_text('{"id": "a", "emotions": {}}\n\n' + line + "\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"p\.jsonl line 3"):
        read_predictions(path)


@pytest.mark.filterwarnings("ignore:.*joyfulness")
def test_sources_without_predictions_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="emonet-voice"):
        read_predictions(write(tmp_path / "p.jsonl", []), scale="stars")
    (tmp_path / "b.jsonl").write_bytes(b"\xff\xfe\x00")
    (tmp_path / "empty").mkdir()
    unnamed = write(tmp_path / "u.jsonl", [{"id": "a", "joyfulness": 1}, {"id": "b", "joyfulness": 2}])
    for source in (tmp_path / "b.jsonl", tmp_path / "empty", unnamed, tmp_path / "nowhere.jsonl"):
        with pytest.raises(InputError, match=source.name):
            read_predictions(source)


def test_raw_scores_are_read_as_they_are(tmp_path: Path) -> None:
    rows = [
        {"image": "f/1_Happy.jpg", "Anger": -3.5, "Fear": None},
        {"image": "2.jpg", "anger": 70, "Dominance": 1},
    ]
    found = read_scores(write(tmp_path / "s.jsonl", rows))
    expected = np.full((2, 40), np.nan)
    expected[:, EMOTIONS.index("Anger")] = (-3.5, 70)
    assert list(found) == ["f/1_Happy.jpg", "2.jpg"]
    np.testing.assert_array_equal(list(found.values()), expected)
    heads = {
        "model_sadness_best": {"raw": 1.0, "mean_subtracted": -0.5, "softmax": None},
        "model_valence_best": {},
    }
    path = write(tmp_path / "h.jsonl", [{"image_path": "3.jpg", "results": heads}])
    column = EMOTIONS.index("Sadness")
    assert read_scores(path)["3.jpg"][column] == -0.5
    with pytest.raises(InputError, match="no scores"):
        read_scores(write(tmp_path / "n.jsonl", []))


def test_an_answer_in_json_is_scores_and_not_prose(tmp_path: Path) -> None:
    answer = json.dumps({"Anger": 2, "Fear": 0})
    texts = (answer, f"```json\n{answer}\n```", f" ```\n{answer}```\n")
    path = write(tmp_path / "p.jsonl", [{"id": str(n), "response": text} for n, text in enumerate(texts)])
    assert set(profiles(path, scale="0-4").values()) == {
        VoiceProfile({"Anger": 0.5}, rated=["Anger", "Fear"])
    }
    with pytest.raises(InputError):
        profiles(write(tmp_path / "q.jsonl", [{"id": "a", "caption": '```json\n{"Anger": 2,\n```'}]))


def test_misspelt_names_of_scores_are_told_once_with_the_nearest(tmp_path: Path) -> None:
    lines = [{"id": n, "predictions": {"Fear": 1, "Angar": 2, "Happiness": 1, "model": 7}} for n in range(3)]
    with pytest.warns(BudewWarning) as warned:
        found = profiles(write(tmp_path / "p.jsonl", lines))
    assert found["0"].rated == ("Fear",)
    (text,) = (str(one.message) for one in warned)
    assert "p.jsonl" in text
    assert "'Angar' (nearest: Anger), 'Happiness' (nearest: Elation): rename" in text
