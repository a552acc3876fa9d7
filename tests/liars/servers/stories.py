"""Short exchanges with a server: what a bad server answers otherwise than the fake, it shows in one of them."""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache, partial
from typing import Any, Final
from urllib.parse import quote, urlsplit

from liars.servers.changes import data
from liars.servers.server import GOOD, OTHER_KEY, BadServer, Defect
from safelight.mockserver.model.clock import VirtualClock
from safelight.mockserver.model.keys import FAKE_KEY
from safelight.mockserver.model.messages import Reply, Request

#: Of a picture that is drawn in no time.
SMALL: Final = {"prompt": "a lamp", "width": 16, "height": 8}
IMAGE: Final = "https://example.com/lamp.png"
WRONG_KEY: Final = "sk-" + 48 * "0"
PATH: Final = "/v1/index.php"


@dataclass
class Talk:
    """What was said to a server on a virtual clock, and what it said."""

    defect: Defect
    replies: list[tuple[int, Mapping[str, str], bytes]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.clock = VirtualClock()
        self.server = BadServer(self.defect, clock=lambda: self.clock)

    def send(self, method: str, query: str, body: Any = b"", *, path: str = PATH, **headers: str) -> Reply:
        """Any request; `x_api_key` of "-" sends no key."""
        sent = {"x-api-key": FAKE_KEY, "content-type": "application/json"}
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        sent = {name: value for name, value in sent.items() if value != "-"}
        written = body if isinstance(body, bytes | None) else json.dumps(body).encode()
        reply = self.server.handle(Request(method, path, query, sent, written))
        said = {name: value for name, value in reply.all_headers.items() if name != "date"}
        body = reply.wire.name.encode() if reply.wire else reply.body
        self.replies.append((reply.status, said, body))
        return reply

    def submit(self, body: Any, operation: str = "image_generation", **headers: str) -> str:
        """The id of a task, or what stands in its place."""
        reply = self.send("POST", f"endpoint={operation}", body, **headers)
        with suppress(ValueError, KeyError, TypeError):
            return str(json.loads(reply.body)["data"]["id"])
        return "none"

    def poll(self, task_id: str, **headers: str) -> Reply:
        """Ask for a task."""
        return self.send("GET", f"endpoint=task_status&task_id={quote(task_id, safe='')}", **headers)

    def fetch(self, reply: Reply) -> None:
        """Fetch what a task came to, without a key."""
        for url in (data(reply).get("result") or {}).values():
            self.send("GET", "", path=urlsplit(url).path, x_api_key="-")


#: What is said in a story.
Story = Callable[[Talk], object]


def _submits(body: Any, operation: str = "image_generation", **headers: str) -> Story:
    return lambda talk: talk.submit(body, operation, **headers)


def _image(**parameters: Any) -> Story:
    return _submits({"prompt": "a lamp", **parameters})


def _asks(query: str, method: str = "GET", **headers: str) -> Story:
    return lambda talk: talk.send(method, query, **headers)


def _asks_for(task_id: str) -> Story:
    return lambda talk: talk.poll(task_id)


def _task(talk: Talk, *, end: bool = True, **parameters: Any) -> str:
    """Submit, and see it through."""
    task_id = talk.submit({**SMALL, **parameters})
    for seconds in (0, 0.05, 0.02):
        talk.clock.advance(seconds)
        talk.poll(task_id)
    talk.clock.advance(10 if end else 0)
    return task_id


def _ends(talk: Talk, **parameters: Any) -> None:
    for _ in range(2):
        talk.poll(_task(talk, **parameters))


def _is_read(talk: Talk) -> None:
    task_id = _task(talk)
    for _ in range(5):
        talk.clock.advance(10)
        talk.poll(task_id)


def _is_fetched(talk: Talk, **parameters: Any) -> None:
    task_id = _task(talk, **parameters)
    for _ in range(5):
        talk.clock.advance(1)
        reply = talk.poll(task_id)
    talk.fetch(reply)


def _is_polled_fast(talk: Talk) -> None:
    task_id = talk.submit(SMALL)
    for _ in range(10):
        talk.clock.advance(0.09)
        talk.poll(task_id)


def _is_polled_at_once(talk: Talk) -> None:
    task_id = talk.submit(SMALL)
    talk.clock.advance(1)
    for _ in range(5):
        talk.poll(task_id)


def _is_others(talk: Talk) -> None:
    talk.poll(talk.submit(SMALL), x_api_key=OTHER_KEY)


def _is_paid(talk: Talk) -> None:
    for body in (SMALL, {}):
        talk.submit(body)
        talk.send("GET", "endpoint=user_balance")


def _is_sent_twice(talk: Talk, body: Any) -> None:
    for _ in range(2):
        talk.submit(body)


_BALANCE: Final = "endpoint=user_balance"
_EDIT: Final = {"prompt": "more light", "image": IMAGE}
_DEEP: Final = b'{"prompt": "a", "model": ' + 200 * b"[" + 200 * b"]" + b"}"
#: Status of an id that nobody was given.
_UNKNOWN: Final = "3f2504e0-4f89-41d3-9a0c-0305e82c3301"

#: Name -> what is said.
STORIES: Final[dict[str, Story]] = {
    "no key, balance": _asks(_BALANCE, x_api_key="-"),
    "no key, poll": _asks(f"endpoint=task_status&task_id={_UNKNOWN}", x_api_key="-"),
    "no key, submit": _submits({}, x_api_key="-"),
    "wrong key": _asks(_BALANCE, x_api_key=WRONG_KEY),
    "blank key": _asks(_BALANCE, x_api_key=" "),
    "key of 8 kB": _asks(_BALANCE, x_api_key="k" * 8192),
    "bearer": _asks(_BALANCE, x_api_key="-", authorization=f"Bearer {FAKE_KEY}"),
    "wrong bearer beside the key": _asks(_BALANCE, authorization=f"Bearer {WRONG_KEY}"),
    "key in the query": _asks(f"{_BALANCE}&api_key={FAKE_KEY}", x_api_key="-"),
    "balance": _asks(_BALANCE),
    "unknown endpoint": _asks("endpoint=picture"),
    "no endpoint": _asks(""),
    "endpoint in capitals": _asks("endpoint=User_Balance"),
    "endpoint last": _asks(f"task_id={_UNKNOWN}&endpoint=task_status"),
    "endpoint percent-encoded": _asks("endpoint=user%5Fbalance"),
    "two endpoints": _asks("endpoint=image_generation&endpoint=task_status&task_id=1"),
    "submit by GET": _asks("endpoint=image_generation"),
    "poll by POST": _asks(f"endpoint=task_status&task_id={_UNKNOWN}", "POST"),
    "width '512'": _image(width="512"),
    "steps true": _image(steps=True),
    "prompt 7": _submits({"prompt": 7}),
    "workflow []": _image(workflow=[]),
    "seed 1.5": _image(seed=1.5),
    "cfg '7'": _image(cfg="7"),
    "model {}": _image(model={}),
    "no prompt": _submits({"width": 16}),
    "prompt null": _submits({"prompt": None}),
    "prompt ''": _submits({"prompt": ""}),
    "width 1000000": _image(width=1_000_000),
    "steps -1000": _image(steps=-1_000),
    "steps 1000": _image(steps=1_000),
    "width 2049": _image(width=2049),
    "height 0": _image(height=0),
    "steps 51": _image(steps=51),
    "seed -2": _image(seed=-2),
    "cfg -0.1": _image(cfg=-0.1),
    "workflow 'animee'": _image(workflow="animee"),
    "workflow 'Anime'": _image(workflow="Anime"),
    "edit without image": _submits({"prompt": "more light"}, "image_editing"),
    "edit, image 7": _submits({"prompt": "more light", "image": 7}, "image_editing"),
    "edit without prompt": _submits({"image": IMAGE}, "image_editing"),
    "video without image": _submits({"prompt": "it turns"}, "video_generation"),
    "video, mode 't2w'": _submits({"prompt": "it turns", "mode": "t2w"}, "video_generation"),
    "width 2048": _image(width=2048, height=8),
    "steps 50": _image(steps=50),
    "steps 1": _image(steps=1),
    "half a document": _submits(b'{"prompt": "a lamp'),
    "a form": _submits(b"prompt=a+lamp"),
    "an array": _submits([SMALL]),
    "NaN": _submits(b'{"prompt": "a lamp", "cfg": NaN}'),
    "a name twice": _submits(b'{"prompt": "a lamp", "width": 8, "width": 16}'),
    "10 MB": _submits(None),
    "deep": _submits(_DEEP),
    "text/plain": _submits(SMALL, content_type="text/plain"),
    "no body": _submits(b""),
    "the same bad request twice": partial(_is_sent_twice, body={"prompt": "a lamp", "width": 0, "steps": 0}),
    "unknown UUID": _asks_for(_UNKNOWN),
    "id 0": _asks_for("0"),
    "id 2^64": _asks_for(str(2**64)),
    "id with quotes": _asks_for("' OR 1=1"),
    "id ../../etc/passwd": _asks_for("../../etc/passwd"),
    "5 reads of a finished task": _is_read,
    "another key": _is_others,
    "a task": _ends,
    "a task of rr3": partial(_ends, workflow="rr3"),
    "a picture": _is_fetched,
    "a picture of anime": partial(_is_fetched, workflow="anime"),
    "10 polls in a second": _is_polled_fast,
    "5 polls at once": _is_polled_at_once,
    "balance of a submit and a refusal": _is_paid,
    "the same request twice": partial(_is_sent_twice, body=SMALL),
    "edit": _submits(_EDIT, "image_editing"),
    "video": _submits({**_EDIT, "mode": "i2v"}, "video_generation"),
}


def heard(defect: Defect, story: str) -> list[tuple[int, Mapping[str, str], bytes]]:
    """What this server says in a story."""
    talk = Talk(defect)
    STORIES[story](talk)
    return talk.replies


#: What the fake says in a story.
_GOOD: Final = cache(partial(heard, GOOD))


def shown(defect: Defect) -> Iterator[str]:
    """The stories in which a server says something else than the fake."""
    return (story for story in STORIES if heard(defect, story) != _GOOD(story))
