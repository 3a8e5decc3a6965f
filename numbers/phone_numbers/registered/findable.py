"""Rows of numbers that the search on every page finds."""

from django.db.models import Q
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from laaffic_console.kit.registers.search_kinds import Kind, Query, listed, register, rows_of
from phone_numbers.models import Binding, NumberPool, OwnedNumber
from phone_numbers.models.bindings import any_beginning_with


def register_all() -> None:
    register(
        Kind(
            "bindings",
            gettext_lazy("AXB bindings"),
            "link",
            "numbers.view_binding",
            rows_of(
                Binding.objects.all(),
                _bound,
                "numbers_binding_change",
                title=lambda row: row.shown_pair,
                subtitle=lambda row: f"{row.bind_id} · {_state(row)}",
            ),
            lambda query: listed("numbers_binding_changelist")(query) + "&state=all",
            place=26,
        )
    )
    register(
        Kind(
            "pools",
            gettext_lazy("Number pools"),
            "dialpad",
            "numbers.view_numberpool",
            rows_of(
                NumberPool.objects.all(), lambda query: _numbered(query, "pool_number"), "numbers_numberpool_change"
            ),
            listed("numbers_numberpool_changelist"),
            place=27,
        )
    )
    register(
        Kind(
            "owned-numbers",
            gettext_lazy("Owned numbers"),
            "sim_card",
            "numbers.view_ownednumber",
            rows_of(
                OwnedNumber.objects.all(),
                lambda query: _numbered(query, "number"),
                "numbers_ownednumber_change",
                subtitle=lambda row: row.remark or row.country,
            ),
            listed("numbers_ownednumber_changelist"),
            place=28,
        )
    )


def _state(row: Binding) -> str:
    return _("live") if row.is_live else row.get_ending_display()


def _bound(query: Query) -> Q:
    condition = Q(bind_id=query.text)
    if query.may_be_a_number:
        condition |= any_beginning_with(query.digits)
    return condition


def _numbered(query: Query, column: str) -> Q:
    """Rows with these digits in any part of the number; for short tables only."""
    return Q(**{f"{column}__contains": query.digits or query.text})
