"""The doctor reports what works by trying it, and a remedy for what does not."""

import shutil
from importlib.metadata import PackageNotFoundError
from itertools import takewhile

import pytest

from budew import model as models
from budew.cli.doctor import FORMATS, Finding, _libraries, _precisions, examine
from budew.model.cpu_precision import DTYPES, Trials
from tests.trained import TINY_SYNTHETIC


@pytest.fixture(scope="module")
def findings() -> list[Finding]:
    """What the doctor finds here."""
    return list(examine())


def test_each_finding_says_what_was_found_and_what_to_do(findings):
    assert len({finding.subject for finding in findings}) == len(findings)
    assert all(finding.detail for finding in findings)
    unneeded = {finding.subject for finding in findings if not finding.needed}
    optional = {subject for subject in unneeded if not subject.startswith(("extra ", "precision "))}
    assert optional == {"espeak-ng", "locale", "microphone"}
    assert all(finding.remedy for finding in findings if not finding.ok)


def test_every_engine_is_tried_and_a_precision_that_ends_the_process_has_a_remedy(findings, monkeypatch):
    assert {f"precision {engine}" for engine in DTYPES} <= {finding.subject for finding in findings}
    works, fault = {"float32": 0.2}, "a trial in another process ended with SIGILL"
    crashed = Trials("torch", works, {"bfloat16": fault}, ["bfloat16"], {"bfloat16": 0.1})
    for found in (crashed, Trials("torch", works, {"bfloat16": "not supported"})):
        monkeypatch.setattr(models, "trials", lambda engine, found=found: found)
        for finding in _precisions():
            assert finding.detail == f"float32 is used (float32 200 ms); bfloat16: {found.faults['bfloat16']}"
            assert finding.ok == (found is not crashed)
            assert not finding.needed
            assert ("ONEDNN_MAX_CPU_ISA=AVX512_CORE_BF16" in finding.remedy) == (found is crashed)


def test_a_folder_that_is_not_installed_is_no_failure_and_has_a_remedy(monkeypatch):
    def missing(name):
        raise PackageNotFoundError(name)

    monkeypatch.setattr("importlib.metadata.requires", missing)
    (found,) = _libraries()
    assert (found.subject, found.ok, found.needed) == ("libraries", False, False)
    assert "pip install -e ." in found.remedy


def test_every_promised_format_is_decoded_and_libraries_are_needed_by_their_extra(findings):
    found = {finding.subject: finding for finding in findings}
    for format in FORMATS:
        assert found[f"audio {format}"].ok, found[f"audio {format}"].detail
    base, train = found["base libraries"], found["extra train"]
    assert (base.needed, train.needed) == (True, False)
    assert "torch 2" in base.detail
    assert "scipy" not in base.detail
    assert "scipy" in train.detail


def test_the_default_checkpoint_is_named_with_the_variable_and_what_its_card_says(findings):
    found = {finding.subject: finding.detail for finding in findings}
    assert found["default checkpoint"].startswith(f"tiny-synthetic (BUDEW_MODEL={TINY_SYNTHETIC}): ")
    assert "synthetic speech only" in found["its model card"]
    assert "RAVDESS (en, 24 speakers), unweighted average recall" in found["its model card"]


def test_a_missing_checkpoint_is_needed_and_a_missing_extra_is_not(monkeypatch):
    monkeypatch.setenv("BUDEW_MODEL", "no-such-checkpoint")
    libraries_and_checkpoint = takewhile(lambda finding: finding.subject != "its model card", examine())
    found = {finding.subject: finding for finding in libraries_and_checkpoint}
    assert not found["default checkpoint"].ok
    assert found["default checkpoint"].needed
    assert not any(finding.needed for subject, finding in found.items() if subject.startswith("extra"))


def test_the_default_checkpoint_is_loaded_and_not_only_looked_for(monkeypatch, whisper_folder, tmp_path):
    def finding():
        return next(finding for finding in examine() if finding.subject == "default checkpoint")

    monkeypatch.setenv("BUDEW_MODEL", str(whisper_folder))
    assert finding().ok
    assert "windows of 2 s" in finding().detail
    broken = shutil.copytree(whisper_folder, tmp_path / "broken")
    weights = (broken / "model.safetensors").read_bytes()
    (broken / "model.safetensors").write_bytes(weights[: len(weights) // 2])
    monkeypatch.setenv("BUDEW_MODEL", str(broken))
    assert not finding().ok
    assert "cannot be loaded" in finding().detail


def test_a_locale_without_utf_8_is_reported_with_its_remedy(monkeypatch):
    monkeypatch.setattr("locale.getpreferredencoding", lambda _: "ANSI_X3.4-1968")
    found = next(finding for finding in examine() if finding.subject == "locale")
    assert not found.ok
    assert "PYTHONUTF8" in found.remedy
