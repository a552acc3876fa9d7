"""Under a prefix the fake answers as at the root, and what it answers leads to the prefix."""

import json
from urllib.parse import urlsplit

import pytest

from fake import PNG, Fake, message_of, status_of
from safelight.mockserver.model.settings import Settings
from safelight.mockserver.sessions.opening import task_profile

BODY = b'{"prompt": "a lamp", "width": 8, "height": 8}'


@pytest.mark.parametrize("path", ["/s/abc/v1/index.php", "/s/a-b.c~d/", "/elsewhere/s/abc/TS-AI-API/v1/index.php"])
def test_every_entry_point_answers_under_a_prefix(path: str) -> None:
    fake = Fake()
    assert fake.send("POST", f"{path}?endpoint=image_generation", BODY).status == 200
    assert fake.journal[0].target == f"{path}?endpoint=image_generation"
    assert fake.journal[0].operation == "image_generation"


def test_a_picture_is_under_the_prefix_too() -> None:
    fake = Fake()
    fake.send("POST", "/s/abc/?endpoint=image_generation", BODY)
    polled = fake.send("GET", f"/s/abc{status_of(fake.tasks[0].id)}")
    url = json.loads(polled.body)["data"]["result"]["image_url"]
    assert urlsplit(url).path.startswith("/s/abc/uploads/")
    assert fake.send("GET", urlsplit(url).path, key="").body.startswith(PNG)
    edited = fake.data("image_editing", prompt="at night", image=url)["id"]
    assert fake.picture(edited).body[16:24] == fake.picture(fake.tasks[0].id).body[16:24], (
        "it is the one that is edited"
    )


def test_a_redirect_keeps_the_prefix() -> None:
    fake = Fake(Settings(task_profile(), plan=("poll: redirect 302 here",)), checked=False)
    there = urlsplit(fake.send("GET", f"/s/abc{status_of(fake.submit())}").headers["location"])
    assert there.path == "/s/abc/v1/index.php"
    assert fake.send("GET", f"{there.path}?{there.query}").status == 200


@pytest.mark.parametrize(
    "path", ["/s", "/s/", "/s/abc", "/s//v1/index.php", "/s/a b/v1/index.php", "/s/a/s/b/v1/index.php"]
)
def test_what_is_no_prefix_is_an_unknown_path(path: str) -> None:
    reply = Fake().send("GET", f"{path}?endpoint=user_balance")
    assert reply.status == 404
    assert "Unknown path" in message_of(reply)
