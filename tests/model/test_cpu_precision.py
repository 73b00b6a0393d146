"""A precision that crashes is never chosen and is refused by name; each is tried once a machine."""

from pathlib import Path

import pytest

from budew.errors import CheckpointError, InputError
from budew.inference.loading import load_backend
from budew.inference.options import ModelOptions
from budew.model import cpu_precision
from budew.model.checkpoint import load_checkpoint
from budew.model.converted import load_converted
from budew.model.cpu_precision import DTYPES, Trials, check_precision, fastest, trials

SCRIPT = """import json, os, signal, sys, time
open({started!r}, "a").write("started\\n")
for dtype in sys.argv[2:]:
    found = {precisions}[dtype]
    if isinstance(found, str):
        exec(found)
    print(json.dumps(dict(dtype=dtype, seconds=found)), flush=True)
"""
DIES = "os.kill(os.getpid(), signal.SIGILL)"


@pytest.fixture
def trial(monkeypatch, tmp_path):
    """`trial(float32=0.2, bfloat16="os.kill(os.getpid(), signal.SIGILL)")`: seconds, or what a trial does."""

    def make(**precisions: float | str) -> Path:
        script = tmp_path / "trial.py"
        script.write_text(SCRIPT.format(started=str(tmp_path / "started"), precisions=precisions))
        monkeypatch.setattr(cpu_precision, "TRIAL", script)
        trials.cache_clear()
        return tmp_path / "started"

    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("ONEDNN_MAX_CPU_ISA", raising=False)
    monkeypatch.setattr(cpu_precision, "DTYPES", {**DTYPES, "torch": ("float32", "bfloat16")})
    yield make
    trials.cache_clear()


def runs(started: Path) -> int:
    return len(started.read_text().splitlines()) if started.exists() else 0


@pytest.mark.parametrize("engine", DTYPES)
def test_every_engine_is_tried_on_this_machine(engine):
    found = trials(engine)
    assert found.fastest in found.seconds
    assert found.seconds.keys() | found.faults.keys() == set(DTYPES[engine])
    assert all(seconds > 0 for seconds in found.seconds.values())
    check_precision(engine, found.fastest)


@pytest.mark.parametrize("engine", ["torch", "training"])
def test_a_precision_that_crashes_is_detected_in_a_child_process_and_refused(
    engine, faulty_cpu, whisper_folder, monkeypatch
):
    two = ("float32", "bfloat16")  # the others are tried by the test above; each process takes seconds
    monkeypatch.setattr(cpu_precision, "DTYPES", {**DTYPES, engine: two})
    found = trials(engine)
    assert (list(found.crashing), list(found.seconds)) == (["bfloat16"], ["float32"])
    assert fastest(engine) == "float32"
    with pytest.raises(
        InputError, match=r"SIGILL.*use float32, or set ONEDNN_MAX_CPU_ISA=AVX512_CORE_BF16"
    ) as error:
        check_precision(engine, "bfloat16")
    assert "\n" not in str(error.value)
    if engine == "torch":
        assert "float32" in load_backend(ModelOptions(whisper_folder, device="cpu")).runs_on
        with pytest.raises(InputError, match=r"bfloat16 .*SIGILL"):
            load_checkpoint(whisper_folder, device="cpu", dtype="bfloat16")


def test_a_precision_that_an_engine_lacks_is_refused(whisper_folder, monkeypatch):
    monkeypatch.setattr(cpu_precision, "trials", lambda engine: Trials(engine, {"float32": 0.1}))
    with pytest.raises((InputError, CheckpointError), match=r"float16.*: use "):  # InputError where it has
        load_converted(whisper_folder, device="cpu", dtype="float16")


def test_results_are_cached_and_a_damaged_cache_is_made_again(trial, tmp_path):
    started = trial(float32=0.2, bfloat16=0.1)
    assert [fastest("torch"), fastest("torch"), runs(started)] == ["bfloat16", "bfloat16", 1]
    trials.cache_clear()
    assert [fastest("torch"), runs(started)] == ["bfloat16", 1]
    (kept,) = (tmp_path / "cache" / "budew" / "precision").glob("*.json")
    content = kept.read_bytes()
    for damaged in (b"", content[: len(content) // 2], b"[]", b'{"trials": {"nothing": 1}}'):
        kept.write_bytes(damaged)
        before = runs(started)
        trials.cache_clear()
        assert [fastest("torch"), runs(started)] == ["bfloat16", before + 1]
        assert kept.read_bytes() == content


def test_results_are_cached_by_environment(trial, monkeypatch):
    started = trial(float32=0.2, bfloat16=0.1)
    fastest("torch")
    monkeypatch.setenv("ONEDNN_MAX_CPU_ISA", "AVX2")
    trials.cache_clear()
    fastest("torch")
    assert runs(started) == 2


def test_without_a_cache_precisions_are_tried_each_time(trial, tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    started = trial(float32=0.2, bfloat16=0.1)
    for count in (1, 2):
        trials.cache_clear()
        assert [fastest("torch"), runs(started)] == ["bfloat16", count]


@pytest.mark.parametrize(
    ("precisions", "chosen"),
    [
        ({"float32": 0.2, "bfloat16": 0.19}, "float32"),  # not worth other captions
        ({"float32": 0.2, "bfloat16": 0.4}, "float32"),
        ({"float32": 0.2, "bfloat16": 0.1}, "bfloat16"),
        ({"float32": DIES, "bfloat16": 0.1}, "bfloat16"),
        ({"float32": 0.2, "bfloat16": DIES}, "float32"),
        ({"float32": DIES, "bfloat16": DIES}, "float32"),
    ],
)
def test_the_first_is_chosen_unless_another_works_and_is_faster(trial, precisions, chosen):
    trial(**precisions)
    assert fastest("torch") == chosen


def test_int8_of_torch_is_never_chosen():
    seconds = {"float32": 0.4, "bfloat16": 0.3, "int8": 0.1}
    assert Trials("torch", seconds).fastest == "bfloat16"
    assert Trials("ctranslate2", seconds).fastest == "int8"


@pytest.mark.parametrize(
    ("ending", "longest", "reported", "kept"),
    [
        (DIES, 60, "SIGILL", True),
        ("os.kill(os.getpid(), signal.SIGKILL)", 60, "SIGKILL", False),
        ("time.sleep(60)", 0.5, "it took over 0.5 s", False),
        ("raise OSError('no library')", 60, "no library", False),
    ],
)
def test_only_crashes_of_the_processor_are_cached(trial, monkeypatch, ending, longest, reported, kept):
    """Whoever ends the trial, or a machine that is too busy, may not do so another time."""
    monkeypatch.setattr(cpu_precision, "LONGEST", longest)
    started = trial(float32=0.2, bfloat16=ending)
    with pytest.raises(InputError, match=reported):
        check_precision("torch", "bfloat16")
    before = runs(started)
    trials.cache_clear()
    assert fastest("torch") == "float32"
    assert (runs(started) == before) == kept
