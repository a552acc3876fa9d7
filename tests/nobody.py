"""A fake that nobody asks for anything: virtual time without a server."""


class Nobody:
    """A fake that nobody ever asks for anything."""

    def is_quiet(self) -> bool:
        return True

    def give_up(self) -> None:
        raise AssertionError("nothing is under way")

    def is_ours(self, port: int) -> bool:
        return port < 0
