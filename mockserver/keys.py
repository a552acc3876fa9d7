"""The key that the fake accepts unless it is told another one."""

from typing import Final

#: In the published form, `sk-` and 48 hexadecimal digits, and plainly nobody's.
FAKE_KEY: Final = "sk-" + 12 * "5afe"
