"""Entries of numbers in the menu."""

from django.utils.translation import gettext_lazy as _

from laaffic_console.kit.registers import menu
from laaffic_console.kit.registers.menu import Group, Line


def register_all() -> None:
    menu.register(
        Group.NUMBERS,
        Line(_("AXB bindings"), "link", "numbers_binding_changelist", "numbers.view_binding"),
        Line(_("Number pools"), "dialpad", "numbers_numberpool_changelist", "numbers.view_numberpool"),
        Line(_("Owned numbers"), "sim_card", "numbers_ownednumber_changelist", "numbers.view_ownednumber"),
    )
