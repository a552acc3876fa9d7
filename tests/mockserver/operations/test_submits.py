"""Every submit: what it is answered with, what it costs, and what comes of its task."""

import json
import socket
from base64 import b64encode
from io import BytesIO
from typing import Any, Final
from urllib.parse import urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from fake import Fake, message_of, size_of
from matroska import number
from safelight.contracts import operations, problems
from safelight.mockserver.model.keys import FAKE_KEY
from safelight.mockserver.model.messages import Request
from safelight.mockserver.model.settings import Settings, submits
from safelight.mockserver.operations import operations as operations_of_the_fake
from safelight.mockserver.sessions.opening import task_profile
from safelight.strategies import broken_requests, requests


def encoded(width: int, height: int, form: str = "PNG") -> str:
    out = BytesIO()
    Image.linear_gradient("L").resize((width, height)).save(out, form)
    return b64encode(out.getvalue()).decode()


URL: Final = "https://example.com/lighthouse.png"
EDIT: Final = {"prompt": "make it night", "image": URL}
I2V: Final = {"prompt": "the light turns", "image": URL}
T2V: Final[dict[str, Any]] = {"prompt": "the light turns", "mode": "t2v", "width": 64, "height": 48}

#: Operation, parameters, what the data of the answer has beside an id.
ANSWERS: Final[list[tuple[str, dict[str, Any], dict[str, str]]]] = [
    ("image_editing", EDIT, {"status": "queued", "message": "Image editing queued (Flux-2 Klein)."}),
    (
        "video_generation",
        I2V,
        {"status": "queued", "message": "Video generation queued (image-to-video).", "mode": "i2v"},
    ),
    (
        "video_generation",
        T2V,
        {"status": "queued", "message": "Video generation queued (text-to-video).", "mode": "t2v"},
    ),
]


def test_the_fake_has_every_operation_of_the_contract_and_a_result_for_each_submit() -> None:
    assert {name: found.stated for name, found in operations_of_the_fake().items()} == operations()
    assert [name for name, found in operations_of_the_fake().items() if found.result] == list(submits())


@pytest.mark.parametrize(("operation", "parameters", "rest"), ANSWERS)
def test_a_submit_is_answered_as_published(operation: str, parameters: dict[str, Any], rest: dict[str, str]) -> None:
    fake = Fake()
    data = fake.data(operation, **parameters)
    task_id = data.pop("id")
    assert data == {**rest, "check_status": f"?endpoint=task_status&task_id={task_id}"}
    assert fake.word(task_id) == "completed"


@pytest.mark.parametrize(("operation", "price"), [("image_generation", 10), ("image_editing", 20)])
def test_a_submit_costs_what_is_published(operation: str, price: int) -> None:
    fake = Fake()
    fake.data(operation, prompt="a lamp", image=URL)
    assert [(entry.credits, entry.reason) for entry in fake.ledger] == [(-price, operation)]


@pytest.mark.parametrize(("operation", "parameters", "_"), ANSWERS)
def test_a_failure_is_paid_back(operation: str, parameters: dict[str, Any], _: object) -> None:
    fake = Fake(fail_rate=1)
    task_id = fake.data(operation, **parameters)["id"]
    assert fake.word(task_id) == "failed"
    assert fake.ledger.total == 0
    assert [entry.reason for entry in fake.ledger] == [operation, "refund"]


@pytest.mark.parametrize("operation", ["image_editing", "video_generation"])
@given(data=st.data())
@settings(max_examples=25)
def test_whatever_is_legal_is_accepted_and_what_is_broken_says_how(operation: str, data: st.DataObject) -> None:
    fake = Fake()
    fake.data(operation, **data.draw(requests(operation=operation)))
    broken = data.draw(broken_requests(operation=operation))
    fake.send("POST", f"/?endpoint={operation}", broken.body)
    assert [violation.rule for violation in fake.journal[1].violations] == [broken.rule]
    assert problems(f"{operation}.request", broken.body)[0].pointer == broken.pointer


