"""Waits grow and end, spread by chance that repeats; what a server asks for is read in both forms."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from budew.chat.waiting import LONGEST_WAIT, backoff, retry_after


def test_waits_double_up_to_a_bound_and_depend_on_request_and_attempt_alone():
    waits = [backoff(attempt, first=1.0, of="a") for attempt in range(100)]
    assert waits == [backoff(attempt, first=1.0, of="a") for attempt in range(100)]
    assert waits != [backoff(attempt, first=1.0, of="b") for attempt in range(100)]
    for attempt, wait in enumerate(waits):
        middle = min(2.0**attempt, LONGEST_WAIT)
        assert 0.5 * middle <= wait < 1.5 * middle


@pytest.mark.parametrize(
    ("value", "seconds"), [("0", 0), (" 30 ", 30), ("1.5", 1.5), ("99999999999999", 99999999999999)]
)
def test_seconds_are_read(value, seconds):
    assert retry_after(value) == seconds


@pytest.mark.parametrize("ahead", [-3600, 90])
@pytest.mark.parametrize("zone", ["GMT", "+0000", ""])
def test_dates_are_read_and_those_gone_by_mean_now(ahead, zone):
    date = datetime.now(UTC) + timedelta(seconds=ahead)
    written = format_datetime(date, usegmt=True).replace("GMT", zone).strip()
    assert retry_after(written) == pytest.approx(max(0, ahead), abs=2)


@pytest.mark.parametrize(
    "value", [None, "", "soon", "-5", "1e9", "nan", "inf", "٣", "1.2.3", "9" * 65, "Mon"]
)
def test_anything_else_is_no_wait(value):
    assert retry_after(value) is None


@given(st.text(max_size=80))
def test_no_header_raises(text):
    seconds = retry_after(text)
    assert seconds is None or seconds >= 0
