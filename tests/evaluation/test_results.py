"""An evaluation depends on the pairs and not on their order, says what it cannot say, and is strict JSON."""

import json
import random
from dataclasses import replace

import pytest

from budew.errors import InputError
from budew.evaluation import Pair, Skipped, evaluate
from budew.profile import VoiceProfile
from budew.statistics.resampling import Resampling
from budew.taxonomy import BURSTS, EMOTIONS

FEW = Resampling(resamples=50, permutations=5)


def test_the_order_of_the_clips_does_not_matter(pairs: list[Pair]) -> None:
    shuffled = random.Random(1).sample(pairs, len(pairs))
    assert evaluate(shuffled, settings=FEW).to_dict() == evaluate(pairs, settings=FEW).to_dict()


def test_intervals_hold_their_value_and_lie_above_the_permutation_baseline(pairs: list[Pair]) -> None:
    result = evaluate(pairs, settings=Resampling(resamples=200, permutations=20))
    for metric in ("spearman", "pearson", "top1"):
        mean, baseline = result.mean[metric], result.baseline[metric]
        assert baseline.high < mean.low < mean.value < mean.high


def test_what_is_undefined_is_null_counted_and_named(pairs: list[Pair]) -> None:
    result = evaluate(pairs, settings=FEW)
    data = json.loads(json.dumps(result.to_dict(), allow_nan=False))
    rows = {row["emotion"]: row for row in data["emotions"]}
    assert list(rows) == list(EMOTIONS)
    assert data["undefined"] == list(EMOTIONS[8:])
    assert rows[EMOTIONS[8]]["spearman"] == {"value": None, "low": None, "high": None}
    assert rows[EMOTIONS[0]]["spearman"]["value"] is not None


def test_an_emotion_that_is_never_predicted_counts_as_zero() -> None:
    pairs = [
        Pair(str(n), VoiceProfile({"Fear": level, "Pride": level}), VoiceProfile({"Pride": level}))
        for n, level in enumerate((0, 0.5, 1))
    ]
    result = evaluate(pairs, settings=FEW)
    assert result.unvaried == ("Fear",)
    assert result.mean["spearman"].value == pytest.approx(0.5)


def test_captions_without_meaning_are_counted() -> None:
    fear, nothing = VoiceProfile({"Fear": 1}), VoiceProfile()
    pairs = [
        Pair("a", fear, nothing, "?"),
        Pair("b", fear, VoiceProfile(bursts=BURSTS[:1]), "She coughs."),
        Pair("c", nothing, nothing, "?"),
        Pair("d", fear, fear, "Fear."),
    ]
    result = evaluate(pairs, settings=FEW)
    assert (result.unparsed, result.emotionless) == (2, 2)


def test_support_and_confusion_tell_what_was_taken_for_what() -> None:
    fear, anger = VoiceProfile({"Fear": 1}), VoiceProfile({"Anger": 1})
    result = evaluate([Pair("a", fear, anger), Pair("b", fear, fear), Pair("c", fear, fear)], settings=FEW)
    row = result.emotions[EMOTIONS.index("Fear")]
    assert (row.support, row.predicted_support) == (3, 2)
    assert row.confused_with == ("Anger", pytest.approx(1 / 3))
    assert result.confusion.sum() == 3


def test_emotions_named_on_clips_without_any_are_counted_where_all_are_rated() -> None:
    fear, nothing = VoiceProfile({"Fear": 0.5, "Pain": 0.25}), VoiceProfile()
    partly, female = VoiceProfile(rated=["Fear"]), VoiceProfile(traits={"gender": "female"})
    pairs = [Pair(f"{n}", nothing, fear if n < 3 else nothing) for n in range(8)]
    pairs += [Pair("faint", nothing, VoiceProfile({"Awe": 0.1})), Pair("said", female, female)]
    others = [Pair("partly", partly, fear), Pair("afraid", fear, fear), Pair("refused", nothing, UNKNOWN)]
    found = evaluate([*pairs, *others], settings=FEW).false_emotions
    assert (found.n, found.share.value, found.emotions) == (10, 30, {"Fear": 30, "Pain": 30})
    assert found.share.low < 30 < found.share.high
    assert evaluate(others, settings=FEW).false_emotions is None


def test_clips_whose_emotions_are_unknown_change_no_metric_of_emotions(pairs: list[Pair]) -> None:
    coughs = VoiceProfile(None, ["Cough"], {"gender": "male"})
    more = [*pairs, *(Pair(f"x{n}", coughs, VoiceProfile({"Fear": 1}, ["Cough"])) for n in range(9))]
    with_them, without = (evaluate(some, settings=FEW) for some in (more, pairs))
    for name in ("mean", "baseline", "emotions", "undefined", "partly_rated", "refused", "false_emotions"):
        assert getattr(with_them, name) == getattr(without, name)
    assert (with_them.rated, len(with_them.pairs), with_them.bursts.n) == (60, 69, 9)
    alone = evaluate(more[60:], settings=FEW)
    assert alone.mean["spearman"].value is None
    assert (alone.rated, alone.refused, alone.bursts.groups.overall["micro_recall"].value) == (0, 0, 100)


def test_intervals_resample_speakers_where_all_are_known_and_there_are_several(pairs: list[Pair]) -> None:
    def interval(some: list[Pair]) -> tuple[int | None, float, float]:
        found = evaluate(some, settings=FEW)
        return found.speakers, found.mean["spearman"].low, found.mean["spearman"].high

    spoken = [replace(pair, speaker=f"s{n % 4}") for n, pair in enumerate(pairs)]
    speakers, *by_speaker = interval(spoken)
    assert (speakers, by_speaker == list(interval(pairs)[1:])) == (4, False)
    assert interval([replace(spoken[0], speaker=None), *spoken[1:]]) == interval(pairs)
    assert interval([replace(pair, speaker="one") for pair in pairs]) == interval(pairs)


EMPTY, UNKNOWN = VoiceProfile(), VoiceProfile(None)


@pytest.mark.parametrize(
    ("pairs", "message"),
    [
        ([], r"no clips to evaluate; all 1 were skipped, .* no sound"),
        ([Pair("same", EMPTY, EMPTY)] * 2, "'same'"),
    ],
)
def test_pairs_that_cannot_be_evaluated_are_named(pairs: list[Pair], message: str) -> None:
    with pytest.raises(InputError, match=message):
        evaluate(pairs, skipped=[Skipped("a", "no sound")])


def test_what_is_not_predicted_is_left_out_and_counted() -> None:
    references = [VoiceProfile({"Fear": level, "Pain": 1 - level}) for level in (0.0, 0.5, 1.0, 0.25)]
    predicted = [VoiceProfile({"Fear": 0.5}, rated=["Fear"])] * 3 + [VoiceProfile(None)]
    given = zip(references, predicted, strict=True)
    found = evaluate([Pair(str(n), *pair) for n, pair in enumerate(given)], settings=FEW)
    rows = {row.emotion: row for row in found.emotions}
    assert (rows["Fear"].rated, rows["Fear"].refused, rows["Pain"].refused) == (4, 1, 4)
    assert rows["Fear"].estimates["mae"].value == pytest.approx(10 / 3)
    assert rows["Pain"].estimates["mae"].value is None
    assert found.mean["mae"].value == pytest.approx(10 / 3)
    assert found.refused == pytest.approx(100 * (1 - 3 / 160))
    assert found.mean["top1"].value is None
