"""The command `safelight`. One module a command; `main` finds them by listing this folder."""
