"""Groups of contacts: how many are in each, and what keeps one from being deleted."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, TypedDict

from django.contrib import admin
from django.db.models import OuterRef, QuerySet, Value
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from unfold.decorators import display

from laaffic_console.kit.admin.console_admin import ModelAdmin
from laaffic_console.kit.forms.shared_rows import SharedRowAdmin
from laaffic_console.kit.lists.paginator import COUNT_LIMIT, CountedTo, said_to
from messaging.models import ContactGroup, GroupMembership
from messaging.models.kept_while_used import filling, naming, using
from messaging.services.contacts import contacts

if TYPE_CHECKING:
    from django_stubs_ext import WithAnnotations

    class Members(TypedDict):
        n: int
        most: int

    CountedGroup = WithAnnotations[ContactGroup, Members]

COUNTED_IN_LIST = 100_000  # shared by the groups of a page: few groups are counted far, fifty to 2,000 each


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
        groups = super().get_queryset(request).filter(is_ad_hoc=False)
        return _counted(groups, _share(groups.order_by()[: self.list_per_page].count()))

    def get_list_display(self, request: HttpRequest) -> Any:
        shown = [str(column) for column in super().get_list_display(request)]
        if not request.user.has_perm("messaging.view_contact"):
            return shown
        return ["members_linked" if column == "members" else column for column in shown]

    @display(description=gettext_lazy("contacts"))
    def members_linked(self, group: "CountedGroup") -> str:
        address = f"{reverse('admin:messaging_contact_changelist')}?group={group.pk}"
        return format_html('<a class="c-link" href="{}">{}</a>', address, self.members(group))

    @display(description=gettext_lazy("contacts"))
    def members(self, group: "CountedGroup") -> str:
        return said_to(group.n, group.most)

    def get_deleted_objects(self, objs: "Sequence[ContactGroup] | QuerySet[ContactGroup]", request: HttpRequest) -> Any:
        """Counted as far as a list is, not listed: a group may have a million members."""
        chosen = ContactGroup.objects.filter(pk__in=[group.pk for group in objs])
        shown = [f"{group} ({_memberships(group.n)})" for group in _counted(chosen, COUNT_LIMIT)]
        kept_by = [
            _("campaign “%(name)s” (%(state)s)") % {"name": campaign, "state": campaign.get_state_display()}
            for campaign in using(objs)[:20]
        ]
        kept_by += [_("audience “%(name)s”") % {"name": audience} for audience in naming(objs)[:20]]
        kept_by += [_("import “%(name)s”") % {"name": job} for job in filling(objs)[:20]]
        kept_by += [str(group) for group in objs if not kept_by and group.campaigns.exists()]
        return shown, {str(self.opts.verbose_name_plural): len(shown)}, set(), kept_by

    def delete_model(self, request: HttpRequest, obj: ContactGroup) -> None:
        contacts.delete_group(obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[ContactGroup]) -> None:
        for group in list(queryset):
            contacts.delete_group(group)


def _share(groups: int) -> int:
    """How far each of a page's groups is counted: a round figure."""
    most = COUNTED_IN_LIST // max(groups, 1)
    unit: int = 10 ** (len(str(most)) - 1)
    return most // unit * unit


def _counted(groups: QuerySet[ContactGroup], most: int) -> "QuerySet[CountedGroup]":
    """Each group's own stretch of the index, as far as `most`: an import of millions keeps no counter."""
    members = GroupMembership.objects.filter(group=OuterRef("pk"))
    return groups.annotate(n=CountedTo(members, most), most=Value(most))


def _memberships(n: int) -> str:
    return ngettext("%(n)s membership", "%(n)s memberships", n) % {"n": said_to(n, COUNT_LIMIT)}
