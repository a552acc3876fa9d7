"""What ends a command before it begins: one sentence, exit code 2, no traceback."""

import click


class Unusable(click.ClickException):
    """The command cannot begin, and says why."""

    exit_code = 2
