"""Requests that are wrong in one way or another."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from goldens.asking import JSON, PATHS, ask, request

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from goldens.asking import Object
    from goldens.dice import Dice

#: Operation -> documents of which each breaks something.
DOCUMENTS: Final[Mapping[str, tuple[Any, ...]]] = {
    "image_generation": (
        {},
        {"promt": "a lamp"},
        {"prompt": ""},
        {"prompt": None},
        {"prompt": 7},
        {"prompt": ["a lamp"]},
        {"prompt": "a lamp", "width": 0},
        {"prompt": "a lamp", "width": 2049, "height": 4096, "steps": 51},
        {"prompt": "a lamp", "width": "64"},
        {"prompt": "a lamp", "width": 64.5, "height": 64.0},
        {"prompt": "a lamp", "height": True},
        {"prompt": "a lamp", "height": -1, "steps": 0},
        {"prompt": "a lamp", "steps": None},
        {"prompt": "a lamp", "workflow": "rr4"},
        {"prompt": "a lamp", "workflow": "Grok", "seed": -2},
        {"prompt": "a lamp", "workflow": 3},
        {"prompt": "a lamp", "seed": 1.5, "cfg": -0.1},
        {"prompt": "a lamp", "seed": "{digits:400}"},
        {"prompt": "a lamp", "seed": "{digits:1200}"},
        {"prompt": "a lamp", "cfg": "high", "model": 4, "negative_prompt": []},
        {"prompt": "a lamp", "extra": "{deep:99}"},
        {"prompt": "a lamp", "extra": "{deep:100}"},
        {"prompt": "a lamp", "extra": "{deep:150}"},
        {"prompt": {}},
        {"prompt": {"1": {"class_type": "", "inputs": {}}}},
        {"prompt": {"1": {"class_type": "A"}, "2": 5}},
        {"prompt": {"1": {"class_type": "A", "inputs": {"x": ["2", 0]}}}},
        {"prompt": {"1": {"class_type": "A", "inputs": {"x": ["1", 0]}}}},
        {"prompt": {"1": {"class_type": "A", "inputs": {"x": ["1"], "y": [1, -1], "z": ["1", 0, 0]}}}},
        {"prompt": "{fill:3000}", "width": 0},
        {"prompt": "a lamp", "api_key": 5, "width": []},
        {"prompt": "my key is {jkey:0}", "width": "{jkey:0}"},
    ),
    "image_editing": (
        {},
        {"prompt": "more light"},
        {"image": "{png}"},
        {"prompt": "more light", "image": "lamp.png"},
        {"prompt": "more light", "image": "blob:https://a.example/1"},
        {"prompt": "more light", "image": "[object Blob]"},
        {"prompt": "more light", "image": None},
        {"prompt": {"1": {}}, "image": "{png}"},
        {"prompt": "more light", "image": "https://a b"},
        {"prompt": "", "image": "data:image/png;base64,{png}", "seed": -5},
    ),
    "video_generation": (
        {"prompt": "light"},
        {"prompt": "light", "mode": "t3v"},
        {"prompt": "light", "mode": "i2v"},
        {"mode": "t2v"},
        {"prompt": "light", "mode": "t2v", "width": 9999, "height": 0},
        {"prompt": 1, "mode": None, "image": 2},
    ),
}

#: Bodies that are JSON and no object. Only sessions without a plan meet them: with one, the fake that was recorded
#: failed on them with a 500, which is no behaviour to keep.
VALUES: Final = ('["a lamp"]', '"a lamp"', "null", "7", "{deep:99}")

#: Bodies that are no JSON, or no proper one, as they are.
TEXTS: Final[tuple[Any, ...]] = (
    "",
    "   ",
    "a lamp",
    "{",
    '{"prompt": "a lamp"',
    '{"prompt": "a lamp"} {}',
    "{'prompt': 'a lamp'}",
    '{"prompt": a lamp}',
    "prompt=a+lamp&width=64",
    '{"prompt": "a", "prompt": "b"}',
    '{"prompt": "a", "cfg": NaN}',
    '{"prompt": "a", "cfg": Infinity, "seed": -Infinity}',
    '{"prompt": "a", "cfg": 1e999}',
    '{"prompt": "a", "width": 1e2}',
    '{"prompt": "\\ud800"}',
    '{"prompt": "\\ud83d\\ude00 \\u0000"}',
    '{"pr\\u006fmpt": "a lamp"}',
    '{"prompt": "a", "a\\udc00": 1, "x": {"y": {"y": 1, "y": 2}}}',
    '{"prompt": "a\ttab"}',
    "\ufeff{}",
    '\ufeff{"prompt": "a lamp"}',
    "{deep:101}",
    '{"api_key": "{jkey:0}", "prompt": ',
    {"base64": "/v8AewAiAHAAIg=="},
    {"base64": "eyJwcm9tcHQiOiAi/yJ9"},
    {"base64": "AHsAfQ=="},
    None,
)

#: Method, path, query and body of requests that no operation takes.
LOST: Final[tuple[tuple[str, str, str, str], ...]] = (
    ("GET", PATHS[0], "", ""),
    ("POST", PATHS[0], "", '{"prompt": "a lamp"}'),
    ("POST", PATHS[0], "", '{"endpoint": "image_generation", "prompt": "a lamp"}'),
    ("GET", PATHS[0], "endpoint=", ""),
    ("GET", PATHS[0], "endpoint=task_statuses", ""),
    ("GET", PATHS[1], "endpoint=nothing_like_it", ""),
    ("GET", PATHS[2], "endpont=task_status", ""),
    ("GET", PATHS[2], "action=user_balance", ""),
    ("GET", PATHS[0], "endpoint=task_status&endpoint=user_balance", ""),
    ("GET", PATHS[0], "endpoint=%74ask_status&task_id=", ""),
    ("GET", PATHS[0], "endpoint=task_status", ""),
    ("GET", PATHS[0], "endpoint=task_status&taskid=5", ""),
    ("GET", PATHS[0], "endpoint=user_balance&verbose=1", ""),
    ("POST", PATHS[0], "endpoint=task_status&task_id=5", "{}"),
    ("POST", PATHS[0], "endpoint=user_balance", "{}"),
    ("GET", PATHS[0], "endpoint=image_generation&prompt=a", ""),
    ("PUT", PATHS[0], "endpoint=image_editing", "{}"),
    ("DELETE", PATHS[0], "endpoint=video_generation", ""),
    ("HEAD", PATHS[0], "endpoint=user_balance", ""),
    ("OPTIONS", PATHS[0], "endpoint=image_generation", ""),
    ("OPTIONS", "*", "", ""),
    ("BREW", PATHS[0], "endpoint=user_balance", ""),
    ("GET", "/v1/index.php/", "endpoint=user_balance", ""),
    ("GET", "/v2/index.php", "endpoint=user_balance", ""),
    ("POST", "/v1/images/generations", "", '{"prompt": "a lamp"}'),
    ("POST", "/v1/image_generation", "", '{"prompt": "a lamp"}'),
    ("GET", "/favicon.ico", "", ""),
    ("GET", "/openapi.json", "", ""),
    ("GET", "/uploads/", "", ""),
    ("GET", "/uploads/0123456789abcdef/none.png", "", ""),
    ("POST", "/uploads/0123456789abcdef/none.png", "", "{}"),
    ("GET", "/elsewhere/uploads/0123456789abcdef/none.png", "", ""),
    ("GET", "/elsewhere", "endpoint=user_balance", ""),
    ("GET", "//v1/index.php", "endpoint=user_balance", ""),
    ("GET", "/%761/index.php", "endpoint=user_balance", ""),
    ("GET", "/key/{qkey:0}", "a={qkey:0}&b=sk-0123456789abcdef", ""),
    ("GET", "/{fill:900}", "", ""),
    ("GET", PATHS[0], "endpoint={fill:900}", ""),
)

_TYPES: Final = (
    "application/json; charset=utf-8",
    "text/plain",
    "",
    "application/x-www-form-urlencoded",
    "APPLICATION/JSON",
)


def document(dice: Dice, **beside: Any) -> Object:
    """A submit whose document breaks something."""
    operation = dice.pick(list(DOCUMENTS))
    return ask("POST", operation, document=dict(dice.pick(DOCUMENTS[operation])), **beside)


def text(dice: Dice, **beside: Any) -> Object:
    """A submit whose body is no proper JSON."""
    step = ask("POST", dice.pick(list(DOCUMENTS)), text=dice.pick(TEXTS), **beside)
    return {**step, "headers": {**step.get("headers", {}), "content-type": dice.pick(_TYPES)}}


def lost(dice: Dice, **beside: Any) -> Object:
    """A request that no operation takes."""
    return strayed(dice.pick(LOST), **beside)


def strayed(row: tuple[str, str, str, str], *, session: int = 0, **_: Any) -> Object:
    """A row of `LOST` as a step."""
    method, path, query, body = row
    return request(method, path, query, body, headers={**JSON, "x-api-key": f"{{key:{session}}}"})


def unknown_id(dice: Dice, **beside: Any) -> Object:
    """A poll of an id that no task has."""
    task_id = dice.pick(
        ["nobody", "123", "%20", "00000000-0000-4000-8000-000000000000", "sk-0123456789abcdef", "%C3%A4"]
    )
    return ask("GET", "task_status", parameters=f"task_id={task_id}", **beside)


#: All of them.
KINDS: Final[tuple[Callable[..., Object], ...]] = (document, text, lost, unknown_id)


def broken(dice: Dice, **beside: Any) -> Object:
    """A request that is wrong in one way or another."""
    return dice.pick(KINDS)(dice, **beside)
