"""The one error of the launcher."""


class PostgresError(RuntimeError):
    """The embedded PostgreSQL cannot do what was asked; the text says why and what to do."""
