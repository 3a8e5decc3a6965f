"""Questions in the words of a partial index.

SQLite takes such an index only for a condition that says the same as the index's own, with the same constants: one that
follows from it, or has its values as parameters, is answered by reading every row.

    IS_OPEN = WordForWord(Q(state__in=["queued", "claimed"]))  # the index's condition
    Batch.objects.filter(IS_OPEN)
    Batch.objects.filter(IS_OPEN.implied, state="queued")
"""

from typing import Any

from django.db.models import BooleanField, ExpressionWrapper, Q


class WordForWord(ExpressionWrapper):  # type: ignore[type-arg]  # it takes none when it runs
    """A condition of constants of ours alone: they become part of the statement's text."""

    def __init__(self, condition: Q) -> None:
        super().__init__(condition, BooleanField())
        self._condition = condition

    @property
    def implied(self) -> "_Implied":
        """The condition, for use beside others from which it follows."""
        return _Implied(self._condition)

    def as_sql(self, compiler: Any, connection: Any) -> Any:
        sql, params = super().as_sql(compiler, connection)
        editor = connection.schema_editor(collect_sql=True)  # it wrote the index's own values
        return sql % tuple(str(editor.quote_value(value)).replace("%", "%%") for value in params), ()


class _Implied(WordForWord):
    def as_postgresql(self, compiler: Any, connection: Any) -> Any:
        """TRUE: PostgreSQL derives it, and would take it for one more condition, which fewer rows meet."""
        return "TRUE", ()
