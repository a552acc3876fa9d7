"""Pictures of finished tasks: once they are done, of the size asked for, and for everyone who has the URL."""

import re
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from threading import Barrier, BrokenBarrierError
from typing import Any, Final
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fake import PNG, Fake, message_of, size_of
from safelight.mockserver.model.keys import FAKE_KEY, fingerprint
from safelight.mockserver.model.messages import Request
from safelight.mockserver.operations.results import picture_path
from safelight.mockserver.pictures import Picture

NOT_YET: Final = "No such picture yet: its task is not done"
NO_PICTURE: Final = "No such picture: the URL is not one that a task was answered with"
SMALL: Final[dict[str, Any]] = {"width": 16, "height": 8}


def test_a_picture_is_there_once_its_task_is_done() -> None:
    fake = Fake(queued=1, running=1)
    task_id = fake.submit(**SMALL)
    for _ in range(2):
        reply = fake.picture(task_id)
        assert (reply.status, message_of(reply)) == (404, NOT_YET)
        fake.clock.advance(1)
    reply = fake.picture(task_id)
    assert (reply.status, reply.media_type) == (200, "image/png")
    assert reply.body.startswith(PNG)


def test_one_picture_is_drawn_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    together, meeting = [], Barrier(2)

    def draw(picture: Picture) -> bytes:
        with suppress(BrokenBarrierError):
            meeting.wait(0.2)
            together.append(picture)
        return PNG

    fake = Fake()
    monkeypatch.setattr("safelight.mockserver.pictures.draw", draw)
    ids = [fake.submit(**SMALL) for _ in range(2)]
    with ThreadPoolExecutor(2) as clients:
        assert [reply.status for reply in clients.map(fake.picture, ids)] == [200, 200]
    assert together == []


def test_a_failed_task_has_no_picture() -> None:
    fake = Fake(fail_rate=1)
    assert message_of(fake.picture(fake.submit(**SMALL))) == NOT_YET


#: What is asked for, and the size that is delivered.
SIZES: Final[list[tuple[dict[str, Any], tuple[int, int]]]] = [
    ({}, (512, 512)),
    ({"workflow": "rr3"}, (512, 512)),
    ({"workflow": "grok"}, (1024, 1024)),
    ({"workflow": "anime"}, (768, 768)),
    ({"workflow": "anime", "width": 100, "height": 103}, (150, 155)),
    ({"workflow": "anime", "width": 1, "height": 1}, (2, 2)),
    ({"workflow": "grok", "width": 40}, (40, 1024)),
    ({"workflow": "z-image", "width": 33.0, "height": 7}, (33, 7)),
    ({"width": 1, "height": 1}, (1, 1)),
    ({"width": 2048, "height": 1}, (2048, 1)),
]


@pytest.mark.parametrize(("parameters", "size"), SIZES)
def test_a_picture_has_exactly_the_size_asked_for(parameters: dict[str, Any], size: tuple[int, int]) -> None:
    fake = Fake()
    assert size_of(fake.picture(fake.submit(**parameters)).body) == size


@pytest.mark.parametrize("headers", [{}, {"authorization": "Bearer of-another-service"}, {"x-api-key": "sk-nobody"}])
def test_no_key_is_needed_and_a_foreign_one_does_no_harm(headers: dict[str, str]) -> None:
    fake = Fake()
    assert fake.picture(fake.submit(**SMALL), **headers).status == 200


def test_the_same_picture_is_the_same_bytes() -> None:
    fake, other = Fake(), Fake()
    first, again = (fake.picture(task_id).body for task_id in [fake.submit(seed=5, **SMALL)] * 2)
    assert first == again == other.picture(other.submit(seed=5, **SMALL)).body


def test_a_session_begun_anew_shows_no_picture_of_the_one_before() -> None:
    fake = Fake()
    before = fake.submit(width=16, height=8)
    assert size_of(fake.picture(before).body) == (16, 8)
    fake.api.sessions.open(fake.key, clock=fake.clock)
    assert fake.submit(width=8, height=16) == before
    assert size_of(fake.picture(before).body) == (8, 16)


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS"])
def test_a_picture_takes_get_or_head(method: str) -> None:
    fake = Fake()
    reply = fake.picture(fake.submit(**SMALL), method)
    assert (reply.status, reply.headers["allow"]) == (405, "GET, HEAD")


def test_head_is_answered_like_get() -> None:
    fake = Fake()
    task_id = fake.submit(**SMALL)
    assert fake.picture(task_id, "HEAD")._replace(date=None) == fake.picture(task_id)._replace(date=None)


