"""The format of HTTP archives, HAR 1.2, as a JSON Schema: from the specification at http://www.softwareishard.com/blog/har-12-spec/."""

from typing import Any, Final

_TEXT: Final = {"type": "string"}
_SIZE: Final = {"type": "integer", "minimum": -1}


def _object(required: dict[str, Any], **optional: Any) -> dict[str, Any]:
    """An object of the format: whatever else is in it begins with an underscore."""
    properties = {**required, **optional, "comment": _TEXT}
    return {
        "type": "object",
        "required": list(required),
        "properties": properties,
        "patternProperties": {"^_": True},
        "additionalProperties": False,
    }


def _list(items: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": items}


_NAMED: Final = _list(_object({"name": _TEXT, "value": _TEXT}))
_COOKIES: Final = _list(_object({"name": _TEXT, "value": _TEXT}))

_REQUEST: Final = _object(
    {
        "method": _TEXT,
        "url": {"type": "string", "format": "uri"},
        "httpVersion": _TEXT,
        "cookies": _COOKIES,
        "headers": _NAMED,
        "queryString": _NAMED,
        "headersSize": _SIZE,
        "bodySize": _SIZE,
    },
    postData=_object({"mimeType": _TEXT, "text": _TEXT}),
)

_RESPONSE: Final = _object(
    {
        "status": {"type": "integer", "minimum": 0},
        "statusText": _TEXT,
        "httpVersion": _TEXT,
        "cookies": _COOKIES,
        "headers": _NAMED,
        "content": _object(
            {"size": {"type": "integer", "minimum": 0}, "mimeType": _TEXT},
            compression={"type": "integer"},
            text=_TEXT,
            encoding=_TEXT,
        ),
        "redirectURL": _TEXT,
        "headersSize": _SIZE,
        "bodySize": _SIZE,
    }
)

_TIME: Final = {"type": "number", "minimum": 0}

_DATE: Final = {"type": "string", "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$"}

_PAGE: Final = _object({"startedDateTime": _DATE, "id": _TEXT, "title": _TEXT, "pageTimings": {"type": "object"}})

_ENTRY: Final = _object(
    {
        "startedDateTime": _DATE,
        "time": _TIME,
        "request": _REQUEST,
        "response": _RESPONSE,
        "cache": {"type": "object"},
        "timings": _object({"send": _TIME, "wait": _TIME, "receive": _TIME}),
    },
    pageref=_TEXT,
    serverIPAddress=_TEXT,
    connection=_TEXT,
)

HAR: Final = _object(
    {
        "log": _object(
            {
                "version": {"const": "1.2"},
                "creator": _object({"name": _TEXT, "version": _TEXT}),
                "entries": _list(_ENTRY),
            },
            browser=_object({"name": _TEXT, "version": _TEXT}),
            pages=_list(_PAGE),
        )
    }
)
