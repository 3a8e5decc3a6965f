"""Groups of contacts: how many are in each, and what keeps one from being deleted."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, TypedDict

from django.contrib import admin
from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from unfold.decorators import display

from laaffic_console.kit.console_admin import ModelAdmin
from laaffic_console.kit.figures import number
from laaffic_console.kit.shared_rows import SharedRowAdmin
from messaging.models import ContactGroup, GroupMembership
from messaging.models.kept_while_used import using
from messaging.services.contacts import contacts

if TYPE_CHECKING:
    from django_stubs_ext import WithAnnotations

    class Members(TypedDict):
        n: int

    CountedGroup = WithAnnotations[ContactGroup, Members]


@admin.register(ContactGroup)
class ContactGroupAdmin(SharedRowAdmin, ModelAdmin):
    when_empty = gettext_lazy(
        "A campaign goes to groups. Import a list into a new group, or make one and fill it from the contacts."
    )
    list_display = ["name", "members", "description", "created_at"]
    search_fields = ["name"]
    fields = ["name", "description"]
    list_per_page = 50

    def get_queryset(self, request: HttpRequest) -> QuerySet[ContactGroup]:
        # Each group's own stretch of the index is counted: a join would sort everybody's memberships.
        members = GroupMembership.objects.filter(group=OuterRef("pk")).order_by().values("group").annotate(n=Count("*"))
        groups = super().get_queryset(request).filter(is_ad_hoc=False)
        return groups.annotate(n=Coalesce(Subquery(members.values("n")), 0))

    @display(description=gettext_lazy("contacts"))
    def members(self, group: "CountedGroup") -> str:
        return number(group.n)

    def get_deleted_objects(self, objs: "Sequence[CountedGroup] | QuerySet[CountedGroup]", request: HttpRequest) -> Any:
        """Counted, not listed: a group may have a million members."""
        shown = [f"{group} ({_memberships(group.n)})" for group in objs]
        kept_by = [
            _("campaign “%(name)s” (%(state)s)") % {"name": campaign, "state": campaign.get_state_display()}
            for campaign in using(objs)[:20]
        ]
        kept_by += [str(group) for group in objs if not kept_by and group.campaigns.exists()]
        return shown, {str(self.opts.verbose_name_plural): len(shown)}, set(), kept_by

    def delete_model(self, request: HttpRequest, obj: ContactGroup) -> None:
        contacts.delete_group(obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[ContactGroup]) -> None:
        for group in list(queryset):
            contacts.delete_group(group)


def _memberships(n: int) -> str:
    return ngettext("%(n)s membership", "%(n)s memberships", n) % {"n": number(n)}
