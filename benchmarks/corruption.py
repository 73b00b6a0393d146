"""Conversion of a corpus with broken items: intact clips are written, broken ones listed, and nothing else.

    python benchmarks/corruption.py --items 1000 --broken 200 --seed 0

`budew corpus convert` is run on ten shards of tiny clips, of which one in five is broken. Its clips and
failures are compared with the input, one reason for each kind of fault is printed, and files outside of the
corpus that a hostile name could have reached are checked.
"""

import argparse
import gzip
import io
import json
import struct
import subprocess
import sys
import tarfile
import tempfile
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from random import Random
from resource import RUSAGE_CHILDREN, getrusage

import numpy as np
import soundfile

from budew.corpora import read

Members = list[tuple[tarfile.TarInfo, bytes]]


def sound(form: str = "FLAC", subtype: str | None = None, *, fill: float | None = None) -> bytes:
    """Return a tenth of a second of noise as an audio file."""
    samples = np.random.default_rng(0).normal(0, 0.1, 1600).astype(np.float32)
    if fill is not None:
        samples[700:] = fill
    file = io.BytesIO()
    soundfile.write(file, samples, 16_000, format=form, subtype=subtype)
    return file.getvalue()


FLAC, WAV = sound(), sound("WAV", "PCM_16")
GOOD = json.dumps({"profile": {"emotions": {"Anger": 0.5}}}).encode()


def member(name: str, data: bytes = b"", *, kind: bytes = tarfile.REGTYPE, link: str = "") -> Members:
    info = tarfile.TarInfo(name)
    info.size, info.type, info.linkname = len(data), kind, link
    return [(info, data)]


def pair(id: str, audio: bytes = FLAC, described: bytes = GOOD, suffix: str = "flac") -> Members:
    return [*member(f"{id}.{suffix}", audio), *member(f"{id}.json", described)]


def wav_of(*, rate: int = 16_000, channels: int = 1, claims: int | None = None) -> bytes:
    """Return a WAV file whose header has these values; `claims` is its number of data bytes."""
    data = WAV[44:]
    size = len(data) if claims is None else claims
    sizes = [value & 0xFFFFFFFF for value in (36 + size, 2 * rate * channels, size)]
    riff = struct.pack("<4sI4s", b"RIFF", sizes[0], b"WAVE")
    form = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, channels, rate, sizes[1], 2 * channels & 0xFFFF, 16)
    head = riff + form + struct.pack("<4sI", b"data", sizes[2])
    return head + data


def flac_that_claims(samples: int) -> bytes:
    """Return a FLAC file whose header has another number of samples (36 bits, from byte 21)."""
    held = bytearray(FLAC)
    held[21] = (held[21] & 0xF0) | samples >> 32
    held[22:26] = (samples & 0xFFFFFFFF).to_bytes(4, "big")
    return bytes(held)


