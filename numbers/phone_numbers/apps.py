"""The app of bindings, pools and owned numbers."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class NumbersConfig(AppConfig):
    name = "phone_numbers"
    label = "numbers"
    verbose_name = _("Numbers")

    def ready(self) -> None:
        from laaffic_console.gateway.services.ledger import subjects
        from laaffic_console.gateway.services.work import bell
        from phone_numbers import meanings
        from phone_numbers.models import BindingRequest, NumberPool, OwnedNumber
        from phone_numbers.registered import console_entries, export_kinds, findable, person_entries
        from phone_numbers.services.syncing import COPIES

        subjects.register({"binding request": BindingRequest, "number pool": NumberPool, "owned number": OwnedNumber})
        export_kinds.register_all()
        findable.register_all()
        console_entries.register_all()
        meanings.register_all()
        person_entries.register_all()
        bell.sweep_with("phone_numbers.jobs.sweep")
        COPIES.may_take_long()
