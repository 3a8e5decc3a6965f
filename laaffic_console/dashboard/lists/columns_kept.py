"""Which columns of a list somebody sees: chosen in its dialog, kept for them alone."""

from django.contrib import admin, messages
from django.db.models import Model
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from laaffic_console.dashboard.lists.saved_filters import cleaned, list_asked_for, page_of
from laaffic_console.dashboard.models import HiddenColumns
from laaffic_console.kit.lists import list_columns
from laaffic_console.kit.words.people import signed_in


def hidden_from(request: HttpRequest, model: type[Model]) -> frozenset[str]:
    kept = HiddenColumns.objects.filter(owner_id=request.user.pk, list_of=model._meta.label_lower)
    return frozenset(name for names in kept.values_list("names", flat=True) for name in names)


@require_POST
def choose_view(request: HttpRequest) -> HttpResponse:
    """Show the ticked columns of a list and hide its others; *reset* shows them all."""
    user, model = signed_in(request), list_asked_for(request)
    kept = HiddenColumns.objects.filter(owner=user, list_of=model._meta.label_lower)
    hidden = [] if "reset" in request.POST else _left_out(request, model)
    if hidden:
        HiddenColumns.objects.update_or_create({"names": hidden}, owner=user, list_of=model._meta.label_lower)
        messages.success(request, _("The columns are kept for you."))
    else:
        kept.delete()
        messages.success(request, _("All columns are shown again."))
    query = cleaned(request.POST.get("query", ""))
    return HttpResponseRedirect(f"{page_of(model)}?{query}" if query else page_of(model))


def _left_out(request: HttpRequest, model: type[Model]) -> list[str]:
    columns = admin.site.get_model_admin(model).get_list_display(request)
    ticked = set(request.POST.getlist("column"))
    return [name for name in map(list_columns.name_of, columns) if name not in ticked]
