"""What ends a command before it begins, or before it has come to a verdict: one sentence, no traceback."""

import click


class Stopped(click.ClickException):
    """Somebody has ended a judge before it had a verdict."""

    exit_code = 3


class Unusable(click.ClickException):
    """The command cannot begin, and says why."""

    exit_code = 2
