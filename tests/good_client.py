"""Run the good client, as a driver."""

import sys

from liars.clients.client import Client, main

if __name__ == "__main__":
    sys.exit(main(Client))
