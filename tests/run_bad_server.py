"""Serve one bad server on loopback: `python tests/run_bad_server.py accepts-a-width-of-2049 --port 8123`.

It prints its entry point, and serves until it is interrupted. Its key is SAFELIGHT_API_KEY, or that of the fake.
Without a name it lists all bad servers, the checks that have to catch them, and their defects.
"""

import argparse
import signal

from liars.servers import (  # noqa: F401 - each registers its own
    auth,
    bodies,
    dispatch,
    lifecycle,
    money,
    outages,
    pictures,
    reading,
    submits,
    validation,
)
from liars.servers.server import DEFECTS, GOOD, bad_server

__all__ = ["DEFECTS", "GOOD", "bad_server"]


def main() -> None:
    """Serve, or list."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("name", nargs="?", choices=[GOOD.name, *DEFECTS], metavar="NAME")
    options.add_argument("--port", type=int, default=0, help="0, which is the default, takes a free one")
    chosen = options.parse_args()
    if chosen.name is None:
        for one in DEFECTS.values():
            print(f"{one.name:<40} {', '.join(one.checks):<20} {one.sentence}")  # noqa: T201 - what it is for
        return
    signals = {signal.SIGINT, signal.SIGTERM}
    signal.pthread_sigmask(signal.SIG_BLOCK, signals)
    with bad_server(chosen.name, port=chosen.port) as server:
        print(server.url, flush=True)  # noqa: T201 - as above
        signal.sigwait(signals)


if __name__ == "__main__":
    main()
