"""Known corpora: names, folders and tables in the exact scheme of each give the labels of its clips."""

import shutil
import warnings
from pathlib import Path

import pytest
import yaml

from budew.corpora import read
from budew.corpora.named.definition import known_corpora
from budew.corpora.named.label_tables import tables_near
from budew.corpora.named.named_folder import NamedFolder, split_name
from budew.corpora.sources import matches
from budew.errors import BudewWarning, CorpusError, SettingsError
from budew.jobs import run
from budew.jobs.convert import Convert

CASES = yaml.safe_load((Path(__file__).parent / "named_clips.yaml").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def sounds(tmp_path_factory):
    """A short sound in each format, copied to every name."""
    import numpy as np
    import soundfile

    place, samples = tmp_path_factory.mktemp("sounds"), np.sin(np.arange(800) / 5) * 0.3
    for suffix in ("wav", "flac", "ogg", "mp3"):
        soundfile.write(place / f"a.{suffix}", samples, 16_000)
    return place


@pytest.fixture
def corpus_folder(sounds, tmp_path):
    """Make the folder of a case in the scheme of its corpus."""

    def make(name: str) -> Path:
        case, folder = CASES[name], tmp_path / "corpus"
        for path in (*case["clips"], *case.get("left_out", ())):
            sound = sounds / f"a.{path.rpartition('.')[2]}"
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(sound if sound.exists() else sounds / "a.wav", folder / path)
        for path, text in case.get("files", {}).items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text(text, encoding="utf-8")
        return folder

    return make


def fields_of(clip) -> dict:
    """Return the fields of a clip by the names of the cases."""
    profile = clip.profile
    own = {"speaker": clip.speaker, "language": clip.language, "transcript": clip.transcript}
    return {
        **clip.metadata,
        **own,
        "license": clip.license,
        "source": clip.source,
        "years": clip.metadata.get("age"),
        "emotions": dict(profile.emotions) if profile and profile.rated else None,
        "bursts": list(profile.bursts) if profile else [],
        **{
            name: profile.traits.get(name) if profile else None
            for name in ("gender", "age", "accent", "style")
        },
    }


def test_every_definition_has_a_case():
    assert set(CASES) == {name for name, corpus in known_corpora().items() if corpus.pattern}


@pytest.mark.parametrize("name", CASES)
def test_names_and_tables_give_the_labels_of_each_clip_and_names_the_corpus(name, corpus_folder):
    folder, case = corpus_folder(name), CASES[name]
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        clips = {str(clip.audio.relative_to(folder)): clip for clip in read(f"{name}:{folder}")}
    assert set(clips) == set(case["clips"])
    for path, wanted in case["clips"].items():
        found = fields_of(clips[path])
        assert {key: found.get(key) for key in wanted} == wanted, path
        assert found["profile_from"]["corpus"] == name
        assert "not_understood" not in found, path
    assert len([one for one in warned if one.category is BudewWarning]) == ("left_out" in case)
    of_own = "metadata.csv" in case.get("files", {}) or not known_corpora()[name].distinctive
    if not of_own and "left_out" not in case:  # the folder is recognized by its names alone
        (entry,) = matches(folder)
        assert isinstance(entry, NamedFolder)
        assert entry.name == name
        assert {clip.metadata["profile_from"]["corpus"] for clip in read(folder)} == {name}


def test_a_definition_matches_its_own_examples_and_no_other_one_does():
    for name, definition in known_corpora().items():
        for example in definition.examples:
            also = [other for other, one in known_corpora().items() if one.distinctive and one.match(example)]
            assert definition.match(example)
            assert also == [name] * definition.distinctive, example


def test_a_folder_with_labels_of_its_own_or_other_names_is_read_as_before(corpus_folder):
    folder = corpus_folder("emodb")
    assert isinstance(matches(folder)[0], NamedFolder)
    (folder / "wav/03a01Fa.json").write_text('{"emotion": "sad"}')
    assert matches(folder) == [folder]
    (folder / "wav/03a01Fa.json").unlink()
    (folder / "wav/03a01Fa.wav").rename(folder / "wav/other.wav")
    assert matches(folder) == [folder]


def test_copies_of_a_file_are_read_once(corpus_folder):
    folder = corpus_folder("emodb")
    shutil.copytree(folder / "wav", folder / "z")
    with pytest.warns(BudewWarning, match="3 of 6 audio files are left out"):
        ids = [clip.id for clip in read(f"emodb:{folder}")]
    assert ids == ["wav/03a01Fa", "wav/09b02Lb", "wav/16b10Nb"]


def test_a_table_is_found_beside_the_folder_that_is_read(corpus_folder):
    (clip,) = read(corpus_folder("nemo") / "samples")
    assert clip.transcript == "Ucho."


def test_jobs_read_a_corpus_in_parts_with_the_same_labels(corpus_folder, tmp_path):
    folder = corpus_folder("librispeech")
    wanted = {clip.id: (clip.profile, clip.transcript, clip.speaker) for clip in read(folder)}
    done = run(Convert(), f"librispeech:{folder}", tmp_path / "out", workers=0, clips_per_shard=1)
    assert done.clips == done.units == len(wanted)
    found = {clip.id: (clip.profile, clip.transcript, clip.speaker) for clip in read(tmp_path / "out")}
    assert found == wanted
    assert run(Convert(), f"librispeech:{folder}", tmp_path / "out", workers=0, clips_per_shard=1).done == 0
    (folder / "SPEAKERS.TXT").write_text("84 | M | dev-clean | 8.02 | Name\n")
    assert run(Convert(), f"librispeech:{folder}", tmp_path / "out", workers=0, clips_per_shard=1).done == 2


def test_errors_of_named_folders_say_what_to_do(corpus_folder, tmp_path):
    folder = corpus_folder("emodb")
    for source, fault in (
        (
            f"ravdess:{folder}",
            r"no audio file is named as .*03-01-06-01-02-01-12: give the folder of RAVDESS",
        ),
        (f"emodb:{folder}/wav/03a01Fa.wav", "is not a folder"),
        (f"emodb:{folder}/wav/*.wav", "is not a folder"),
        (f"emodb:{tmp_path}/none", "none: "),
        (f"emo-db:{folder}", r"'emo-db' is not the name of a known corpus .*: did you mean emodb\?"),
    ):
        with pytest.raises(CorpusError, match=fault):
            list(read(source))


@pytest.mark.parametrize("source", ["https://host/x.tar", "C:/data", "a/b:c", "s3://bucket/x.tar", "plain"])
def test_other_sources_name_no_corpus(source):
    assert split_name(source) == (None, source)


MINE = """\
title: Mine
about: Two of us.
kind: acted
languages: [en]
source: own recordings
pattern: '(?P<speaker>[a-z]+)_(?P<label>[hs])'
examples: [anna_h]
values: {label: {h: happy, s: sad}}
labels: {happy: Elation, sad: {emotions: [Sadness, Disappointment], why: we were both}}
level: strong
"""


@pytest.fixture
def mine(sounds, tmp_path):
    """A corpus of the user, and its definition."""
    (tmp_path / "audio").mkdir()
    for name in ("anna_h", "ben_s"):
        shutil.copy(sounds / "a.wav", tmp_path / "audio" / f"{name}.wav")
    (tmp_path / "mine.yaml").write_text(MINE)
    return tmp_path


def test_a_definition_of_the_user_reads_as_those_of_the_package(mine):
    clips = {clip.id: clip for clip in read(f"{mine}/mine.yaml:{mine}/audio")}
    assert {id: dict(clip.profile.emotions) for id, clip in clips.items()} == {
        "anna_h": {"Elation": 0.75},
        "ben_s": {"Disappointment": 0.75, "Sadness": 0.75},
    }
    assert {clip.profile.rated for clip in clips.values()} == {("Elation", "Disappointment", "Sadness")}
    assert clips["anna_h"].metadata["profile_from"]["corpus"] == "mine"


def test_a_changed_definition_makes_a_job_do_its_units_again(mine):
    source = f"{mine}/mine.yaml:{mine}/audio"
    assert run(Convert(), source, mine / "out", workers=0).done == 1
    assert run(Convert(), source, mine / "out", workers=0).done == 0
    (mine / "mine.yaml").write_text(MINE.replace("level: strong", "level: extreme"))
    assert run(Convert(), source, mine / "out", workers=0).done == 1
    assert {max(clip.profile.emotions.values()) for clip in read(mine / "out")} == {1.0}


@pytest.mark.parametrize(
    ("line", "wrong", "fault"),
    [
        ("pattern: ", "pattern: '('", "pattern: '(' is not a regular expression"),
        ("examples: ", "examples: [x]", "the pattern does not match the example 'x'"),
        ("labels: ", "labels: {happy: Hapiness}", "unknown emotion 'Hapiness': the nearest"),
        ("labels: ", "labels: {happy: {bursts: [Laugh]}}", "unknown vocal burst 'Laugh'"),
        ("level: ", "level: huge", "level: input should be"),
        ("title: ", "titel: Mine", "titel: unknown field: did you mean title?"),
    ],
)
def test_a_wrong_definition_names_the_file_and_the_field(mine, line, wrong, fault):
    lines = [wrong if one.startswith(line) else one for one in MINE.splitlines()]
    (mine / "mine.yaml").write_text("\n".join(lines))
    with pytest.raises(SettingsError) as raised:
        list(read(f"{mine}/mine.yaml:{mine}/audio"))
    assert fault in str(raised.value)
    assert str(raised.value).startswith(f"{mine}/mine.yaml: ")


def test_a_label_without_a_meaning_is_listed_as_not_understood(mine):
    (mine / "mine.yaml").write_text(MINE.replace("sad: {", "furious: {"))
    with pytest.warns(
        BudewWarning, match="labels that are not understood stay in the metadata: emotion: sad"
    ):
        clips = {clip.id: clip for clip in read(f"{mine}/mine.yaml:{mine}/audio")}
    assert clips["ben_s"].profile is None
    assert clips["ben_s"].metadata["label"] == "sad"


def test_a_required_table_that_is_missing_says_where_to_put_it(corpus_folder):
    folder = corpus_folder("meld")
    for table in ("train/train_sent_emo.csv", "dev_sent_emo.csv"):
        (folder / table).unlink()
    with pytest.raises(CorpusError, match=r"there is no table .*_sent_emo.*: give the folder that holds it"):
        list(read(f"meld:{folder}"))


def test_a_folder_without_its_labels_is_read_as_any_other(corpus_folder):
    folder = corpus_folder("iemocap")
    assert isinstance(matches(folder)[0], NamedFolder)
    shutil.rmtree(folder / "Session1/dialog")
    assert matches(folder) == [folder]
    assert {clip.profile for clip in read(folder)} == {None}


def test_an_empty_file_a_link_out_and_an_unlisted_folder_are_reported(corpus_folder, tmp_path):
    folder = corpus_folder("emodb")
    (folder / "wav/03a01Wa.wav").write_bytes(b"")
    (folder / "wav/03a01Wb.wav").symlink_to("/etc/hostname")
    bad: list[CorpusError] = []
    assert len(list(read(f"emodb:{folder}", on_bad=bad.append))) == 3
    assert [str(error).partition("wav/")[2] for error in bad] == [
        "03a01Wa.wav: the file is empty: copy or record it again",
        "03a01Wb.wav: 03a01Wb.wav is a link out of the folder: give the folder that the link leads to",
    ]


def test_broken_rows_of_a_table_are_reported_and_the_others_used(corpus_folder):
    folder = corpus_folder("nemo")
    with (folder / "data.tsv").open("a") as file:
        file.write("broken\n")
    bad: list[CorpusError] = []
    (clip,) = read(f"nemo:{folder}", on_bad=bad.append)
    assert clip.transcript == "Ucho."
    assert [str(error).partition("data.tsv: ")[2][:6] for error in bad] == ["line 3"]


@pytest.mark.parametrize("files", [1, 5_000])
def test_a_unit_has_the_tables_in_the_folders_of_its_audio(tmp_path, files):
    tables = (tuple(tmp_path / str(number) / "a.trans.txt" for number in range(files)), (tmp_path / "b",))
    near = tables_near(tables, [tmp_path / "0" / "a.flac"])
    assert near == ((tmp_path / "0" / "a.trans.txt",), (tmp_path / "b",))
