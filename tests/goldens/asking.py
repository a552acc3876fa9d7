"""Requests as steps of a story: each operation, each entry path, each way of sending the key."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

    from goldens.dice import Dice

#: A JSON object.
Object = dict[str, Any]

PATHS: Final = ("/v1/index.php", "/TS-AI-API/v1/index.php", "/")

WORKFLOWS: Final = ("default", "anime", "z-image", "rr3", "grok")

SUBMITS: Final = ("image_generation", "image_editing", "video_generation")

JSON: Final = {"content-type": "application/json"}

WRONG_KEY: Final = "sk-0123456789abcdef0123456789abcdef0123456789abcdef"

#: Way of sending the key -> headers, query and member of the body that bring it; `{0}` is the number of the session.
WAYS: Final[Mapping[str, tuple[Mapping[str, str], str, str]]] = {
    "header": ({"x-api-key": "{{key:{0}}}"}, "", ""),
    "bearer": ({"authorization": "Bearer {{key:{0}}}"}, "", ""),
    "query": ({}, "api_key={{qkey:{0}}}", ""),
    "body": ({}, "", "{{jkey:{0}}}"),
    "none": ({}, "", ""),
    "wrong": ({"x-api-key": WRONG_KEY}, "", ""),
    "wrong bearer": ({"authorization": f"Bearer {WRONG_KEY}"}, "", ""),
    "wrong query": ({}, f"api_key={WRONG_KEY}", ""),
    "both": ({"x-api-key": "{{key:{0}}}", "authorization": f"Bearer {WRONG_KEY}"}, f"api_key={WRONG_KEY}", ""),
    "header and query": ({"x-api-key": "{{key:{0}}}"}, "api_key={{qkey:{0}}}", ""),
    "wrong first": ({"x-api-key": WRONG_KEY, "authorization": "Bearer {{key:{0}}}"}, "", ""),
    "quoted": ({"x-api-key": '"{{key:{0}}}"'}, "", ""),
    "bearer in the header": ({"x-api-key": "Bearer {{key:{0}}}"}, "", ""),
    "no bearer": ({"authorization": "{{key:{0}}}"}, "", ""),
    "misnamed": ({"x-apikey": "{{key:{0}}}"}, "", ""),
    "blanks": ({"x-api-key": "  {{key:{0}}}\t", "authorization": "bEARER   {{key:{0}}}"}, "", ""),
}


def request(method: str, path: str, query: str = "", body: Any = "", **beside: Any) -> Object:
    """A request as it is, with headers and all."""
    step = {"do": "request", "method": method, "path": path, "query": query, "body": body, **beside}
    return {name: value for name, value in step.items() if value not in ("", {}, False)}


def ask(
    method: str,
    operation: str,
    *,
    document: Object | None = None,
    text: Any = "",
    parameters: str = "",
    path: str = PATHS[0],
    session: int = 0,
    way: str = "header",
    **beside: Any,
) -> Object:
    """A request of an operation; `document` is its body as an object, `text` as it is."""
    headers, query, member = WAYS[way]
    known = {name: value.format(session) for name, value in headers.items()}
    asked = "&".join(filter(None, [f"endpoint={operation}", parameters, query.format(session)]))
    if document is not None:
        document = {**document, "api_key": member.format(session)} if member else document
        text, known = written(document), {**JSON, **known}
    return request(method, path, asked, text, headers=known, **beside)


def written(document: Object) -> str:
    """An object as JSON; a placeholder for what is no text stands there without quotation marks."""
    return _NO_TEXT.sub(r"\1", json.dumps(document))


#: What is no text in JSON.
_NO_TEXT: Final = re.compile(r'"(\{(?:graph|deep|digits):\d+\})"')


def poll(task: int, **beside: Any) -> Object:
    """A poll of the story's task of this number."""
    return ask("GET", "task_status", parameters=f"task_id={{qtask:{task}}}", **beside)


def balance(**beside: Any) -> Object:
    """A look at the balance."""
    return ask("GET", "user_balance", **beside)


def file(task: int, method: str = "GET", *, begin: str = "", **beside: Any) -> Object:
    """A fetch of what comes of a task; `begin` stands before its path."""
    return request(method, f"{begin}{{url:{task}}}", **beside)


def submit(dice: Dice, operation: str = "image_generation", *, members: Object | None = None, **beside: Any) -> Object:
    """A legal submit, of small pictures; `members` are in its body whatever is drawn."""
    return ask("POST", operation, document={**_document(dice, operation), **(members or {})}, **beside)


def _document(dice: Dice, operation: str) -> Object:
    prompt = dice.pick(["a lamp", "a red lamp", "a l\u00e4mp, [[lit]] {twice}", "a lamp\nby night", '"a lamp"'])
    own = {"image_generation": _generation, "image_editing": _editing, "video_generation": _video}
    return {"prompt": prompt, **own[operation](dice)}


def _generation(dice: Dice) -> Object:
    drawn = {
        "workflow": dice.pick(WORKFLOWS),
        "width": dice.pick([1, 64, 512, 2048]),
        "height": dice.pick([1, 64, 512, 2048]),
        "steps": dice.whole(1, 50),
        "seed": dice.pick([-1, 0, 7, 2**40]),
        "cfg": dice.pick([0, 1.5, 7]),
        "model": "models/lamp.safetensors",
        "negative_prompt": "darkness",
        "stepz": 3,
    }
    return {name: drawn[name] for name in dice.some(list(drawn), 0.3)}


def _editing(dice: Dice) -> Object:
    image = dice.pick(["{png}", "data:image/png;base64,{png}", "https://pictures.example/lamp.png"])
    return {"image": image, **({"seed": dice.whole(-1, 9)} if dice.chance(0.3) else {})}


def _video(dice: Dice) -> Object:
    if dice.chance(0.5):
        return {"mode": "t2v", "width": 64, "height": 64}
    return {"image": "data:image/png;base64,{png}", **({"mode": "i2v", "width": 5} if dice.chance(0.4) else {})}