def test_a_picture_that_is_sent_is_edited_and_is_at_most_1280_pixels_long() -> None:
    fake = Fake()
    sizes = {(300, 200): (300, 200), (2000, 1000): (1280, 640), (10, 1290): (10, 1280)}
    for size, expected in sizes.items():
        for image in (encoded(*size), f"data:image/png;base64,{encoded(*size)}"):
            task_id = fake.data("image_editing", prompt="make it night", image=image)["id"]
            assert size_of(fake.result(task_id).body) == expected


def test_a_picture_is_edited_in_whichever_spelling_it_is_sent() -> None:
    fake = Fake()
    picture = encoded(30, 20)
    escaped = picture.replace("+", "%2B").replace("/", "%2F").replace("=", "%3D")
    for image in (
        f"DATA:IMAGE/PNG;BASE64,{picture}",
        f"data:image/png;charset=utf-8;base64,{escaped}",
        f"data:;base64,{picture}",
        picture.rstrip("="),
        f"{picture[:60]}\r\n{picture[60:]}\r\n",
    ):
        task_id = fake.data("image_editing", prompt="make it night", image=image)["id"]
        assert size_of(fake.result(task_id).body) == (30, 20)
    url = f"HTTP://LOCALHOST/uploads/{fake.picture_owner}/{fake.tasks[0].id}.png"
    edited = fake.data("image_editing", prompt="make it night", image=url)["id"]
    assert size_of(fake.result(edited).body) == (30, 20)


def test_a_page_that_is_sent_as_a_picture_is_accepted_and_the_journal_says_what_it_is() -> None:
    fake = Fake()
    page = b64encode(b"<!DOCTYPE html><html>Log in, please</html>").decode()
    task_id = fake.data("image_editing", prompt="make it night", image=page)["id"]
    assert [advice.provenance for advice in fake.journal[0].advice] == ["assumed"]
    assert "an HTML page" in fake.journal[0].advice[0].message
    assert fake.journal[0].outcome == "ok"
    assert size_of(fake.result(task_id).body) == (1024, 1024)


def test_what_is_elsewhere_or_no_picture_is_not_fetched_but_drawn() -> None:
    fake = Fake()
    images = [URL, "http://127.0.0.1:1/a.png", "A" * 40, "data:image/png;base64," + "B" * 41, "http://[/uploads/x.png"]
    for image in images:
        task_id = fake.data("image_editing", prompt="make it night", image=image)["id"]
        assert size_of(fake.result(task_id).body) == (1024, 1024)


def test_a_picture_of_the_fake_itself_is_edited() -> None:
    fake = Fake()
    first = fake.submit(width=300, height=200)
    url = fake.poll(first)["result"]["image_url"]
    second = fake.data("image_editing", prompt="make it night", image=url)["id"]
    assert size_of(fake.result(second).body) == (300, 200)
    elsewhere = url.replace(urlsplit(url).netloc, "localhost:8123")
    third = fake.data("image_editing", prompt="make it night", image=elsewhere)["id"]
    assert size_of(fake.result(third).body) == (300, 200)


def test_a_picture_that_is_not_done_yet_or_a_video_is_not_edited() -> None:
    fake = Fake()
    fake.next(running=9, queued=0, axis="ticks")
    waiting = fake.submit(width=300, height=200)
    video = fake.data("video_generation", **T2V)["id"]
    for source, suffix in ((waiting, "png"), (video, "webm")):
        url = f"http://localhost/uploads/{fake.picture_owner}/{source}.{suffix}"
        task_id = fake.data("image_editing", prompt="make it night", image=url)["id"]
        assert size_of(fake.result(task_id).body) == (1024, 1024)


def test_edits_of_edits_end_and_one_of_itself_does_too() -> None:
    fake = Fake(checked=False)
    fake.next(id="own")
    own = f"http://localhost/uploads/{fake.picture_owner}/own.png"
    assert fake.data("image_editing", prompt="make it night", image=own)["id"] == "own"
    assert size_of(fake.result("own").body) == (1024, 1024)
    task_id = fake.submit(width=30, height=20)
    for _ in range(40):
        url = fake.poll(task_id)["result"]["image_url"]
        task_id = fake.data("image_editing", prompt="make it night", image=url)["id"]
    assert fake.result(task_id).status == 200