def test_the_answer_names_the_url_that_answers() -> None:
    fake = Fake()
    url = fake.poll(fake.submit(**SMALL))["result"]["image_url"]
    assert url.startswith("http://localhost/uploads/")
    assert fake.send("GET", url.removeprefix("http://localhost"), key="").status == 200
    assert fake.key not in url


ODD: Final = ["a b&c=d#é", "007", "9007199254740993", "a/b", "../x", "..", "%2e%2E", "a%20b.png", "猫", ".png", "~"]


@pytest.mark.parametrize("task_id", ODD)
def test_an_odd_id_has_a_picture(task_id: str) -> None:
    fake = Fake(checked=False)
    fake.next(id=task_id)
    url = fake.poll(fake.submit(**SMALL))["result"]["image_url"]
    assert url.isascii()
    assert url.count("/") == 5, "the id is one segment"
    assert fake.picture(task_id).status == 200


MINE: Final = fingerprint(Fake().key)

#: Paths that lead nowhere. {id} is a task that is done.
TRAVERSALS: Final = [
    "/uploads/",
    "/uploads//",
    f"/uploads/{MINE}",
    f"/uploads/{MINE}/",
    f"/uploads/{MINE}/.png",
    f"/uploads/{MINE}/{{id}}",
    f"/uploads/{MINE}/{{id}}.PNG",
    f"/uploads/{MINE}/{{id}}.png/",
    f"/uploads/{MINE}/{{id}}.png.png",
    f"/uploads/{MINE}//{{id}}.png",
    f"/uploads/{MINE}/./{{id}}.png",
    f"/uploads/{MINE}/../{MINE}/{{id}}.png",
    f"/uploads/../uploads/{MINE}/{{id}}.png",
    f"/uploads/{MINE.upper()}x/{{id}}.png",
    "/uploads/00000000/{id}.png",
    "/uploads/{id}.png",
    f"/uploads/{MINE}/../../../../etc/passwd",
    f"/uploads/{MINE}/..%2f..%2f..%2fetc%2fpasswd",
    f"/uploads/{MINE}/..%5c..%5cboot.ini",
    f"/uploads/{MINE}/%00{{id}}.png",
    f"/uploads/{MINE}/{{id}}.png%00",
    f"/uploads/{MINE}/%",
    f"/uploads/{MINE}/%ff%fe.png",
    f"/uploads/{MINE}/{'x' * 10_000}.png",
]


@pytest.mark.parametrize("path", TRAVERSALS)
def test_no_path_leads_anywhere_else(path: str) -> None:
    fake = Fake()
    task_id = fake.submit(**SMALL)
    reply = fake.send("GET", path.format(id=task_id), key="")
    assert (reply.status, message_of(reply)) == (404, NO_PICTURE)


@given(st.text(st.characters(codec="ascii")), st.text(alphabet="./\\%0 2eEfF"))
def test_only_the_url_itself_is_answered_or_with_one_name_behind_it(anything: str, dots: str) -> None:
    fake = Fake()
    right = picture_path(fake.key, fake.submit(**SMALL))
    for path in (f"/uploads/{anything}", f"/uploads/{MINE}/{dots}", right + dots, right.replace("/", f"/{dots}/")):
        reply = fake.api.handle(Request("GET", path))
        is_right = path == right or re.fullmatch(f"{re.escape(right)}/[^/]+", path)
        assert reply.status == (200 if is_right else 404)


def test_a_picture_is_its_own_keys_alone() -> None:
    fake = Fake(any_key=True, checked=False)
    fake.next(id="seven")
    fake.submit(**SMALL)
    fake.submit(key="sk-other", **SMALL)
    assert fake.send("GET", picture_path("sk-other", "seven"), key="").status == 404
    assert fake.send("GET", picture_path(fake.key, "seven"), key="").status == 200


def test_a_fetch_is_written_down_in_the_journal_of_the_tasks_key() -> None:
    fake = Fake(any_key=True)
    task_id = fake.submit(**SMALL)
    fake.send("GET", picture_path(fake.key, task_id), key="sk-other")
    assert [(seen.operation, seen.task_id) for seen in fake.journal][1:] == [("upload", task_id)]


def test_a_path_is_quoted_whole() -> None:
    assert picture_path("sk-x", "a/b c").endswith(f"/{quote('a/b c', safe='')}.png")


def test_a_picture_never_shows_the_key() -> None:
    """Anybody may fetch it: a client that sends its key in the body or the prompt has not told everybody."""
    fake = Fake()
    task_id = fake.submit(prompt=f"a lamp {FAKE_KEY}", workflow="grok", api_key=FAKE_KEY, model=FAKE_KEY)
    png = fake.picture(task_id).body
    assert FAKE_KEY.encode() not in png
    assert b"a lamp sk-..." in png
    assert "api_key" not in fake.tasks[0].request
