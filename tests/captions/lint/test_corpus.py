"""The linter of a corpus: counts, what is over-used, files that anybody wrote."""

import io
import json
import tracemalloc
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from budew.captions.lint.corpus import LONGEST_LINE, BadLine, FrequentKeys, Row, lint_corpus, read_captions
from budew.captions.lint.rules import load_rules
from budew.profile import VoiceProfile

RULES = load_rules()
NOUNS = [f"{one}{other}" for one in "bdfgklmnprstvz" for other in ("ale", "ine", "ode", "ure", "ash")]


def read(data, name="x"):
    return list(read_captions(io.BytesIO(data), name))


def varied(count):
    """Captions that have no three words in common."""
    for n in range(count):
        yield (
            f"n{n}",
            f"Her {NOUNS[n % 70]} is {NOUNS[n // 70 % 70]} and {NOUNS[n % 67]} in the {NOUNS[n % 61]}",
            None,
        )


def test_a_caption_counts_once_for_each_code_and_examples_are_the_first_few():
    rows = [(f"c{n}", f"{{Sad}} {{voice}}* number {'i' * n}.", None) for n in range(1, 9)]
    report = lint_corpus(rows)
    assert dict(report.counts) == {"markup": 8}
    assert [example.id for example in report.examples["markup"]] == ["c1", "c2", "c3", "c4", "c5"]
    assert {example.what for example in report.examples["markup"]} == {"{"}
    assert (report.captions, report.errors, report.warnings) == (8, 8, 0)
    assert report.mean_words == 4


def test_errors_and_warnings_follow_the_severity_of_the_codes():
    report = lint_corpus(
        [("a", "In a angry voice of 7.", None), ("b", "An sad voice.", None), BadLine("f:3", "bad")]
    )
    assert dict(report.counts) == {"bad-line": 1, "number": 1, "article": 2}
    assert (report.captions, report.errors, report.warnings) == (2, 2, 2)
    assert report.examples["bad-line"][0].id == "f:3"


def test_a_caption_is_checked_against_its_profile():
    rows = [Row("a", "A sad man.", VoiceProfile({}, (), {"gender": "female"})), Row("b", "A sad boy.")]
    assert dict(lint_corpus(rows).counts) == {"unsupported-gender": 1}


def test_an_opening_is_overused_above_its_share_and_from_twenty_captions_on():
    def openings(alike, others):
        same = [(f"s{n}", f"In this voice {NOUNS[n % 70]}", None) for n in range(alike)]
        return [(found.phrase, found.captions) for found in lint_corpus([*same, *varied(others)]).openings]

    assert openings(20, 380) == [("in this voice", 20)]
    assert openings(20, 400) == []
    assert openings(19, 0) == []


def test_a_phrase_counts_once_a_caption():
    same = [
        (f"s{n}", f"{NOUNS[n]} with a hint of {NOUNS[n]} with a hint of {NOUNS[n + 1]}", None)
        for n in range(30)
    ]
    report = lint_corpus([*same, *varied(200)])
    assert [(found.phrase, found.captions) for found in report.phrases] == [("with a hint of", 30)]
    assert report.counts["overused-phrase"] == report.warnings == 1


def test_phrases_at_the_end_of_a_caption_count_and_long_words_are_shortened():
    long = "hmm" * 20
    same = [(f"s{n}", f"{NOUNS[n]} {NOUNS[n + 1]} of a very {long}", None) for n in range(30)]
    (found,) = lint_corpus([*same, *varied(200)]).phrases
    assert found.phrase == f"of a very {long[:30]}"


def test_a_repeated_caption_is_a_duplicate():
    report = lint_corpus(
        [("a", "A sad voice.", None), ("b", "A sad voice.", None), ("c", "A sad voice!", None)]
    )
    assert report.counts["duplicate"] == 1
    assert report.examples["duplicate"][0].id == "b"
    assert report.duplicate_share == pytest.approx(1 / 3)


def test_a_report_of_no_captions_is_empty():
    report = lint_corpus([])
    assert (report.captions, report.errors, report.warnings, report.mean_words) == (0, 0, 0, 0)


def test_a_report_is_json_and_its_examples_fit_to_print():
    rows = [("i\x1b[2Jd", "A \ud800 voice\nof\t7 \u202ewords" + " very long" * 100, None)] * 30
    report = lint_corpus(rows)
    data = json.loads(json.dumps(report.to_dict(), ensure_ascii=False).encode())
    assert data["captions"] == 30
    assert data["errors"] == report.errors
    assert data["findings"]["number"]["count"] == 30
    assert data["overused_openings"][0] == {"phrase": "a voice of", "captions": 30}
    examples = [
        text for row in data["findings"].values() for shown in row["examples"] for text in shown.values()
    ]
    assert all(text.isprintable() and len(text) <= 201 for text in examples)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.integers(0, 30).map(str), max_size=300), st.integers(2, 20))
def test_counts_are_never_too_high_and_too_low_by_at_most_what_was_lost(keys, most):
    counts = FrequentKeys(most)
    for key in keys:
        counts.add([key])
        assert len(counts.counts) <= most
    assert counts.lost <= 2 * len(keys) / most
    assert all(keys.count(key) - counts.lost <= counts.counts[key] <= keys.count(key) for key in set(keys))
    assert counts.lost == 0 or len(set(keys)) > most


def test_a_cut_forgets_half_of_the_keys_and_takes_the_same_from_the_others():
    counts = FrequentKeys(10)
    for number in range(1, 12):
        assert counts.lost == 0
        counts.add([str(number)] * number)
    assert 0 < len(counts.counts) <= 5
    assert all(count == int(key) - counts.lost for key, count in counts.counts.items())


