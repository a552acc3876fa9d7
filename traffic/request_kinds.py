"""What people call the requests: the words of transcripts and plans."""

from typing import Final

from safelight.contracts import operations

#: Operation -> kind.
REQUEST_KINDS: Final = {
    **{name: "submit" for name, operation in operations().items() if operation.is_submit},
    "task_status": "poll",
    "upload": "image",
    "user_balance": "balance",
}

#: The kinds, each once.
WORDS: Final = tuple(dict.fromkeys(REQUEST_KINDS.values()))
