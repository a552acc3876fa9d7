"""What people call the requests: the words of stories and plans."""

from typing import Final

#: Operation -> deed.
DEEDS: Final = {"image_generation": "submit", "task_status": "poll", "upload": "image", "user_balance": "balance"}
