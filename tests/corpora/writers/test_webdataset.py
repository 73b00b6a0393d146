"""Shards open with plain `webdataset` and with `datasets`, and are the clips again."""

import json

import webdataset

from budew.corpora import Clip, read
from budew.corpora.writers import write_webdataset


def test_clips_come_back_equal_in_shards_of_the_size_asked_for(tmp_path, clips):
    assert write_webdataset(tmp_path / "out", clips[:3], clips_per_file=2) == 3
    assert sorted(path.name for path in (tmp_path / "out").glob("*.tar")) == [
        "clips-00000.tar",
        "clips-00001.tar",
    ]
    assert list(read(tmp_path / "out")) == clips[:3]


def test_plain_webdataset_reads_it(tmp_path, clips):
    write_webdataset(tmp_path / "out", clips, clips_per_file=3)
    samples = list(
        webdataset.WebDataset(str(tmp_path / "out" / "clips-{00000..00001}.tar"), shardshuffle=False)
    )
    assert [json.loads(sample["json"])["id"] for sample in samples] == [clip.id for clip in clips]
    assert [sample[clip.format] for sample, clip in zip(samples, clips, strict=True)][:3] == [
        clip.audio for clip in clips[:3]
    ]


def test_datasets_opens_it_with_every_field(tmp_path, clips, load_dataset):
    from datasets import Features, Json, Value

    flacs = [
        Clip(f"x/{n}", clips[0].audio, "flac", captions=clips[n].captions, profile=clips[n].profile)
        for n in range(3)
    ]
    write_webdataset(tmp_path / "out", flacs)
    features = Features({"flac": Value("binary"), "json": Json()})
    loaded = load_dataset("webdataset", data_files=f"{tmp_path}/out/*.tar", features=features)
    assert [row["flac"] for row in loaded] == [clip.audio for clip in flacs]
    assert [row["json"] for row in loaded] == [clip.to_dict() for clip in flacs]
