"""What people call the requests: the words of stories and plans."""

from typing import Final

from safelight.contracts import operations

#: Operation -> deed.
DEEDS: Final = {
    **{name: "submit" for name, operation in operations().items() if operation.is_submit},
    "task_status": "poll",
    "upload": "image",
    "user_balance": "balance",
}

#: The deeds, each once.
WORDS: Final = tuple(dict.fromkeys(DEEDS.values()))
