"""The card of a corpus has front matter that the hub accepts, counts, what made it, licences and duties."""

import json
import re

import pytest
import yaml
from datasets import load_dataset, load_dataset_builder
from huggingface_hub import DatasetCard, DatasetCardData

from budew.corpora import Caption, Clip, ExportOptions, export_corpus, known_corpus, read, write_shard
from budew.corpora.data_card import CardCounts, steps_of, write_data_card
from budew.corpora.exports import FORMATS
from budew.errors import BudewWarning
from budew.inference import CaptionClips
from budew.io.resources import data_folder
from budew.jobs import Render, run
from budew.paraphrase import GrammarBackend, Paraphrase, Rewriting
from tests.trained import PROHIBITED

HUB = yaml.safe_load((data_folder("model_cards") / "hub.yaml").read_text())


def check_card(folder):
    """Require front matter that the hub accepts, and the duties; return card and text."""
    card = DatasetCard.load(folder / "README.md")
    data = card.data.to_dict()
    assert DatasetCardData(**data).to_dict() == data
    licenses = data["license"] if isinstance(data["license"], list) else [data["license"]]
    assert set(licenses) <= set(HUB["licenses"])
    if "other" in licenses:
        assert re.fullmatch(r"[a-z0-9.-]+", data["license_name"])
        assert data["license_link"] == "README.md" or data["license_link"].startswith("http")
    assert all(re.fullmatch("[a-z]{2,3}", tag) for tag in data["language"])
    assert set(data["task_categories"]) <= {
        *("audio-classification", "image-classification", "automatic-speech-recognition", "text-to-speech")
    }
    (size,) = data["size_categories"]
    assert size in HUB["sizes"].values()
    assert data["pretty_name"]
    assert data["tags"]
    assert [use for use in PROHIBITED if use not in card.text] == []
    assert all(
        part in card.text for part in ("@software{budew", "is responsible for", "## Limits", "## Licence")
    )
    return data, card.text


@pytest.fixture
def rendered(tmp_path):
    run(
        Render(style="prose", seed=7, per_clip=2), data_folder("demo_clips"), tmp_path / "rendered", workers=0
    )
    return tmp_path / "rendered"


@pytest.mark.parametrize("to", FORMATS)
def test_each_export_has_a_card_and_is_read_without_it(to, rendered, tmp_path):
    report = export_corpus(rendered, tmp_path / "out", ExportOptions(to))
    data, text = check_card(tmp_path / "out")
    assert (data["license"], data["size_categories"]) == ("cc0-1.0", ["n<1K"])
    assert {"de", "en", "es", "fr"} == set(data["language"])
    assert "| clips | 16 |" in text
    assert f"| captions | {report.written.total()} |" in text
    assert text.index("1. `render`") < text.index(f"2. `export to {to}`")
    assert len(list(read(tmp_path / "out"))) == 16
    if to == "parquet":
        assert (
            load_dataset(str(tmp_path / "out"), split="train", cache_dir=str(tmp_path / "c")).num_rows == 16
        )


def test_the_card_of_a_captioned_corpus_tells_the_whole_way(rendered, tmp_path):
    job = Paraphrase(GrammarBackend(), Rewriting(per_clip=2, seed=3, keep_templates=True))
    run(job, rendered, tmp_path / "paraphrased", workers=0)
    run(CaptionClips(keep_profile=True), tmp_path / "paraphrased", tmp_path / "captioned", workers=0)
    data, text = check_card(tmp_path / "captioned")
    assert data["configs"][0]["data_files"] == [{"split": "train", "path": "**/*.tar"}]
    settings = [step["settings"] for step in steps_of(next((tmp_path / "captioned").glob("*.tar")))]
    assert [text.index(f"{n}. `{name}`") for n, name in enumerate(("render", "paraphrase", "caption"), 1)]
    for value in (
        settings[0]["templates_sha256"],
        settings[1]["prompt_sha256"],
        settings[2]["model"],
        "seed: `7`",
        "seed: `3`",
    ):
        assert str(value) in text
    counts = CardCounts()
    for clip in read(tmp_path / "captioned"):
        counts.add(clip)
    assert set(counts["captions"]) == {"render", "paraphrase", "model"}
    for kind, number in counts["captions"].items():
        assert f"| … {HUB['kinds'][kind]} | {number} |" in text
    assert f"| hours | {counts['totals']['seconds'] / 3600:.2f} |" in text
    files = load_dataset_builder(str(rendered), cache_dir=str(tmp_path / "cache")).config.data_files
    assert [file.endswith(".tar") for file in files["train"]] == [True]