@pytest.mark.parametrize(
    ("parameters", "size"),
    [
        (T2V, (64, 48)),
        ({**T2V, "image": encoded(30, 20)}, (64, 48)),
        ({"prompt": "it turns", "image": encoded(40, 30), "width": 64}, (40, 30)),
        ({"prompt": "it turns", "image": encoded(1664, 832)}, (832, 416)),
        ({"prompt": "it turns", "image": URL, "height": 48}, (832, 480)),
    ],
)
def test_a_video_has_the_size_asked_for_or_that_of_its_picture(parameters: Any, size: tuple[int, int]) -> None:
    fake = Fake()
    task_id = fake.data("video_generation", **parameters)["id"]
    result = fake.poll(task_id)["result"]
    assert result["video_url"] == result["image_url"]
    reply = fake.result(task_id)
    assert reply.media_type == "video/webm"
    video = "/Segment/Tracks/TrackEntry/Video"
    assert (number(reply.body, f"{video}/PixelWidth"), number(reply.body, f"{video}/PixelHeight")) == size


def test_a_video_is_the_same_for_the_same_request_and_seed() -> None:
    films = []
    for _ in range(2):
        fake = Fake()
        films.append(fake.result(fake.data("video_generation", **T2V, seed=7)["id"]).body)
    assert films[0] == films[1]


def test_a_picture_that_was_sent_is_not_written_out_in_the_result() -> None:
    fake = Fake()
    task_id = fake.data("image_editing", prompt="make it night", image=encoded(300, 200))["id"]
    png = Image.open(BytesIO(fake.result(task_id).body))
    told = json.loads(png.info["safelight"])
    assert told["request"]["image"].endswith("characters)")
    assert (told["width"], told["height"], told["task_id"]) == (300, 200, task_id)


def test_lives_of_edits_and_videos_can_be_their_own() -> None:
    fake = Fake(Settings(task_profile(), {"video_generation": task_profile(running=60)}))
    assert fake.word(fake.data("video_generation", **T2V)["id"]) == "processing"
    assert fake.word(fake.data("image_editing", **EDIT)["id"]) == "completed"


#: Engine that is down -> operation, parameters, message.
DOWN: Final[list[tuple[str, str, dict[str, Any], str]]] = [
    ("comfyui", "image_generation", {"prompt": "a lamp"}, "Upstream error: ComfyUI does not answer"),
    ("rr3", "image_generation", {"prompt": "a lamp", "workflow": "rr3"}, "Upstream error: RR3 does not answer"),
    ("grok", "image_generation", {"prompt": "a lamp", "workflow": "grok"}, "Upstream error: Grok does not answer"),
    ("comfyui", "image_editing", EDIT, "Upstream error: ComfyUI does not answer"),
    ("comfyui", "video_generation", T2V, "Upstream error: ComfyUI does not answer"),
]


@pytest.mark.parametrize(("engine", "operation", "parameters", "message"), DOWN)
def test_an_engine_that_is_down_is_502_and_paid_back(
    engine: str, operation: str, parameters: Any, message: str
) -> None:
    fake = Fake(Settings(down=frozenset({engine}), balance=1000))
    reply = fake.ask(operation, **parameters)
    assert (reply.status, message_of(reply)) == (502, message)
    price = operations()[operation].price
    assert [(entry.credits, entry.reason) for entry in fake.ledger] == [(-price, operation), (price, "refund")]
    assert fake.tasks == []
    assert fake.data("user_balance")["balance"] == 1000


@pytest.mark.parametrize("engine", ["comfyui", "rr3", "grok"])
def test_the_other_engines_go_on(engine: str) -> None:
    fake = Fake(Settings(down=frozenset({engine})))
    workflows = {"comfyui": "default", "rr3": "rr3", "grok": "grok"}
    found = {name: fake.ask("image_generation", prompt="a", workflow=flow).status for name, flow in workflows.items()}
    assert found == {name: 502 if name == engine else 200 for name in workflows}


