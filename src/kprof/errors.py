"""The exceptions that kprof raises on purpose.

Everything that a user can cause (a bad file, a missing permission, a full disk) is raised as a
`KprofError`. The command line prints its message on one line and leaves with its `exit_code`; a
library user catches it. Nothing here prints.
"""


class KprofError(Exception):
    """Base of all errors that kprof raises on purpose.

    Args:
        message: What went wrong, in one line.
        help_text: What to do next, in one line; empty if there is nothing to say.
    """

    exit_code = 1

    def __init__(self, message: str, help_text: str = "") -> None:
        super().__init__(message)
        self.help_text = help_text
        if help_text:
            # A notebook, and every other traceback, shows it below the message.
            self.add_note(help_text)


class FormatError(KprofError):
    """The input is damaged, or is in a format that kprof does not read."""

    exit_code = 2


class UsageError(KprofError):
    """The request makes no sense as it stands (unknown event, output that already exists)."""

    exit_code = 2


class EmptyProfileError(KprofError):
    """There was nothing to show: no samples were recorded, or a filter removed all of them."""

    exit_code = 1


class GateError(KprofError):
    """A rule that the data had to keep is broken."""

    exit_code = 1


class OutputError(KprofError):
    """The output could not be written (full disk, no permission, missing directory)."""

    exit_code = 1


class NotAvailableError(KprofError):
    """This host does not permit or does not have what was asked for."""

    exit_code = 3


class TargetError(KprofError):
    """The process, thread or command to profile does not exist."""

    exit_code = 2
