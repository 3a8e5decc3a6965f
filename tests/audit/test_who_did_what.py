"""What people do in the console leaves an entry: who, what, from where, before and after; and no secret."""

import ast
import json
from decimal import Decimal
from pathlib import Path

import pytest
from django.conf import LazySettings
from django.contrib import admin
from django.contrib.auth.models import Group, Permission, User
from django.forms import modelform_factory
from django.test import Client
from django.urls import reverse
from django.utils import timezone, translation

from laaffic_console.audit.admin import NAMES, AuditEntryAdmin
from laaffic_console.audit.models import AuditEntry
from laaffic_console.dashboard.people import roles
from laaffic_console.events.kinds import CHOICES, Kind
from laaffic_console.events.services import webhooks
from laaffic_console.gateway.models import AccountHold, Application
from laaffic_console.gateway.services.ledger import ledger, subjects
from laaffic_console.kit.audit import acts
from laaffic_console.kit.forms import edits
from messaging.models import ApprovalLimits, Budget, Campaign, Contact, ContactGroup, SuppressionEntry
from messaging.services.budgets import budgets
from phone_numbers.models import BindingRequest, NumberPool

pytestmark = pytest.mark.django_db
WORD = "a word that nobody guesses"


@pytest.fixture
def ada(client: Client) -> User:
    user = User.objects.create_superuser("ada", password=WORD)
    client.force_login(user)
    forget()
    return user


def forget() -> None:
    AuditEntry.objects.all()._raw_delete("default")  # type: ignore[attr-defined]


def entries(kind: str) -> list[AuditEntry]:
    return list(AuditEntry.objects.filter(kind=kind).order_by("id"))


def entry(kind: str) -> AuditEntry:
    [found] = entries(kind)
    return found


class SigningInTests:
    @pytest.fixture(autouse=True)
    def _person(self, settings: LazySettings) -> None:
        settings.AXES_FAILURE_LIMIT = 3
        User.objects.create_user("asha", password=WORD, is_staff=True)

    def sign_in(self, client: Client, password: str, name: str = "asha") -> None:
        client.post(reverse("admin:login"), {"username": name, "password": password}, REMOTE_ADDR="203.0.113.7")

    def test_signing_in_and_out(self, client: Client) -> None:
        self.sign_in(client, WORD)
        client.post(reverse("admin:logout"))

        assert (entry("sign_in").person, entry("sign_in").address) == ("asha", "203.0.113.7")
        assert entry("sign_out").person_id == User.objects.get().pk

    def test_wrong_passwords_and_the_lock_that_follows_once(self, client: Client) -> None:
        for number in range(6):
            self.sign_in(client, f"wrong {number}")

        assert [one.person for one in entries("sign_in_failed")] == ["asha", "asha"]
        assert entry("locked_out").person == "asha"
        assert "wrong" not in json.dumps(list(AuditEntry.objects.values("summary", "object_label")))


