"""Each of these tests fails, and its report says what is wrong with the client."""

import pytest
from wrong import draw


@pytest.mark.safelight_faults("submit#1: reset after")
def test_a_lost_answer_is_no_reason_to_pay_twice(safelight):
    draw(safelight.url, safelight.api_key)
    safelight.assert_submitted_once()


@pytest.mark.safelight_faults("poll#2: http 502")
def test_one_bad_poll_is_not_a_failed_task(safelight):
    picture = draw(safelight.url, safelight.api_key)
    assert picture, "there is no picture, and the task goes on"


def test_the_end_is_the_end(safelight):
    draw(safelight.url, safelight.api_key)
    safelight.assert_no_poll_after_end()


def test_a_picture_can_be_wide(safelight):
    assert draw(safelight.url, safelight.api_key, width=4096)
