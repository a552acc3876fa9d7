"""The database in which searches share what they have found."""

from __future__ import annotations

from safelight.cli._store import shown_place
from safelight.cli._unusable import Unusable
from safelight.conformance.clients.sharing import SharedStories

#: Seconds after which Redis is taken to be gone. The search goes on without it.
_TIMEOUT_SECONDS = 2.5


def shared_stories(url: str) -> SharedStories:
    """The stories in a Redis, or `Unusable`."""
    try:
        from hypothesis.extra.redis import RedisExampleDatabase  # noqa: PLC0415 - who shares nothing does without it
        from redis import Redis  # noqa: PLC0415 - as above
        from redis.backoff import NoBackoff  # noqa: PLC0415 - as above
        from redis.exceptions import RedisError  # noqa: PLC0415 - as above
        from redis.retry import Retry  # noqa: PLC0415 - as above
    except ModuleNotFoundError:
        raise Unusable("--database: the package redis is missing: pip install redis") from None
    try:
        limits = {"socket_timeout": _TIMEOUT_SECONDS, "socket_connect_timeout": _TIMEOUT_SECONDS}
        client = Redis.from_url(url, retry=Retry(NoBackoff(), 1), **limits)
        client.ping()
    except (RedisError, OSError, ValueError) as error:
        raise Unusable(f"--database {shown_place(url)}: {error}") from None
    return SharedStories(RedisExampleDatabase(client, key_prefix=b"safelight:"), (RedisError, OSError))
