"""A fake without a server, for tests of virtual time alone."""

from math import inf


class IdleFake:
    """A fake that nobody ever asks for anything."""

    def is_quiet(self) -> bool:
        return True

    def next_end(self) -> float:
        return inf

    def pass_time(self, seconds: float) -> None:
        pass

    def give_up(self) -> None:
        raise AssertionError("nothing is under way")

    def is_ours(self, port: int) -> bool:
        return port < 0
