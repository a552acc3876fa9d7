"""Lamp, tested against Safelight: no network, no waiting, no configuration."""

import asyncio
from contextlib import suppress
from io import BytesIO

import pytest
from hypothesis import given, settings
from lamp import Failed, GaveUp, Lamp, LampError, NoPicture, Picture, Refused, Unclear
from PIL import Image

from safelight import strategies
from safelight.contracts import Phase

#: Seconds for which it polls, a moment more than a number of whole intervals. Its sleeps move a clock and take no time.
DEADLINE = 401


def draw_in_turn(api, prompt="a lighthouse", **parameters) -> Picture:
    return Lamp(api.url, api.api_key, deadline=DEADLINE, timeout=2).draw(prompt, **parameters)


def draw_in_a_loop(api, prompt="a lighthouse", **parameters) -> Picture:
    return asyncio.run(Lamp(api.url, api.api_key, deadline=DEADLINE, timeout=2).draw_async(prompt, **parameters))


#: Each test with this has `draw`, once for each flavour.
both = pytest.mark.parametrize("draw", [draw_in_turn, draw_in_a_loop], ids=["sync", "async"])


@both
def test_a_picture_is_drawn_and_paid_for_once(safelight, draw):
    picture = draw(safelight, "a lighthouse", width=640, height=480, workflow="rr3")
    assert Image.open(BytesIO(picture.content)).size == (640, 480)
    safelight.assert_submitted_once()
    safelight.assert_submitted(prompt="a lighthouse", width=640, workflow="rr3")
    safelight.assert_polled(at_least=3)
    safelight.assert_no_poll_after_end()
    safelight.assert_key_only_in_headers()
    assert safelight.ledger.total == -10


@both
def test_an_id_goes_back_as_it_came_and_a_picture_is_fetched_without_the_key(safelight, draw):
    safelight.next(id="0001 & 1/2#é")
    assert draw(safelight).task_id == "0001 & 1/2#é"
    assert ["x-api-key" in exchange.headers for exchange in safelight.journal] == [True, True, True, True, False]


@both
def test_no_socket_is_needed(safelight, draw):
    with safelight.respx:
        assert draw(safelight).content


@both
@pytest.mark.safelight(queued=10, running=50)
def test_a_minute_is_over_at_once(safelight, draw):
    assert draw(safelight).url
    assert safelight.clock.now() == 60


@pytest.mark.safelight(queued=1, running="10..30", slots=1)
def test_pictures_drawn_together_are_not_mixed_up(safelight):
    lamp = Lamp(safelight.url, safelight.api_key)

    async def together():
        return await asyncio.gather(*[lamp.draw_async("a lighthouse", width=width) for width in (256, 512, 768)])

    assert [Image.open(BytesIO(picture.content)).width for picture in asyncio.run(together())] == [256, 512, 768]
    assert len(safelight.tasks) == 3


@both
@pytest.mark.safelight(fail="out of memory")
def test_a_task_that_fails_says_why_and_costs_nothing(safelight, draw):
    with pytest.raises(Failed, match="out of memory"):
        draw(safelight)
    assert safelight.ledger.total == 0


@both
@pytest.mark.safelight(balance=9)
def test_an_empty_account_is_no_reason_to_ask_again(safelight, draw):
    with pytest.raises(Refused, match="402 Insufficient balance"):
        draw(safelight)
    assert len(safelight.journal) == 1


@both
@pytest.mark.safelight(running="never")
def test_lamp_gives_up_at_its_deadline_and_names_the_task(safelight, draw):
    with pytest.raises(GaveUp) as gave_up:
        draw(safelight)
    assert gave_up.value.task_id == safelight.tasks[0].id
    assert safelight.clock.now() == DEADLINE


@both
@pytest.mark.safelight_faults("poll#1: http 404", "poll#3: http 502", "poll#5: reset", "poll#6: garbled")
@pytest.mark.safelight(polls=(3, 4))
def test_bad_polls_are_no_failure(safelight, draw):
    assert draw(safelight).content


@both
@pytest.mark.safelight_faults("submit#1: reset after")
def test_a_submit_whose_answer_is_lost_is_not_sent_again(safelight, draw):
    with pytest.raises(Unclear, match="not sent again"):
        draw(safelight)
    safelight.assert_submitted_once()


@both
@pytest.mark.safelight_faults("submit#1-2: http 503")
def test_a_submit_that_was_refused_is_sent_again(safelight, draw):
    assert draw(safelight).content
    assert len(safelight.tasks) == 1


@both
@pytest.mark.safelight_faults("poll#2-: http 401")
def test_a_key_that_is_revoked_ends_it(safelight, draw):
    with pytest.raises(Refused, match="401"):
        draw(safelight)
    assert [exchange.operation for exchange in safelight.journal].count("task_status") == 2


@both
@pytest.mark.safelight_faults("image: http 410")
def test_a_picture_that_is_gone_is_an_error(safelight, draw):
    with pytest.raises(NoPicture, match="410"):
        draw(safelight)


@both
def test_a_page_is_not_a_picture(safelight, draw):
    with safelight.respx as router:
        router.get(path__startswith="/uploads/").respond(html="<h1>Please log in</h1>")
        with pytest.raises(NoPicture):
            draw(safelight)


@both
@pytest.mark.safelight_scenarios("polls-fail-for-good")
def test_polls_that_fail_for_good_are_few_and_further_and_further_apart(safelight, draw):
    with pytest.raises(GaveUp, match="500"):
        draw(safelight)
    assert [exchange.gap for exchange in safelight.journal] == [None, 2.5, 5, 10, 20, 40]


@both
@pytest.mark.safelight_scenarios("golden", "slow", "goes-back", "three-bad-polls", "last-answer-lost", "late-image")
def test_there_is_a_picture_where_there_can_be_one(safelight, draw):
    assert draw(safelight).content


@both
@pytest.mark.safelight_scenarios
def test_whatever_happens_is_paid_for_once_and_ends(safelight, draw):
    with suppress(LampError):  # anything else is a crash
        draw(safelight)
    assert len(safelight.tasks) <= 1
    safelight.assert_no_poll_after_end()
    polls = [exchange.at for exchange in safelight.journal if exchange.operation == "task_status"]
    assert not polls or polls[-1] <= polls[0] + DEADLINE


@both
@settings(deadline=None)  # a picture of 2048x2048 takes a while to draw
@given(request=strategies.requests(), timeline=strategies.timelines(max_dwell=20))
def test_whatever_is_asked_for_has_the_end_of_its_timeline(safelight_factory, draw, request, timeline):
    with safelight_factory() as api:
        api.next(timeline=timeline, axis="seconds")
        if timeline.steps[-1].phase is Phase.DONE:
            assert draw(api, **request).content
        else:
            with pytest.raises(Failed):
                draw(api, **request)
        api.assert_submitted_once()
        api.assert_no_poll_after_end()
