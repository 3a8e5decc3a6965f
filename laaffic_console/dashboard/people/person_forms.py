"""The forms of a person and of a role: roles with what they are for, and rights in a table, a row for each kind."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.auth.forms import ReadOnlyPasswordHashWidget
from django.contrib.auth.hashers import is_password_usable
from django.contrib.auth.models import Group, Permission, User
from django.db.models import QuerySet
from django.utils.html import format_html
from django.utils.translation import gettext, gettext_lazy
from unfold.forms import UserChangeForm, UserCreationForm
from unfold.widgets import UnfoldAdminEmailInputWidget

from laaffic_console.dashboard.people import permission_words
from laaffic_console.kit.words.role_words import OneRoleField, role_and_purpose
from laaffic_console.kit.words.visible_names import check_visible

VERBS = {"view": gettext_lazy("See"), "add": gettext_lazy("Add"), "change": gettext_lazy("Change"),
         "delete": gettext_lazy("Delete")}  # fmt: skip
FIRST = ("messaging", "voice", "numbers", "reports", "exporting", "gateway")


@dataclass
class Right:
    permission: Permission
    words: str
    is_given: bool


@dataclass
class Kind:
    """What may be done with the rows of one page."""

    name: str
    usual: list[Right | None] = field(default_factory=list)  # one for each of VERBS
    others: list[Right] = field(default_factory=list)


def shown_rights() -> QuerySet[Permission]:
    """The rights on what has a page. Others are on tables that no page shows: a form leaves them as they are."""
    pages = [model._meta for model in admin.site._registry]
    kinds = {(page.app_label, page.model_name) for page in pages}
    ordered = Permission.objects.select_related("content_type").order_by("content_type__app_label", "pk")
    wanted = [one.pk for one in ordered if (one.content_type.app_label, one.content_type.model) in kinds]
    return ordered.filter(pk__in=wanted)


class RightsTable(forms.CheckboxSelectMultiple):
    """Each right is a checkbox; those of one kind are in one row."""

    template_name = "console/rights.html"

    def get_context(self, name: str, value: Any, attrs: Any) -> dict[str, Any]:
        given = {str(one) for one in value or ()}
        rights = [choice[0].instance for choice in self.choices]  # type: ignore[union-attr]  # a model's choices
        context = {"name": name, "areas": list(areas(rights, given)), "verbs": VERBS.values()}
        return {"widget": context | {"is_hidden": False, "attrs": attrs or {}}}


def areas(rights: Iterable[Permission], given: set[str]) -> Iterator[tuple[str, list[Kind]]]:
    """(what the rights are about, its kinds) for each app, those of the day's work first."""
    by_app = sorted(rights, key=lambda one: (_place(one), one.content_type.app_label))
    for _label, of_app in groupby(by_app, key=lambda one: one.content_type.app_label):
        listed = sorted(of_app, key=lambda one: (gettext(one.content_type.name), one.content_type_id, one.pk))
        kinds = [_kind(list(of_kind), given) for _pk, of_kind in groupby(listed, key=lambda one: one.content_type_id)]
        yield permission_words.area(listed[0].content_type), kinds


def _place(right: Permission) -> int:
    label = right.content_type.app_label
    return FIRST.index(label) if label in FIRST else len(FIRST)


def _kind(rights: list[Permission], given: set[str]) -> Kind:
    by_verb = {verb: right for right in rights if (verb := permission_words.usual_verb(right)) in VERBS}
    told = {right.pk: Right(right, permission_words.right(right), str(right.pk) in given) for right in rights}
    name = permission_words.kind(rights[0].content_type)
    usual = [told[by_verb[verb].pk] if verb in by_verb else None for verb in VERBS]
    return Kind(name, usual, [told[right.pk] for right in rights if right not in by_verb.values()])


class RightsField(forms.ModelMultipleChoiceField):  # type: ignore[type-arg]  # takes none when it runs
    def __init__(self, **options: Any) -> None:
        options = {"widget": RightsTable, "required": False, "label": gettext_lazy("Rights")} | options
        super().__init__(Permission.objects.none(), **options)

    def label_from_instance(self, row: Any) -> str:
        return permission_words.permission(row)