class EditingTests:
    def test_a_contact_is_edited(self, client: Client, ada: User) -> None:
        contact = Contact.objects.create(number="919876543210", name="Asha")
        page = reverse("admin:messaging_contact_change", args=[contact.pk])
        form = client.get(page).context["adminform"].form

        answer = client.post(page, {**filled(form), "name": "Ben"}, REMOTE_ADDR="203.0.113.7")

        assert answer.status_code == 302
        made = entry("changed")
        assert ["Name", "Asha", "Ben"] in [[field.capitalize(), *rest] for field, *rest in made.details["changes"]]
        assert (made.person, made.address, made.object_kind) == ("ada", "203.0.113.7", "messaging.contact")
        assert made.object_id == str(contact.pk)

    def test_a_person_gets_a_role(self, client: Client, ada: User) -> None:
        asha = User.objects.create_user("asha", is_staff=True)
        asha.groups.add(Group.objects.get(name=roles.VIEWER))
        page = reverse("admin:auth_user_change", args=[asha.pk])
        form = client.get(page).context["adminform"].form

        client.post(page, {**filled(form), "groups": [Group.objects.get(name=roles.OPERATOR).pk]})

        assert ["Roles", "Viewer", "Operator"] in entry("changed").details["changes"]

    def test_a_role_loses_a_right_and_only_that_is_said(self, client: Client, ada: User) -> None:
        role = Group.objects.get(name=roles.VIEWER)
        first = role.permissions.get(codename="view_campaign")
        page = reverse("admin:auth_group_change", args=[role.pk])
        form = client.get(page).context["adminform"].form
        shown = form.fields["permissions"].queryset.filter(group=role)
        kept = shown.exclude(pk=first.pk).values_list("pk", flat=True)

        client.post(page, {**filled(form), "permissions": list(kept)})

        [[_field, before, after]] = entry("changed").details["changes"]
        assert (before, after) == (str(first), "–")

    def test_a_password_is_set_and_is_nowhere(self, client: Client, ada: User) -> None:
        asha = User.objects.create_user("asha", is_staff=True)
        word = "another word, much longer"

        client.post(
            reverse("admin:auth_user_password_change", args=[asha.pk]),
            {"password1": word, "password2": word, "usable_password": "true"},
        )

        assert entry("password").object_label == "asha"
        assert word not in json.dumps(list(AuditEntry.objects.values("summary", "object_label", "person")))

    def test_somebody_changes_their_own_password(self, client: Client, ada: User) -> None:
        word = "another word, much longer"

        client.post(
            reverse("admin:password_change"), {"old_password": WORD, "new_password1": word, "new_password2": word}
        )

        assert (entry("password").person, entry("password").object_label) == ("ada", "ada")

    def test_what_is_deleted_keeps_its_name(self, client: Client, ada: User) -> None:
        contact = Contact.objects.create(number="919876543210", name="Asha")
        label = str(contact)

        client.post(reverse("admin:messaging_contact_delete", args=[contact.pk]), {"post": "yes"})

        assert entry("deleted").object_label == label

    def test_saving_without_a_change_says_nothing(self, client: Client, ada: User) -> None:
        contact = Contact.objects.create(number="919876543210", name="Asha")
        page = reverse("admin:messaging_contact_change", args=[contact.pk])
        form = client.get(page).context["adminform"].form

        client.post(page, filled(form))

        assert not entries("changed")


def admin_of() -> AuditEntryAdmin:
    found = admin.site.get_model_admin(AuditEntry)
    assert isinstance(found, AuditEntryAdmin)
    return found


def filled(form: object) -> dict[str, object]:
    """What a browser sends of a form that nobody has touched."""
    sent: dict[str, object] = {}
    for bound in form:  # type: ignore[attr-defined]
        value = bound.value()
        if value in (None, "", False):
            continue
        sent[bound.html_name] = [getattr(one, "pk", one) for one in value] if isinstance(value, list) else value
    sent.setdefault("date_joined_0", "2026-01-01")
    sent.setdefault("date_joined_1", "00:00:00")
    return sent


class ActingTests:
    def test_an_export_says_which_filters(self, client: Client, ada: User) -> None:
        client.get(reverse("admin:messaging_reply_export", args=["csv"]), {"stop": "yes"})

        assert entry("exported").object_label.startswith("replies-")
        told = entry("exported").details
        assert (told["filters"], told["what"], told["rows"], told["format"]) == ("stop=yes", "replies", 0, "CSV")
        shown = client.get(reverse("admin:audit_auditentry_changelist")).content.decode()
        assert "replies; rows: 0; CSV" in shown
        assert "stop=yes" not in shown  # the entry's own page has it

    def test_a_request_is_told_under_the_name_of_what_it_is_about(self, client: Client, ada: User) -> None:
        application = Application.objects.create(app_id="numApp01", channel="number")
        pool = NumberPool.objects.create(pool_number="9198000001")
        asked = BindingRequest.objects.create(
            verb="unbind", application=application, phone_a="919876543210", phone_b="919876543211"
        )
        with acts.acting(lambda: acts.Actor(ada.pk, "ada")):
            for interface, kind, pk in (
                ("editNumberPool", "number pool", pool.pk),
                ("unbind", "binding request", asked.pk),
            ):
                row = ledger.prepare(
                    interface=interface, application=application, about_kind=kind, about_id=pk, summary={}
                )

        shown = client.get(reverse("admin:audit_auditentry_changelist")).content.decode()

        assert "Number pool 9198000001" in shown
        assert "Binding request Unbind 919876543210 – 919876543211" in shown
        assert "interface: unbind<" in shown
        one = AuditEntry.objects.get(object_kind="numbers.bindingrequest")
        page = client.get(reverse("admin:audit_auditentry_change", args=[one.pk])).content.decode()
        assert reverse("admin:gateway_ledgerentry_change", args=[row.pk]) in page

    def test_a_changed_field_is_named_once(self, client: Client, ada: User) -> None:
        with acts.acting(lambda: acts.Actor(ada.pk, "ada")):
            changes = [["send at", "–", "Nov. 28"], ["Send at", "", "2026-11-28T09:00"]]
            acts.record(acts.Act.CHANGED, Contact, changes=changes)

        (one,) = AuditEntry.objects.all()

        assert admin_of().in_short(one) == "Send at"
        page = client.get(reverse("admin:audit_auditentry_change", args=[one.pk])).content.decode()
        assert "<tr><th>Send at</th><td>–</td><td>Nov. 28</td></tr>" in page
        assert "2026-11-28T09:00" not in page

    def test_a_hold_is_ended(self, client: Client, ada: User) -> None:
        hold = AccountHold.objects.create(sentence="no funds", scope="account", placed_at=timezone.now(), probe_wait=60)

        client.post(f"/admin/gateway/accounthold/{hold.pk}/end/")

        assert entry("hold_ended").object_id == str(hold.pk)

    def test_a_number_is_suppressed_by_a_person(self, client: Client, ada: User) -> None:
        client.post(
            reverse("admin:messaging_suppressionentry_add"),
            {"channel": "all", "reason": "manual", "numbers": "+919876543210", "note": "asked by phone"},
        )

        assert SuppressionEntry.objects.count() == 1
        made = entry("suppressed")
        assert (made.object_label, made.summary["numbers"], made.summary["why"]) == (
            "919876543210",
            1,
            "asked by phone",
        )