def test_an_engine_that_is_down_uses_up_nothing_that_was_said_about_the_next_task() -> None:
    fake = Fake(Settings(down=frozenset({"rr3"})), checked=False)
    fake.next(id="seven")
    fake.ask("image_generation", prompt="a", workflow="rr3")
    assert fake.submit() == "seven"


def test_every_reply_says_which_version_of_the_contract_it_keeps() -> None:
    fake = Fake()
    task_id = fake.submit(width=8, height=8)
    replies = [fake.ask("user_balance"), fake.ask("task_status", task_id="1"), fake.picture(task_id)]
    replies += [fake.ask("user_balance", key=""), fake.send("POST", "/?endpoint=user_balance")]
    assert [reply.status for reply in replies] == [200, 404, 200, 401, 405]
    assert {reply.headers["x-safelight-contract"] for reply in replies} == {"1.0.0"}


def test_a_revoked_key_is_refused_and_says_so_in_its_journal() -> None:
    fake = Fake()
    task_id = fake.submit()
    fake.session.revoke()
    reply = fake.ask("task_status", task_id=task_id)
    assert (reply.status, message_of(reply)) == (401, "Unauthorized: Invalid API Key")
    assert fake.journal[1].advice[0].message == "the key in the header x-api-key was revoked"
    assert fake.picture(task_id).status == 200


def test_a_revoked_key_is_refused_from_the_beginning() -> None:
    fake = Fake(Settings(revoked=True))
    headers = {"authorization": f"Bearer {FAKE_KEY}"}
    assert fake.api.handle(Request("GET", "/", "endpoint=user_balance", headers)).status == 401


@pytest.mark.parametrize("operation", ["image_editing", "video_generation"])
def test_no_connection_is_opened_to_where_a_picture_is_said_to_be(operation: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setblocking(False)
        url = f"http://127.0.0.1:{server.getsockname()[1]}/a.png"
        fake = Fake()
        assert fake.result(fake.data(operation, prompt="a", image=url)["id"]).status == 200
        with pytest.raises(BlockingIOError):
            server.accept()


def test_the_seventeenth_edit_of_an_edit_is_of_a_drawn_picture() -> None:
    fake = Fake()
    task_id, sizes = fake.submit(width=30, height=20), []
    for _ in range(17):
        url = fake.poll(task_id)["result"]["image_url"]
        task_id = fake.data("image_editing", prompt="make it night", image=url)["id"]
        sizes.append(size_of(fake.result(task_id).body))
    assert sizes == [(30, 20)] * 15 + [(1024, 1024)] * 2


#: Where a key may hide in a request, `{}` in its place, and how it is spelled there.
HIDDEN: Final[dict[str, Any]] = {
    "as it is": lambda key: key,
    "percent-encoded": lambda key: key.replace("-", "%2D").replace("5", "%35"),
    "twice the same": lambda key: f"{key} {key}",
}


@pytest.mark.parametrize("spell", HIDDEN.values(), ids=HIDDEN)
@pytest.mark.parametrize("member", ["prompt", "image"])
@pytest.mark.parametrize("operation", ["image_editing", "video_generation"])
def test_no_key_is_in_what_anybody_may_fetch(operation: str, member: str, spell: Any) -> None:
    fake = Fake()
    said = {"prompt": "a", "image": URL}
    hidden = f"https://example.com/{'x' * 60}?token={spell(fake.key).replace(' ', '&')}&w=3"
    said[member] = hidden if member == "image" else spell(fake.key)
    body = fake.result(fake.data(operation, **said)["id"]).body
    assert fake.key[5:30].encode() not in body
    assert b"sk%2D" not in body


@pytest.mark.parametrize("key", ["1", ",", "{", "prompt", "a"])
def test_a_key_that_is_a_short_word_spoils_no_picture(key: str) -> None:
    fake = Fake(key=key)
    png = Image.open(BytesIO(fake.result(fake.submit(width=64, height=64, prompt="a lamp")).body))
    assert json.loads(png.info["safelight"])["request"]["width"] == 64
    assert "prompt" in json.loads(png.info["safelight"])["request"]