class RoleForm(forms.ModelForm):  # type: ignore[type-arg]  # takes none when it runs
    permissions = RightsField()

    class Meta:
        model = Group
        fields = ("name", "permissions")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        offered: Any = self.fields["permissions"]
        offered.queryset = shown_rights()

    def clean_name(self) -> str:
        name: str = self.cleaned_data["name"]
        check_visible(name)
        return name

    def clean_permissions(self) -> QuerySet[Permission]:
        chosen = {one.pk for one in self.cleaned_data["permissions"]}
        if self.instance.pk:
            offered: Any = self.fields["permissions"]
            unseen = self.instance.permissions.exclude(pk__in=offered.queryset.values("pk"))
            chosen |= set(unseen.values_list("pk", flat=True))
        return Permission.objects.filter(pk__in=chosen)


class RolesField(forms.ModelMultipleChoiceField):  # type: ignore[type-arg]  # takes none when it runs
    """A checkbox for each role, with what it is for."""

    def __init__(self, **options: Any) -> None:
        usual = {"widget": forms.CheckboxSelectMultiple, "required": False, "label": gettext_lazy("Roles")}
        super().__init__(Group.objects.order_by("pk"), **usual | options)

    def label_from_instance(self, row: Any) -> str:
        return role_and_purpose(row)


# Django's own words are about its mechanism; these are about the person.
HELP = {
    "username": gettext_lazy("Up to 150 characters: letters, digits and @ . + - _"),
    "password2": gettext_lazy("The same once more."),
    "is_active": gettext_lazy(
        "May sign in. Switch it off instead of deleting somebody: what they did stays under their name."
    ),
    "is_staff": gettext_lazy("May open this console. Without it, signing in leads nowhere."),
    "is_superuser": gettext_lazy("May do everything, whatever the roles say."),
}


def explain(fields: dict[str, forms.Field]) -> None:
    for name, words in HELP.items():
        if name in fields:
            fields[name].help_text = words


class NewPersonForm(UserCreationForm):
    email = forms.EmailField(label=gettext_lazy("Email address"), required=False, widget=UnfoldAdminEmailInputWidget)
    role = OneRoleField()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Django's words for signing in without a password name ways that this console does not have."""
        super().__init__(*args, **kwargs)
        explain(self.fields)
        by: Any = self.fields["usable_password"]
        by.label = gettext_lazy("Signs in")
        by.choices = [("true", gettext_lazy("with a password")), ("false", gettext_lazy("without a password"))]
        by.help_text = gettext_lazy(
            "Without one: by your provider, or after an invitation by email, with which they choose a password."
        )

    def save(self, commit: bool = True) -> User:
        """Save the person as one who may sign in."""
        self.instance.is_staff = True
        person: User = super().save(commit)
        return person

    def _save_m2m(self) -> None:
        super()._save_m2m()
        self.instance.groups.add(self.cleaned_data["role"])


class IsSetWidget(ReadOnlyPasswordHashWidget):
    """Whether there is a password; Django shows how it is kept, with a part of its hash, which helps nobody here."""

    def get_context(self, name: str, value: Any, attrs: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context(name, value, attrs)
        is_set = is_password_usable(value)
        context["summary"] = [{"label": gettext("A password is set.") if is_set else gettext("No password is set.")}]
        return context


class PersonForm(UserChangeForm):
    groups = RolesField()
    user_permissions = RightsField(
        label=gettext_lazy("Rights beside the roles"),
        widget=forms.CheckboxSelectMultiple,
        help_text=gettext_lazy("Given to this person alone. Untick one to take it away."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        explain(self.fields)
        if "password" in self.fields:
            self.fields["password"].widget = IsSetWidget()
            self.fields["password"].help_text = format_html(
                '<a href="../password/" class="c-link">{}</a>', gettext("Set another password")
            )
        own: Any = self.fields.get("user_permissions")
        if own is not None:
            own.queryset = self.instance.user_permissions.select_related("content_type")

    def _get_validation_exclusions(self) -> set[str]:
        """A name that was not typed here is not refused here: invitations and providers give others than this form."""
        excluded: set[str] = super()._get_validation_exclusions()
        return excluded if "username" in self.changed_data else {*excluded, "username"}
