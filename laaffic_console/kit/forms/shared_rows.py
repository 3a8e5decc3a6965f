"""A row that two people edit at once: the last to save is told what the other has changed, and nothing typed is lost.

A form carries what it was shown with, as a signed digest a field. When it comes back the row is locked and compared:
what another has saved since is shown, field by field, and the form stays as it was typed. Sent once more, it is saved.

Under the same lock it is asked again whether the row may be edited at all, and only the form's own columns are written:
what the console itself has written since the row was read (a state, a launch, a count) stays.
"""

import copy
import datetime as dt
import json
from collections.abc import Mapping
from typing import Any, ClassVar

from django import forms
from django.core import signing
from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.forms.models import ModelChoiceField
from django.http import HttpRequest
from django.utils import timezone
from django.utils.crypto import salted_hmac
from django.utils.formats import localize
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from laaffic_console.kit.forms.form_fields import choices_of
from laaffic_console.kit.generics import BesideModelAdmin, BesideModelForm

SEEN = "_seen"
SALT = "what a form was shown with"
Digests = dict[str, str]


class SeenForm(BesideModelForm):
    """Mixin for a ModelForm; its page writes `{{ form.seen }}` within the form. A form without it is not compared."""

    # Written by the console itself, no matter who edits.
    unwatched: ClassVar[tuple[str, ...]] = ("last_login", "password")
    is_overtaken = False

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._was = copy.deepcopy(_columns(self.instance))

    def is_open(self, row: Any) -> bool:
        """Whether the row, as it is stored now, may be edited."""
        return True

    def own_columns(self) -> list[str]:
        """The form's fields, what was set along with them since the row was read, and when."""
        row = self.instance
        now = _columns(row)
        set_since = {name for name, value in self._was.items() if now.get(name) != value}
        asked = {name for name, field in self.fields.items() if not field.disabled}
        return [
            field.name
            for field in row._meta.concrete_fields
            if field.name in asked or field.attname in set_since or getattr(field, "auto_now", False)
            if not field.primary_key and field.name not in self.unwatched
        ]

    def save(self, commit: bool = True) -> Any:
        if not commit or self.instance.pk is None:
            return super().save(commit)
        super().save(commit=False)
        self.instance.save(update_fields=self.own_columns())
        self._save_m2m()  # type: ignore[attr-defined]
        return self.instance

    def again(self) -> dict[str, Any]:
        """The arguments that the form is made with beside its row."""
        return {}

    @property
    def seen_token(self) -> str:
        """The values that the row was shown with, as digests in a signed token; "" for a new row."""
        if self.instance.pk is None:
            return ""
        sent = self.data.get(SEEN, "") if self.is_bound and not self.is_overtaken else ""
        fresh = None if sent else self._fresh()
        return sent or (signing.dumps(self._digests(fresh), salt=SALT) if fresh else "")

    @property
    def seen(self) -> SafeString | str:
        token = self.seen_token
        return token and format_html('<input type="hidden" name="{}" value="{}">', SEEN, token)

    def full_clean(self) -> None:
        super().full_clean()
        if self.is_bound and self.instance.pk:
            self.compare()

    def compare(self) -> bool:
        """Lock the row until the transaction ends; whether it is still what this form was shown with."""
        with transaction.atomic():
            fresh = self._fresh(lock=True)
        if fresh is None or not self.is_open(fresh.instance):
            return self._closed(is_there=fresh is not None)
        shown = _read(self.data.get(SEEN, ""), str(self.instance.pk))
        if shown is None or self.is_overtaken:
            return not self.is_overtaken
        now = self._digests(fresh)
        changed = [name for name in now if name in shown and now[name] != shown[name]]
        if changed:
            self.is_overtaken = True
            self._say(fresh, changed, shown)
        return not changed

    def _closed(self, *, is_there: bool) -> bool:
        said = _("It has been launched or assigned to somebody else in the meantime. Your changes were not saved.")
        deleted = _("It has been deleted in the meantime. Your changes were not saved.")
        self.add_error(None, said if is_there else deleted)
        return False

    def _fresh(self, *, lock: bool = False) -> Any:
        """This form for the row as it is stored now; None when the row is gone."""
        rows = type(self.instance)._base_manager.all()
        row = (rows.select_for_update(of=("self",)) if lock else rows).filter(pk=self.instance.pk).first()
        return None if row is None else type(self)(instance=row, **self.again())

    def _digests(self, form: Any) -> Digests:
        watched = {
            name: field
            for name, field in form.fields.items()
            if name not in self.unwatched and not field.disabled and not isinstance(field, forms.FileField)
        }
        pk = {"": str(form.instance.pk)}  # a token belongs to its row
        return pk | {name: digest_of(form.get_initial_for_field(field, name)) for name, field in watched.items()}

    def _say(self, fresh: Any, changed: list[str], shown: Digests) -> None:
        """Show the form again: untouched fields take the stored value; what was typed stays, beside what is stored."""
        self.data = copy.deepcopy(self.data)
        overtaken = _(
            "Somebody else has saved this in the meantime. Your changes are not saved yet: check them and save again."
        )
        said = [overtaken]
        for name in changed:
            field, theirs = fresh.fields[name], fresh.get_initial_for_field(fresh.fields[name], name)
            words = {"field": field.label or name, "theirs": in_words(field, theirs)}
            if name in self.cleaned_data and digest_of(self.cleaned_data[name]) == shown[name]:
                _put(self.data, self.add_prefix(name), field.widget, field.prepare_value(theirs))
                said.append(_("%(field)s: now “%(theirs)s”. You had not changed it, so that is taken over.") % words)
            else:
                words["yours"] = in_words(field, self.cleaned_data.get(name, self.data.get(self.add_prefix(name))))
                said.append(_("%(field)s: stored is “%(theirs)s”, yours is “%(yours)s”.") % words)
        self.add_error(None, ValidationError(said))