class PageTests:
    @pytest.fixture
    def made(self, client: Client, ada: User) -> AuditEntry:
        application = Application.objects.create(app_id="smsApp01", channel="sms", name="<b>old</b>")
        page = reverse("admin:gateway_application_change", args=[application.pk])
        form = client.get(page).context["adminform"].form
        client.post(page, {**filled(form), "name": "new"})
        return entry("changed")

    def test_one_entry_shows_before_and_after_escaped(self, client: Client, made: AuditEntry) -> None:
        shown = client.get(reverse("admin:audit_auditentry_change", args=[made.pk])).content.decode()

        assert "(&#x27;changed&#x27;" not in shown
        assert "&lt;b&gt;old&lt;/b&gt;</td><td>new</td>" in shown
        assert reverse("admin:gateway_application_change", args=[made.object_id]) in shown

    @pytest.mark.parametrize(
        ("asked", "found"),
        [
            ("who=ada", 1),
            ("who=ben", 0),
            ("kind=changed", 1),
            ("kind__exact=exported", 0),
            ("about=gateway.application", 1),
            ("about=messaging.contact", 0),
            ("q=ada", 1),
            ("q=nobody", 0),
            ("at_from=2020-01-01&at_to=2020-02-01", 0),
            ("at_from=2020-01-01&at_to=2190-02-01", 1),
            ("at_from=yesterday", 1),
        ],
    )
    def test_it_is_filtered(self, client: Client, made: AuditEntry, asked: str, found: int) -> None:
        answer = client.get(f"{reverse('admin:audit_auditentry_changelist')}?{asked}")

        assert len(answer.context["cl"].result_list) == found

    def test_everything_about_one_object(self, client: Client, made: AuditEntry) -> None:
        asked = {"object_kind": made.object_kind, "object_id": made.object_id}

        answer = client.get(reverse("admin:audit_auditentry_changelist"), asked)

        assert len(answer.context["cl"].result_list) == 1

    def test_nobody_adds_changes_or_deletes_there(self, client: Client, made: AuditEntry) -> None:
        assert client.get(reverse("admin:audit_auditentry_add")).status_code == 403
        assert client.post(reverse("admin:audit_auditentry_change", args=[made.pk]), {}).status_code == 403
        assert client.post(reverse("admin:audit_auditentry_delete", args=[made.pk])).status_code == 403

    @pytest.mark.parametrize(
        ("role", "status"),
        [(roles.VIEWER, 403), (roles.OPERATOR, 403), (roles.APPROVER, 403), (roles.ADMINISTRATOR, 200)],
    )
    def test_it_is_for_administrators(self, client: Client, role: str, status: int) -> None:
        user = User.objects.create_user("asha", is_staff=True)
        user.groups.add(Group.objects.get(name=role))
        client.force_login(user)

        assert client.get(reverse("admin:audit_auditentry_changelist")).status_code == status

    def test_its_only_right_is_to_look(self) -> None:
        rights = Permission.objects.filter(content_type__app_label="audit").values_list("codename", flat=True)

        assert list(rights) == ["view_auditentry"]


