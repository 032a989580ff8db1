"""Errors a user can cause. Each carries a sentence that says what was wrong, where, and what to do.

Anything that is not a :class:`UserError` is a bug of the program and is shown with its traceback.
"""


class UserError(Exception):
    """A mistake that the person at the screen can mend; ``str(error)`` is fit to be shown as it is."""


class SpecError(UserError):
    """A parameter out of range, an unknown field, or a TOML file that cannot be read."""


class DataError(UserError):
    """Data that is missing, truncated or does not fit together."""


class ModelError(UserError):
    """A model that cannot be built for this data."""


class TrainingError(UserError):
    """Training that cannot go on, such as a loss that is not a number."""


class AttackError(UserError):
    """An attack that cannot be carried out on this model and data."""


class ReconcileError(UserError):
    """A code that cannot be built, features without a direction, or helper data that do not fit."""


class SessionError(UserError):
    """A session file that cannot be opened or saved."""


class ReportError(UserError):
    """A report or export that cannot be written."""


class SweepError(UserError):
    """A sweep that cannot be opened, written or run."""