class SharedRowAdmin(BesideModelAdmin):
    """Mixin for a ModelAdmin whose rows more than one person may edit."""

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        form = super().get_form(request, obj, change=change, **kwargs)
        if obj is None:
            return form
        bases = (form,) if issubclass(form, SeenForm) else (SeenForm, form)
        may_change = {"is_open": lambda _form, row: self.has_change_permission(request, row)}
        return type(form.__name__, bases, may_change)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        if change and isinstance(form, SeenForm):
            obj.save(update_fields=form.own_columns())
        else:
            super().save_model(request, obj, form, change)


def _columns(row: Any) -> dict[str, Any]:
    """{column: value} of the columns that were read."""
    return {
        field.attname: row.__dict__[field.attname]
        for field in row._meta.concrete_fields
        if field.attname in row.__dict__
    }


def _read(token: str, pk: str) -> Digests | None:
    """The digests in the token; None without a token, or with one for another row."""
    try:
        shown: Digests = signing.loads(token, salt=SALT)
    except signing.BadSignature:
        return None
    return shown if shown.get("") == pk else None


def digest_of(value: Any) -> str:
    """A digest that a page may carry of a value: nobody can tell the value by it."""
    said = json.dumps(_plain(value), sort_keys=True, default=str)
    return salted_hmac(SALT, said).hexdigest()[:16]


def _plain(value: Any) -> Any:
    """One form for a field's initial value and for what comes back when nobody has touched it, to compare them."""
    if isinstance(value, models.Model):
        return str(value.pk)
    if isinstance(value, dt.datetime):
        aware = value if timezone.is_aware(value) else timezone.make_aware(value)
        return aware.astimezone(dt.UTC).replace(microsecond=0).isoformat()
    if isinstance(value, Mapping):
        return {str(key): _plain(part) for key, part in value.items()}
    if isinstance(value, models.QuerySet | list | tuple | set):
        return sorted(str(_plain(part)) for part in value)
    return "" if value is None else str(value)


def in_words(field: forms.Field, value: Any) -> str:
    """A value as people read it: choices and rows by their names, and as a field says it itself (`kept_words`)."""
    if isinstance(value, str) and value and (words := getattr(field, "kept_words", None)):
        return str(words(value))
    if isinstance(value, models.QuerySet | list | tuple | set):
        return ", ".join(in_words(field, part) for part in value) or "–"
    if isinstance(field, ModelChoiceField) and value not in (None, "") and not isinstance(value, models.Model):
        rows = field.queryset
        value = (rows is not None and rows.filter(pk=value).first()) or value
    elif isinstance(field, forms.ChoiceField):
        value = {str(key): label for key, label in choices_of(field)}.get(str(value), value)
    if isinstance(value, dt.datetime) and timezone.is_aware(value):
        value = timezone.localtime(value)
    return "–" if value in (None, "") else str(localize(value))[:300]


def _put(data: Any, name: str, widget: forms.Widget, value: Any) -> None:
    """Put the value into posted data, as this widget would have sent it."""
    widget = getattr(widget, "widget", widget)  # the admin wraps those of other rows
    if isinstance(widget, forms.MultiWidget):
        endings: list[str] = widget.widgets_names  # type: ignore[attr-defined]
        for part, ending, one in zip(widget.widgets, endings, widget.decompress(value) or (), strict=True):
            _put(data, name + ending, part, one)
    elif isinstance(widget, forms.CheckboxInput):
        data.setlist(name, ["on"] if value else [])
    else:
        shown = widget.format_value(value)
        parts = shown if isinstance(shown, list | tuple) else [shown]
        data.setlist(name, ["" if part is None else str(part) for part in parts])