def test_the_card_of_a_job_is_the_same_however_it_ran_and_one_of_the_user_is_kept(rendered, tmp_path):
    clips = list(read(data_folder("demo_clips")))
    for number in range(4):
        write_shard(tmp_path / f"in/{number}.tar", clips[4 * number : 4 * number + 4])
    run(Render(seed=1), tmp_path / "in", tmp_path / "one", workers=0)
    run(Render(seed=1), tmp_path / "in", tmp_path / "two", workers=2)
    (tmp_path / "two/notes/2.json").unlink()
    (tmp_path / "two/README.md").unlink()
    run(Render(seed=1), tmp_path / "in", tmp_path / "two", workers=1)
    card = (tmp_path / "one/README.md").read_text()
    assert (tmp_path / "two/README.md").read_text() == card
    edited = card.replace("## Limits", "## Limits\n\nRecorded in a cave.")
    (tmp_path / "one/README.md").write_text(edited)
    with pytest.warns(BudewWarning, match="README.md was not written by budew, or was edited"):
        run(Render(seed=1), tmp_path / "in", tmp_path / "one", workers=0)
    assert (tmp_path / "one/README.md").read_text() == edited
    (tmp_path / "new").mkdir()
    (tmp_path / "new/README.md").write_text("My corpus")
    with pytest.warns(BudewWarning, match="it is kept"):
        run(Render(seed=1), tmp_path / "in", tmp_path / "new", workers=0)
    assert (tmp_path / "new/README.md").read_text() == "My corpus"
    assert len(list(read(tmp_path / "new"))) == 16


@pytest.mark.parametrize(
    ("licenses", "front"),
    [
        (["CC-BY-4.0"], {"license": "cc-by-4.0"}),
        (["ODbL-1.0"], {"license": "odbl"}),
        (["GPL-3.0-or-later"], {"license": "gpl-3.0"}),
        ([None], {"license": "unknown"}),
        (["MIT", "CC0-1.0"], {"license": ["cc0-1.0", "mit"]}),
        (["MIT", None], {"license": "other", "license_name": "several", "license_link": "README.md"}),
        (
            ["Research only: ask!"],
            {"license": "other", "license_name": "research-only-ask", "license_link": "README.md"},
        ),
    ],
)
def test_licences_are_those_of_the_hub_or_named(tmp_path, licenses, front):
    counts = CardCounts()
    for number, license in enumerate(licenses):
        counts.add(Clip(f"{number}", b"", "wav", duration=1.0, license=license, captions=(Caption("Calm."),)))
    write_data_card(tmp_path, counts, [], format="jsonl")
    data, _ = check_card(tmp_path)
    assert {key: value for key, value in data.items() if key.startswith("license")} == front


def test_hostile_values_leave_the_card_whole_and_sources_that_are_known_are_cited(tmp_path):
    odd = "a\n---\nlicense: mit\n| x | <!-- \udc80 `` {{ duties }}"
    counts = CardCounts()
    counts.add(Clip("a", b"", "wav", duration=7200.0, source=odd, license=odd, language="pt-BR", speaker=odd))
    counts.add(Clip("b", b"", "wav", duration=1800.0, source="EmoDB", license="CC0-1.0", speaker="03"))
    steps = [{"job": "render", "settings": {"baseline": {"x": "y" * 200}, "note": odd}, "version": "0"}]
    write_data_card(tmp_path, counts, steps, format="shards")
    data, text = check_card(tmp_path)
    assert (data["license"], data["language"]) == ("other", ["pt"])
    assert data["license_link"] == known_corpus("emodb").address
    assert "| hours | 2.50 |" in text
    assert "| speakers | 2 |" in text
    assert "burkhardt2005emodb" in text
    assert re.search(r"baseline.x: `sha256:[0-9a-f]{64}`", text)
    write_data_card(tmp_path, counts, steps, format="shards")  # it is recognized as unchanged
    assert json.loads(json.dumps(counts)) == counts
