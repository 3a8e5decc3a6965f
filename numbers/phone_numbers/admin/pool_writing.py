"""Changing a pool: the form, the difference to what Laaffic holds, the typed number; and taking over what differs."""

from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.widgets import UnfoldBooleanSwitchWidget

from laaffic_console.gateway.models import EntryState
from laaffic_console.kit.forms.file_input import FileInput
from laaffic_console.kit.forms.kept_forms import asks
from laaffic_console.kit.masking.refusals_said import say_why
from laaffic_console.kit.pages import add_problems, own_page, page, page_of, require
from laaffic_console.kit.words.people import signed_in
from phone_numbers import number_lists
from phone_numbers.admin.sync_panel import SyncedListAdmin
from phone_numbers.models import NumberPool, PoolVersion
from phone_numbers.pool_config import MAX_CONCURRENCY, PoolConfig, difference
from phone_numbers.services import pool_changes


class PoolForm(forms.Form):
    """The fields of editNumberPool. The service reads them and names every field that is wrong."""

    pool_number = forms.CharField(
        label=gettext_lazy("Pool number"),
        required=False,
        help_text=gettext_lazy("The virtual number that callers of this pool show: 1 to 20 characters."),
    )
    whitelist = forms.CharField(
        label=gettext_lazy("Addresses that may call"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 3, "spellcheck": "false", "class": "c-mono"}),
        help_text=gettext_lazy("IPv4 addresses with commas between; 200 characters at most."),
    )
    max_concurrency = forms.IntegerField(
        label=gettext_lazy("Concurrent calls"),
        required=False,
        widget=forms.NumberInput(attrs={"min": 0, "max": MAX_CONCURRENCY}),
        help_text=gettext_lazy("Calls at the same time: 0 to 9,999."),
    )
    numbers = forms.CharField(
        label=gettext_lazy("Numbers"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 8, "spellcheck": "false", "class": "c-mono"}),
        help_text=gettext_lazy(
            "One a line, with country code: 7 to 15 digits. This is the whole list, not an addition."
        ),
    )
    file = forms.FileField(
        label=gettext_lazy("… and those of a CSV file"),
        required=False,
        allow_empty_file=True,
        widget=FileInput(),
        help_text=gettext_lazy("A column called “number”, or one column without a header."),
    )
    at_laaffic = forms.BooleanField(
        label=gettext_lazy("Laaffic has this pool already"),
        required=False,
        widget=UnfoldBooleanSwitchWidget,
        help_text=gettext_lazy(
            "Only for a pool that Laaffic does not list here: all its settings are replaced by these."
        ),
    )
    typed = forms.CharField(label=gettext_lazy("Type the pool’s number to confirm"), required=False)
    seen_version = forms.IntegerField(required=False, widget=forms.HiddenInput)
    seen_listed = forms.CharField(required=False, max_length=64, widget=forms.HiddenInput)


def as_initial(config: PoolConfig) -> dict[str, Any]:
    return {
        "pool_number": config.pool_number,
        "whitelist": ", ".join(config.addresses),
        "max_concurrency": config.max_concurrency,
        "numbers": "\n".join(config.numbers),
    }


