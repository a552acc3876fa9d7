"""The tour, tested: it uses every operation, pays for each thing once, and ends when the credits do."""

import pytest
from tour import Refused, tour


@pytest.mark.safelight(queued=5, running=30)
def test_a_tour_makes_three_files_and_pays_for_each_once(safelight, tmp_path):
    stops = list(tour(safelight.url, safelight.api_key, tmp_path))
    assert [stop.file.name for stop in stops] == ["image_generation.png", "image_editing.png", "video_generation.webm"]
    assert all(stop.file.stat().st_size > 1_000 for stop in stops)
    assert [stop.balance for stop in stops] == [990, 970, 770]
    assert [task.operation for task in safelight.tasks] == [stop.operation for stop in stops]
    safelight.assert_no_poll_after_end()
    safelight.assert_key_only_in_headers()


@pytest.mark.safelight(queued=5, running=30, balance=100)
def test_a_tour_ends_where_the_money_does(safelight, tmp_path):
    stops = tour(safelight.url, safelight.api_key, tmp_path)
    assert [next(stops).balance, next(stops).balance] == [90, 70]
    with pytest.raises(Refused, match="video_generation: Insufficient balance"):
        next(stops)
    assert safelight.ledger.total == -30


@pytest.mark.safelight(queued=5, running=30, down=["comfyui"])
def test_an_engine_that_is_down_costs_nothing(safelight, tmp_path):
    stops = tour(safelight.url, safelight.api_key, tmp_path)
    assert next(stops).operation == "image_generation"  # by rr3, which is up
    with pytest.raises(Refused, match="Upstream error: ComfyUI does not answer"):
        next(stops)
    assert [entry.credits for entry in safelight.ledger] == [-10, -20, 20]


@pytest.mark.safelight(queued=5, running=30, fail="out of memory")
def test_a_task_that_fails_says_why(safelight, tmp_path):
    with pytest.raises(Refused, match="out of memory"):
        list(tour(safelight.url, safelight.api_key, tmp_path))
    assert safelight.ledger.total == 0