def test_what_a_worker_kept_in_english_is_read_in_the_readers_language(client: Client, ada: User) -> None:
    details = {"channel": "sms", "note": "replied “STOP”", "changes": [["condition", "a", "b"]]}
    with acts.acting(lambda: acts.Actor(None, "shell user root", is_shell=True)):
        acts.record(acts.Act.SUPPRESSED, label="suppression list", **details)

    shown = in_chinese(client)

    for words in ("命令行用户 root", "禁发名单", "条件"):
        assert words in shown
    assert "suppression list" not in shown


def in_chinese(client: Client) -> str:
    """The list as who reads Chinese sees it; the language of the test stays."""
    with translation.override("en"):
        answer = client.get(reverse("admin:audit_auditentry_changelist"), headers={"accept-language": "zh-hans"})
    return str(answer.content.decode())


def test_kinds_of_events_are_said_in_words_beside_their_codes(client: Client, ada: User) -> None:
    with acts.acting(lambda: acts.Actor(ada.pk, "ada")), translation.override("en"):
        webhooks.create("https://example.invalid/", [kind for kind, _label in CHOICES])

    (entry,) = AuditEntry.objects.filter(object_kind="events.webhook")
    assert entry.details["event"].startswith("message.delivered (A message was delivered), message.failed (")
    with translation.override("zh-hans"):
        entry.refresh_from_db()
        assert f"reply.received ({Kind.REPLY_RECEIVED.label})" in entry.details["event"]
        assert "Somebody has replied" not in entry.details["event"]


def test_a_list_of_others_is_named_in_the_readers_language(client: Client, ada: User) -> None:
    form = modelform_factory(Campaign, fields=["groups"])({"groups": [ContactGroup.objects.create(name="VIP").pk]})
    assert form.is_valid()

    with acts.acting(lambda: acts.Actor(ada.pk, "ada")):
        acts.record(acts.Act.ADDED, label="Sale", changes=[*edits.of(form)])

    shown = in_chinese(client)
    assert "发送给分组" in shown
    assert "send to groups" not in shown.lower()


def test_objects_are_named_in_the_readers_language(client: Client, ada: User) -> None:
    application = Application.objects.create(app_id="smsApp01", channel="sms")
    with acts.acting(lambda: acts.Actor(ada.pk, "ada")), translation.override("zh-hans"):
        acts.record(acts.Act.ADDED, budgets.put(application, per=Budget.Per.DAY, limit=Decimal(50_000)))
        acts.record(acts.Act.REQUESTED, label="group task 7")
        acts.record(acts.Act.SETTLED, Contact)
        acts.record(acts.Act.CHANGED, ApprovalLimits(pk=1))

    shown = in_chinese(client)

    assert [one.object_label for one in AuditEntry.objects.order_by("pk")] == [
        "smsApp01: 50,000 messages (Day)",
        "group task 7",
        "contacts",
        str(ApprovalLimits._meta.verbose_name),
    ]
    for words in ("smsApp01: 50,000 消息", "群呼任务 7", "联系人"):
        assert words in shown
    assert "group task" not in shown


def kept_details() -> set[str]:
    """The name of each detail that anything in the code records."""
    root = Path(__file__).parents[2]
    files = [
        file for app in ("laaffic_console", "messaging", "voice", "numbers") for file in (root / app).rglob("*.py")
    ]
    calls = (node for file in files for node in ast.walk(ast.parse(file.read_text())) if isinstance(node, ast.Call))
    named = (call for call in calls if ast.unparse(call.func) in ("record", "acts.record"))
    return {word.arg for call in named for word in call.keywords if word.arg} - {"label", "by", "changes"}


def test_every_detail_has_a_name_in_words() -> None:
    assert kept_details() - NAMES.keys() == set()


def test_whatever_a_request_may_be_about_has_a_model() -> None:
    kinds = set(subjects._models)
    assert {"campaign", "email campaign", "group task", "number pool"} <= kinds
    for kind in kinds:
        assert subjects.page_of(kind, 7).endswith("/7/change/")