class PoolWriting(SyncedListAdmin):
    @asks(PoolForm, "numbers.apply_numberpool")
    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        require(request, "numbers.add_numberpool", "numbers.apply_numberpool")
        return self._write(request, None, _("New number pool"))

    @asks(PoolForm, "numbers.apply_numberpool")
    def edit_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        require(request, "numbers.change_numberpool", "numbers.apply_numberpool")
        pool = self._get(pk)
        return self._write(request, pool, _("Edit pool %(number)s") % {"number": pool.pool_number})

    def version_view(self, request: HttpRequest, pk: int, number: int) -> HttpResponse:
        """Apply an earlier version, with the same difference and the same confirmation."""
        require(request, "numbers.change_numberpool", "numbers.apply_numberpool")
        pool = self._get(pk)
        version = pool.versions.filter(number=number).first()
        if version is None:
            raise Http404
        title = _("Apply version %(n)d of %(pool)s") % {"n": number, "pool": pool.pool_number}
        form = PoolForm(request.POST or None, initial=as_seen(pool))
        if form.is_bound and form.is_valid():
            try:
                sent = pool_changes.apply_version(
                    version,
                    typed=form.cleaned_data["typed"],
                    seen_version=form.cleaned_data["seen_version"],
                    seen_listed=form.cleaned_data["seen_listed"],
                    by=signed_in(request),
                )
            except ValidationError as problem:
                again, form = self._look_again(pk, form, problem)
                pool = again or pool
            else:
                return self._to_what_came(request, sent)
        proposal = pool_changes.Proposal(version.config)
        return self._confirmation(request, pool, form, proposal, title, version=version)

    def adopt_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        require(request, "numbers.change_numberpool")
        if request.method != "POST":
            raise Http404
        pool = self._get(pk)
        try:
            pool_changes.adopt(pool, seen_listed=request.POST.get("seen_listed", ""), by=signed_in(request))
        except ValidationError as problem:
            say_why(request, problem)
        else:
            messages.success(request, _("Taken over: what Laaffic holds is ours now."))
        return HttpResponseRedirect(own_page(pool))

    # Writing: a form, the difference, the typed number

    def _write(self, request: HttpRequest, pool: NumberPool | None, title: str) -> HttpResponse:
        if request.method != "POST":
            return self._form_page(request, pool, self._fresh_form(pool), title)
        form = PoolForm(request.POST, request.FILES)
        step = request.POST.get("step", "look")
        if not form.is_valid() or step == "back":
            return self._form_page(request, pool, self._typed_form(form) if step == "back" else form, title)
        try:
            proposal = read_proposal(form, pool)
        except ValidationError as problem:
            add_problems(form, problem)
            return self._form_page(request, pool, form, title)
        if step == "apply":
            return self._apply(request, pool, form, proposal, title)
        proposal, theirs = self._taking_over(request, pool, form, proposal)
        if pool is not None and not pool_changes.difference_to_held(pool, proposal.config):
            form.add_error(None, _("Laaffic holds exactly this already: there is nothing to change."))
            return self._form_page(request, pool, form, title)
        kept = self._kept(pool, form, proposal)
        if theirs is not None:
            kept |= {"seen_version": theirs.pk}
        return self._confirmation(request, pool, PoolForm(initial=kept), proposal, title)

    def _apply(
        self,
        request: HttpRequest,
        pool: NumberPool | None,
        form: PoolForm,
        proposal: pool_changes.Proposal,
        title: str,
    ) -> HttpResponse:
        typed = form.cleaned_data["typed"]
        try:
            if pool is None:
                sent = pool_changes.create(
                    proposal.config,
                    typed=typed,
                    is_at_laaffic=form.cleaned_data["at_laaffic"],
                    by=signed_in(request),
                )
            else:
                sent = pool_changes.apply(
                    pool,
                    proposal.config,
                    typed=typed,
                    seen_version=form.cleaned_data["seen_version"],
                    seen_listed=form.cleaned_data["seen_listed"],
                    by=signed_in(request),
                )
        except ValidationError as problem:
            pool, again = self._look_again(pool.pk if pool else None, form, problem)
            proposal, _theirs = self._taking_over(request, pool, form, proposal)
            return self._confirmation(request, pool, again, proposal, title)
        return self._to_what_came(request, sent)

    def _fresh_form(self, pool: NumberPool | None) -> PoolForm:
        if pool is None:
            return PoolForm()
        config = pool.current.config if pool.current else pool.listed
        initial = as_initial(config) if config else {"pool_number": pool.pool_number}
        return PoolForm(initial={**initial, "seen_version": pool_changes.version_as_shown(pool)})

    def _typed_form(self, form: PoolForm) -> PoolForm:
        return PoolForm(initial={name: form.data.get(name, "") for name in form.fields if name != "typed"})

    def _taking_over(
        self, request: HttpRequest, pool: NumberPool | None, form: PoolForm, proposal: pool_changes.Proposal
    ) -> tuple[pool_changes.Proposal, PoolVersion | None]:
        """Take over another's version before the next page shows it and it counts as seen."""
        if pool is None:
            return proposal, None
        merged, theirs = pool_changes.taking_over(pool, proposal, form.cleaned_data["seen_version"])
        if theirs is not None:
            messages.warning(request, taken_over_from(theirs))
        return merged, theirs

    def _kept(self, pool: NumberPool | None, form: PoolForm, proposal: pool_changes.Proposal) -> dict[str, Any]:
        """The next form's fields: the proposal, the version that this one was filled from, what Laaffic holds now."""
        seen = as_seen(pool) | {"seen_version": form.cleaned_data["seen_version"]}
        return {**as_initial(proposal.config), **seen, "at_laaffic": form.cleaned_data["at_laaffic"]}

    def _look_again(
        self, pk: int | None, form: PoolForm, problem: ValidationError
    ) -> tuple[NumberPool | None, PoolForm]:
        """Draw the difference again, so that what counts as seen is what this page shows."""
        pool = self._get(pk) if pk is not None else None
        again = PoolForm({name: form.data[name] for name in form.data} | as_seen(pool))
        add_problems(again, problem)
        return pool, again

    def _form_page(self, request: HttpRequest, pool: NumberPool | None, form: PoolForm, title: str) -> HttpResponse:
        drifted = pool is not None and pool.drifted_at is not None
        taken = taken_by(form)
        return page(self, request, "numbers/pool_form.html", title, form=form, pool=pool, drifted=drifted, taken=taken)

    def _confirmation(
        self,
        request: HttpRequest,
        pool: NumberPool | None,
        form: PoolForm,
        proposal: pool_changes.Proposal,
        title: str,
        version: PoolVersion | None = None,
    ) -> HttpResponse:
        held = pool.listed if pool else None
        replaces = pool is None and form["at_laaffic"].value() in (True, "True", "on")
        return page(
            self,
            request,
            "numbers/pool_confirm.html",
            title,
            form=form,
            pool=pool,
            taken=taken_by(form),
            version=version,
            kept=as_initial(proposal.config) | ({} if held or version else {"at_laaffic": replaces}),
            change=difference(held, proposal.config),
            is_new=held is None and not replaces,
            proposal=proposal,
            to_type=held.pool_number if held else proposal.config.pool_number,
            shown_doubles=pool_changes.names_in(proposal.duplicate_numbers),
        )

    def _to_what_came(self, request: HttpRequest, sent: PoolVersion) -> HttpResponse:
        if sent.entry is not None and sent.entry.state == EntryState.ACCEPTED:
            messages.success(request, _("Laaffic has accepted version %(n)d.") % {"n": sent.number})
        else:
            messages.warning(
                request,
                _(
                    "Laaffic's answer was lost: whether version %(n)d was applied is not known. "
                    "It is not sent again; Laaffic’s list will show it soon."
                )
                % {"n": sent.number},
            )
        return HttpResponseRedirect(page_of(NumberPool, sent.pool_id))

    def _get(self, pk: int) -> NumberPool:
        return get_object_or_404(NumberPool.objects.select_related("current"), pk=pk)


