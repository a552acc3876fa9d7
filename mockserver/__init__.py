"""The fake: a core without I/O, the transports to it, and the settings of its sessions."""