WAYS: dict[str, Callable[[str], Members]] = {
    "audio cut off": lambda id: pair(id, FLAC[: len(FLAC) // 2]),
    "wrong magic": lambda id: pair(id, b"once upon a time there was a file"),
    "zero length": lambda id: pair(id, b""),
    "NaN samples": lambda id: pair(id, sound("WAV", "FLOAT", fill=float("nan")), suffix="wav"),
    "infinite samples": lambda id: pair(id, sound("WAV", "FLOAT", fill=float("inf")), suffix="wav"),
    "10^9 samples claimed by a FLAC": lambda id: pair(id, flac_that_claims(10**9)),
    "10^9 samples claimed by a WAV": lambda id: pair(id, wav_of(claims=2 * 10**9), suffix="wav"),
    "a rate of 0": lambda id: pair(id, wav_of(rate=0), suffix="wav"),
    "a rate of 2 GHz": lambda id: pair(id, wav_of(rate=2_000_000_000), suffix="wav"),
    "65,535 channels": lambda id: pair(id, wav_of(channels=65_535), suffix="wav"),
    "an mp4 of nothing": lambda id: pair(id, b"\0\0\0\x18ftypM4A " + bytes(12), suffix="m4a"),
    "JSON that is not UTF-8": lambda id: pair(id, described=b'{"transcript": "\xff\xfe"}'),
    "deep JSON": lambda id: pair(id, described=b'{"a":' * 100_000),
    "no JSON": lambda id: pair(id, described=b"{'emotions': 1}"),
    "JSON that is a list": lambda id: pair(id, described=b"[1, 2]"),
    "NaN in JSON": lambda id: pair(id, described=b'{"duration": NaN}'),
    "duplicate keys in JSON": lambda id: pair(id, described=b'{"speaker": "a", "speaker": "b"}'),
    "an emotion that there is not": lambda id: pair(id, described=b'{"profile": {"emotions": {"Zorn": 1}}}'),
    "an intensity of 7": lambda id: pair(id, described=b'{"profile": {"emotions": {"Anger": 7}}}'),
    "a duration that is a word": lambda id: pair(id, described=b'{"duration": "long"}'),
    "a path upwards": lambda id: pair(f"../../{id}"),
    "a path from the root": lambda id: pair(f"/tmp/{id}"),
    "an id upwards in JSON": lambda id: pair(id, described=json.dumps({"id": f"../../{id}"}).encode()),
    "a name of 300 letters": lambda id: pair(id + "x" * 300),
    "a bell in the name": lambda id: pair(f"{id}\a"),
    "a symbolic link": lambda id: member(f"{id}.flac", kind=tarfile.SYMTYPE, link="/etc/passwd"),
    "a hard link": lambda id: member(f"{id}.flac", kind=tarfile.LNKTYPE, link="/etc/passwd"),
    "a device": lambda id: member(f"{id}.flac", kind=tarfile.CHRTYPE),
    "JSON without audio": lambda id: member(f"{id}.json", GOOD),
    "the pair of another again": lambda id: pair("twice"),
    "two files of one name": lambda id: [*member(f"{id}.flac", FLAC), *pair(id)],
}  # fmt: skip
LAST_WAYS: dict[str, Callable[[str], bytes]] = {
    # Items after these faults cannot be found, so the faults are at the end of shards.
    "a size of 100 GB": lambda id: header(f"{id}.flac", size=100 * 10**9),
    "a long name of 3 GB": lambda id: header("././@LongLink", size=3 * 2**30, kind=b"L"),
    "a shard cut off": lambda id: header(f"{id}.flac", size=len(FLAC)) + FLAC[:100],
}  # fmt: skip
PACKED_WAYS: dict[str, Callable[[str], bytes]] = {
    # Faults at the end of shards that are compressed by gzip.
    "a clip that inflates without end": lambda id: packed_zeros(header(f"{id}.flac", size=5 * 10**8)),
    "a file that inflates without end": lambda id: packed_zeros(header(f"{id}.bin", size=10**12)),
}  # fmt: skip
ENDINGS = {**LAST_WAYS, **PACKED_WAYS}


def header(name: str, *, size: int, kind: bytes = tarfile.REGTYPE) -> bytes:
    info = tarfile.TarInfo(name)
    info.size, info.type = size, kind
    return info.tobuf(tarfile.GNU_FORMAT)


def packed_zeros(start: bytes) -> bytes:
    """Return `start` and 6.4 GB of zeros, compressed by gzip (concatenated gzip files are one file)."""
    return gzip.compress(start) + 100 * gzip.compress(bytes(64 * 10**6))


def make_corpus(folder: Path, items: int, broken: int, random: Random) -> dict[str, str]:
    """Write ten shards; return the kind of fault of each broken item by its id."""
    shards: list[list[str]] = [[] for _ in range(10)]
    for number in range(items):
        shards[number % 10].append(f"item-{number:05d}")
    chosen = set(random.sample([id for shard in shards for id in shard[1:-1]], broken - len(ENDINGS)))
    ways: dict[str, str] = {}
    order = iter([name for _ in range(broken) for name in WAYS])
    for number, ids in enumerate(shards):
        path = folder / f"part-{number:02d}.tar"
        with tarfile.open(path, "w", format=tarfile.PAX_FORMAT) as tar:
            first, *rest = ids
            ending = list(ENDINGS)[number] if number < len(ENDINGS) else None
            last = rest.pop() if ending else None
            for id in ["twice", *rest]:
                way = next(order) if id in chosen else None
                for info, data in WAYS[way](id) if way else pair(id):
                    tar.addfile(info, io.BytesIO(data))
                if way:
                    ways[id] = way
        if ending and last:
            ways[last] = ending
            end_with(path, ending, last)
        del first
    return ways


def end_with(path: Path, ending: str, id: str) -> None:
    """Append a broken end to a shard, and compress the shard if the fault is one of compressed shards."""
    whole = path.read_bytes().rstrip(b"\0")
    whole += bytes(-len(whole) % 512)
    if ending in PACKED_WAYS:
        path.unlink()
        path, whole = path.with_suffix(".tar.gz"), gzip.compress(whole)
    path.write_bytes(whole + ENDINGS[ending](id))


def way_of(failure: dict[str, str], ways: dict[str, str]) -> str:
    """Return the kind of fault that a failure reports, by the id of the item, else by its shard."""
    text = failure["clip"] + failure["reason"]
    named = next((id for id in ways if id in text), None)
    if named:
        return ways[named]
    if "twice" in text:
        return "the pair of another again"
    return list(ENDINGS)[int(failure["shard"][-2:])] if "damaged" in text else "of nothing that was made"


def main() -> None:
    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("--items", type=int, default=1000)
    options.add_argument("--broken", type=int, default=200)
    options.add_argument("--seed", type=int, default=0)
    asked = options.parse_args()
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        source, out = place / "a/b/source", place / "a/b/out"
        source.mkdir(parents=True)
        ways = make_corpus(source, asked.items, asked.broken, Random(asked.seed))
        before = {path for path in place.rglob("*") if out not in path.parents}
        command = [
            sys.executable,
            "-m",
            "budew",
            "corpus",
            "convert",
            str(source),
            str(out),
            "--workers",
            "2",
        ]
        job = subprocess.run(command, check=False, capture_output=True, text=True)
        print(job.stdout.strip(), job.stderr.strip(), sep="\n")
        report(out, ways, asked.items)
        outside = {path for path in place.rglob("*") if out not in path.parents} - before - {out}
        print(f"files outside of the output: {len(outside) + len(list(Path('/tmp').glob('item-*')))}")
        print(f"most memory of a process: {getrusage(RUSAGE_CHILDREN).ru_maxrss / 1024:,.0f} MB")


def report(out: Path, ways: dict[str, str], items: int) -> None:
    """Print the counts, and a reason for each kind of fault."""
    done = sum(1 for _ in read(out))
    failures = [json.loads(line) for line in (out / "failures.jsonl").open(encoding="utf-8")]
    kinds = len(set(ways.values()))
    print(f"{items} items, {len(ways)} broken in {kinds} ways: {done} done, {len(failures)} failures")
    reasons = defaultdict(list)
    for failure in failures:
        reasons[way_of(failure, ways)].append(failure["reason"])
    for way in (*WAYS, *ENDINGS):
        count = sum(given == way for given in ways.values())
        listed = reasons.pop(way, [])
        print(f"  {way:32} {count:3} made, {len(listed):3} listed: {(listed or ['NOTHING'])[0][-110:]}")
    for way, listed in reasons.items():
        print(f"  {way:32}           {len(listed):3} listed: {listed[0][:150]}")
    if done != items - len(ways) or len(failures) != len(ways):
        raise SystemExit("the counts of clips or failures are wrong")


if __name__ == "__main__":
    main()