def test_memory_grows_by_one_number_a_caption(monkeypatch):
    limits = replace(RULES.corpus, counted=200)
    monkeypatch.setattr("budew.captions.lint.corpus.load_rules", lambda: replace(RULES, corpus=limits))

    def peak(count):
        tracemalloc.start()
        rows = (
            (str(n), f"{n:x} {n * 7919:x} {n * 104729:x} {n * 31:x} {n * 17:x}", None) for n in range(count)
        )
        lint_corpus(rows)
        found = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return found

    peak(10)
    assert peak(700) - peak(200) < 500 * 200


def test_lines_of_json_are_captions_with_an_id_and_a_profile():
    profile = VoiceProfile({"Anger": 0.5}, ["Chuckle"], {"gender": "female"})
    lines = [
        {"caption": "A sad voice.", "id": "one", "profile": profile.to_dict(), "emotions": {"nonsense": "x"}},
        {"caption": "Sad.", "id": 7, "emotions": [1]},
        {"caption": "Angry.", "id": None, "profile": None},
    ]
    data = "\n\n".join(map(json.dumps, lines)).encode()
    wanted = [Row("one", "A sad voice.", profile), Row("7", "Sad."), Row("x:5", "Angry.")]
    assert read(data) == wanted
    assert read(b"\xef\xbb\xbf\r\n" + data)[:2] == wanted[:2]


def test_lines_of_text_are_captions_and_a_blank_one_is_empty():
    assert read(b"A sad voice.\r\n\nAngry") == [
        Row("x:1", "A sad voice."),
        Row("x:2", ""),
        Row("x:3", "Angry"),
    ]
    assert read(b"") == []


def test_the_file_name_decides_the_format():
    assert read(b"{leaked}\n", "x.txt") == [Row("x.txt:1", "{leaked}")]
    assert isinstance(read(b"A sad voice.\n", "x.jsonl")[0], BadLine)
    assert read(b"A sad voice.\n{leaked}\n")[1] == Row("x:2", "{leaked}")


@pytest.mark.parametrize(
    ("line", "why"),
    [
        (b"{", "JSON"),
        (b"[" * 100_000, "nested"),
        (b'{"caption": ' + b"9" * 5_000 + b"}", "JSON"),
        (b"[1]", "caption"),
        (b'{"text": "Sad."}', "caption"),
        (b'{"caption": 7}', "caption"),
        (b'{"caption": "Sad.", "profile": 7}', "profile"),
        (b'{"caption": "Sad.", "profile": {"mood": {}}}', "mood"),
        (b'{"caption": "Sad.", "profile": {"emotions": {"Anger": NaN}}}', "NaN"),
        (b'{"caption": "Sad.", "caption": "Glad."}', "twice"),
        (b'{"caption": "Sad.", "x": 1e999}', "1e999"),
        (b'{"caption": "Sad.", "profile": {"emotions": {"Anger": 1' + b"0" * 400 + b"}}}", "Anger"),
        (b'{"caption": "Sad.", "profile": {"bursts": [[]]}}', "burst"),
        (b'{"caption": "\xff"}', "UTF-8"),
        (b'{"caption": "' + b"a" * LONGEST_LINE + b'"}', "longer"),
    ],
)
def test_a_bad_line_is_reported_by_its_number_and_the_others_are_read(line, why):
    good = b'{"caption": "Sad."}'
    first, bad, last = read(b"\n".join((good, line, good)))
    assert (first, last) == (Row("x:1", "Sad."), Row("x:3", "Sad."))
    assert isinstance(bad, BadLine)
    assert bad.id == "x:2"
    assert why in bad.why
    assert lint_corpus([bad]).errors == 1


@settings(max_examples=200, deadline=None)
@given(st.lists(st.one_of(st.binary(), st.text().map(lambda text: text.encode("utf-8", "replace")))))
def test_any_bytes_are_read_and_judged(pieces):
    rows = read(b'{"caption": "Sad."}\n' + b"\n".join(pieces))
    report = lint_corpus(rows)
    assert report.captions + report.counts.get("bad-line", 0) == len(rows)


@pytest.mark.parametrize(("size", "rows"), [(9, 1), (10, 1), (11, 0)])
@pytest.mark.parametrize("end", [b"", b"\nSad."])
def test_a_line_may_be_as_long_as_the_limit_with_or_without_its_end(monkeypatch, size, rows, end):
    monkeypatch.setattr("budew.captions.lint.corpus.LONGEST_LINE", 10)
    found = read(b"a" * size + end)
    assert [isinstance(row, Row) for row in found] == [bool(rows), *([True] if end else [])]


@pytest.mark.parametrize(
    ("id", "shown"), [("0", "0"), (0, "0"), (7, "7"), ("", "x:1"), (True, "x:1"), (1.5, "x:1"), ([1], "x:1")]
)
def test_an_id_is_a_text_or_a_whole_number(id, shown):
    assert read(json.dumps({"id": id, "caption": "Sad."}).encode()) == [Row(shown, "Sad.")]


def test_captions_of_just_enough_words_have_an_opening_and_empty_ones_are_no_duplicates():
    report = lint_corpus([("a", "", None)] * 2 + [("b", "A sad voice", None)] * 20)
    assert [(one.phrase, one.captions) for one in report.openings] == [("a sad voice", 20)]
    assert report.counts["duplicate"] == 19
    assert (report.to_dict()["mean_words"], report.to_dict()["duplicate_share"]) == (2.73, 0.8636)
    assert report.phrases == ()


@pytest.mark.parametrize("length", [199, 200, 201, 300])
def test_what_is_shown_is_cut_at_two_hundred_characters(length):
    shown = lint_corpus([BadLine("a", "b" * length)]).examples["bad-line"][0].what
    assert shown == ("b" * length if length <= 200 else "b" * 200 + "…")
