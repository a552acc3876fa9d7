"""The envelope of a reply opened, changed and closed again, for faults of what it carries."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from safelight.mockserver.model.messages import encoded

if TYPE_CHECKING:
    from collections.abc import Callable

    from safelight.mockserver.model.messages import Reply

#: Stands for a field that is there no longer.
REMOVED: Final = object()


def is_object(reply: Reply) -> bool:
    """The reply carries a JSON object."""
    return reply.media_type == "application/json" and reply.body.startswith(b"{")


def rewritten(reply: Reply, change: Callable[[dict[str, Any]], Any]) -> Reply:
    """The reply with its JSON object changed; what carries none stays as it is."""
    return reply._replace(body=encoded(change(json.loads(reply.body)))) if is_object(reply) else reply


def with_field(reply: Reply, name: str, change: Callable[[Any], Any]) -> Reply:
    """The reply with this field of its data changed; where it has none, it stays as it is."""
    return rewritten(reply, lambda document: {**document, "data": _changed(document.get("data"), name, change)})


def _changed(data: Any, name: str, change: Callable[[Any], Any]) -> Any:
    if not isinstance(data, dict) or name not in data:
        return data
    return {field: value for field, value in {**data, name: change(data[name])}.items() if value is not REMOVED}
