"""The doctor tells what works by trying it, and a remedy for what does not."""

import subprocess
import sys

from budew.doctor import FORMATS, examine


def test_each_finding_says_what_was_found_and_what_to_do():
    findings = list(examine())
    assert len({finding.subject for finding in findings}) == len(findings)
    assert all(finding.detail for finding in findings)
    assert all(finding.remedy for finding in findings if not finding.ok)


def test_every_promised_format_is_encoded_and_decoded():
    found = {finding.subject: finding for finding in examine()}
    for format in FORMATS:
        assert found[f"audio {format}"].ok, found[f"audio {format}"].detail


def test_a_missing_checkpoint_is_needed_and_a_missing_extra_is_not(monkeypatch):
    monkeypatch.setattr("budew.doctor.EMBEDDED_CHECKPOINT", "no-such-checkpoint")
    found = {finding.subject: finding for finding in examine()}
    assert not found["embedded checkpoint"].ok
    assert found["embedded checkpoint"].needed
    assert not any(finding.needed for subject, finding in found.items() if subject.startswith("extra"))


def test_a_locale_without_utf_8_is_told_with_its_remedy():
    program = "from budew.doctor import _locale; print(_locale())"
    environment = {
        "PYTHONUTF8": "0",
        "PYTHONCOERCECLOCALE": "0",
        "LC_ALL": "POSIX",
        "PYTHONIOENCODING": "latin-1",
    }
    path = ":".join(sys.path)
    ran = subprocess.run(
        [sys.executable, "-c", program],
        env={**environment, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=True,
    )
    assert "ok=False" in ran.stdout
    assert "PYTHONUTF8" in ran.stdout