def read_proposal(form: PoolForm, pool: NumberPool | None) -> pool_changes.Proposal:
    given = form.cleaned_data
    file = given["file"]
    return pool_changes.read(
        pool_number=given["pool_number"],
        whitelist=given["whitelist"],
        max_concurrency=given["max_concurrency"],
        numbers=given["numbers"],
        file=file.read(number_lists.MAX_FILE + 1) if file else None,
        pool=pool,
    )


def taken_over_from(theirs: PoolVersion) -> str:
    return _(
        "%(who)s has changed this pool in the meantime (version %(n)d). What you had not changed is as they have made "
        "it: look at the difference."
    ) % {"who": theirs.created_by or _("Laaffic"), "n": theirs.number}


def taken_by(form: PoolForm) -> NumberPool | None:
    """The pool that has the number which was typed for another pool."""
    if not form.has_error("pool_number", pool_changes.TAKEN):
        return None
    return NumberPool.objects.filter(pool_number=form.data["pool_number"].strip(), gone_at=None).first()


def as_seen(pool: NumberPool | None) -> dict[str, Any]:
    """What a page shows of a pool, for the next step to compare."""
    if pool is None:
        return {}
    return {
        "seen_version": pool_changes.version_as_shown(pool),
        "seen_listed": pool_changes.listed_as_shown(pool),
    }
