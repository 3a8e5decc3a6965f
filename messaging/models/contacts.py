"""Contacts, their groups, and the suppression list."""

from collections.abc import Iterable, Sequence
from typing import Any

from django.conf import settings
from django.db import connection, models, transaction
from django.utils.translation import gettext_lazy as _

from laaffic_console.gateway.models.channels import SUPPRESSION_CHANNELS, Channel, choices_of
from laaffic_console.kit.masking.masks import in_text, masked
from laaffic_console.kit.sql.row_inserts import insert
from laaffic_console.kit.words.said import shaped
from laaffic_console.kit.words.visible_names import SaysWhatIsTaken, VisiblyNamed
from messaging.subscribers import every_spelling, spellings


class ContactGroup(VisiblyNamed):
    name = models.CharField(_("name"), max_length=120, unique=True)
    description = models.CharField(_("description"), max_length=300, blank=True)
    # Made for one quick message to chosen contacts; not offered where groups are picked.
    is_ad_hoc = models.BooleanField(_("made for one message"), default=False)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)

    class Meta:
        verbose_name = _("group")
        verbose_name_plural = _("groups")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class Contact(SaysWhatIsTaken):
    class Validity(models.TextChoices):
        VALID = "valid", _("Valid")
        POSSIBLE = "possible", _("Possible")  # the right length for its country, but in no known range

    number = models.CharField(
        _("number"),
        max_length=15,
        unique=True,
        help_text=_("Country code and number, digits only, for example 919876543210."),
    )
    validity = models.CharField(_("validity"), max_length=8, choices=Validity, default=Validity.VALID)
    name = models.CharField(_("name"), max_length=120, blank=True)
    email = models.EmailField(_("email"), blank=True)
    country = models.CharField(_("country"), max_length=2, blank=True)  # ISO 3166, from the number
    # IANA names, comma between; a number of North America that is tied to no place has forty of them.
    time_zones = models.CharField(_("time zones"), max_length=1000, blank=True)
    language = models.CharField(_("language"), max_length=16, blank=True)
    attributes = models.JSONField(_("attributes"), default=dict, blank=True)  # {"city": "Pune"}: text to text
    source = models.CharField(_("source"), max_length=120, blank=True)
    groups = models.ManyToManyField(
        ContactGroup, through="GroupMembership", related_name="contacts", blank=True, verbose_name=_("groups")
    )
    # The import that added it. No constraint: a million checks are saved, and imports are not deleted.
    imported_by = models.ForeignKey(
        "ContactImport",
        models.SET_NULL,
        null=True,
        editable=False,
        related_name="+",
        db_index=False,
        db_constraint=False,
        verbose_name=_("added by the import"),
    )
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    updated_at = models.DateTimeField(_("updated"), auto_now=True)

    class Meta:
        verbose_name = _("contact")
        verbose_name_plural = _("contacts")
        ordering = ["-id"]
        permissions = [
            ("export_contact", _("Can export contacts")),
            ("erase_person", _("Can erase what is known of a person")),
            ("see_numbers", _("Can see whole phone numbers and email addresses")),
            ("reveal_number", _("Can show one masked number at a time, which is recorded")),
        ]
        # For the list's filters: a country with few contacts would be looked for in all of them.
        indexes = [
            models.Index(fields=["country", "id"], name="contact_country"),
            models.Index(fields=["id"], name="contact_possible", condition=models.Q(validity="possible")),
            # With a condition: anyone who was added by hand costs nothing.
            models.Index(
                fields=["imported_by", "id"], name="contact_import", condition=models.Q(imported_by__isnull=False)
            ),
        ]

    def __str__(self) -> str:
        number = masked(self.number)
        return f"{self.shown_name} ({number})" if self.name else str(number)

    @property
    def shown_name(self) -> str:
        """As the viewer may see it: what people call somebody may be a number."""
        return in_text(self.name)


class GroupMembership(models.Model):
    contact = models.ForeignKey(Contact, models.CASCADE, related_name="+", db_index=False)
    group = models.ForeignKey(ContactGroup, models.CASCADE, related_name="+", db_index=False)
    # The import that made it; found by group, and without a constraint, as with the contact's.
    imported_by = models.ForeignKey(
        "ContactImport", models.SET_NULL, null=True, related_name="+", db_index=False, db_constraint=False
    )

    class Meta:
        verbose_name = _("membership")
        constraints = [models.UniqueConstraint(fields=["group", "contact"], name="member_once")]
        indexes = [models.Index(fields=["contact"], name="member_contact")]

    def __str__(self) -> str:
        return f"{self.contact_id} in {self.group_id}"


class OtherSpelling(models.Model):
    """Another number by which the subscriber of a suppressed one is reached: who is sent to by it is found here.

    It says nothing by itself: only an entry that is on the list suppresses. So a row that is left over does no harm,
    and the many numbers that have one spelling only cost nothing.
    """

    number = models.CharField(max_length=15)
    suppressed = models.CharField(max_length=15)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["number", "suppressed"], name="other_spelling_once")]

    def __str__(self) -> str:
        return f"{self.number} is {self.suppressed}"

    @staticmethod
    def keep(suppressed: Iterable[str]) -> None:
        """Store the other spellings of these numbers, in the transaction that suppresses them."""
        pairs = [(other, number) for number in sorted(suppressed) for other in spellings(number)[1:]]
        others = [OtherSpelling(number=other, suppressed=number) for other, number in pairs]
        OtherSpelling.objects.bulk_create(others, ignore_conflicts=True, batch_size=500)


def opt_outs_also_on(channels: Sequence[str]) -> list[str]:
    """The channels whose opt-outs stop these too: SMS and MMS come from one sender, so one STOP is meant for both.

    With OPT_OUT_EVERY_CHANNEL all of them are. Entries with another reason, such as a number that takes no pictures,
    hold where they were made.
    """
    if settings.OPT_OUT_EVERY_CHANNEL:
        return [channel.value for channel in SUPPRESSION_CHANNELS if channel not in channels]
    return [other for one, other in SAME_SENDER.items() if one in channels and other not in channels]


SAME_SENDER = {Channel.SMS.value: Channel.MMS.value, Channel.MMS.value: Channel.SMS.value}


class SuppressionEntries(models.QuerySet["SuppressionEntry"]):
    def stopping(self, channels: Sequence[str]) -> "SuppressionEntries":
        """What stops these channels; `audience_sql.suppressed` says the same for a whole audience."""
        opted_out = models.Q(channel__in=opt_outs_also_on(channels), reason=SuppressionEntry.Reason.OPT_OUT)
        return self.filter(models.Q(channel__in=channels) | opted_out)

    def of_subscribers(self, numbers: Sequence[str]) -> "SuppressionEntries":
        """The entries of everyone who has one of these numbers, in whatever spelling the entry has it."""
        return self.filter(number__in=every_spelling(numbers))

    def bulk_create(self, objs: Iterable["SuppressionEntry"], *args: Any, **kwargs: Any) -> "list[SuppressionEntry]":
        entries = list(objs)
        with transaction.atomic(using=self.db):
            OtherSpelling.keep({entry.number for entry in entries})
            return super().bulk_create(entries, *args, **kwargs)

    def add_new(self, entries: "Sequence[SuppressionEntry]") -> "list[SuppressionEntry]":
        """Store those that are not there, and return them: of two writers at once only one has added an entry.

        All of them have one channel and one reason.
        """
        fields = [field for field in self.model._meta.concrete_fields if not field.primary_key]
        rows = [
            [field.get_db_prep_save(field.pre_save(entry, add=True), connection=connection) for field in fields]
            for entry in entries
        ]
        columns = [str(field.column) for field in fields]
        with transaction.atomic():
            OtherSpelling.keep({entry.number for entry in entries})
            table = self.model._meta.db_table
            made = insert(table, columns, rows, "ON CONFLICT DO NOTHING", returning="number, id")
        ids = dict(made)
        for entry in entries:
            entry.pk = ids.get(entry.number)
        return [entry for entry in entries if entry.pk is not None]


class SuppressionEntry(models.Model):
    """A number that is never sent to on a channel, in any of its spellings. It outlives the contact.

    Each reason is a row of its own: what one of them stops, and who may lift it, another does not decide.
    """

    class Reason(models.TextChoices):
        OPT_OUT = "opt_out", _("Opted out")
        COMPLAINT = "complaint", _("Complained")
        INVALID = "invalid", _("Invalid number")
        MANUAL = "manual", _("By an operator")

    number = models.CharField(_("number"), max_length=15)
    channel = models.CharField(
        _("channel"), max_length=8, choices=choices_of(SUPPRESSION_CHANNELS), default=Channel.ALL
    )
    reason = models.CharField(_("reason"), max_length=12, choices=Reason, default=Reason.MANUAL)
    note = models.CharField(_("note"), max_length=200, blank=True)
    source = models.CharField(_("source"), max_length=120, blank=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("by"),
    )
    created_at = models.DateTimeField(_("since"), auto_now_add=True)

    objects = SuppressionEntries.as_manager()

    class Meta:
        verbose_name = _("suppressed number")
        verbose_name_plural = _("suppression list")
        permissions = [("export_suppressionentry", _("Can export the suppression list"))]
        ordering = ["-id"]
        constraints = [models.UniqueConstraint(fields=["number", "channel", "reason"], name="suppressed_once_each")]

    def __str__(self) -> str:
        return shaped("%(number)s (%(channel)s)", number=masked(self.number), channel=Channel(self.channel).label)

    def save(self, *args: Any, **kwargs: Any) -> None:
        with transaction.atomic():
            OtherSpelling.keep([self.number])
            super().save(*args, **kwargs)


class SuppressionRelease(models.Model):
    """A number that was taken off the suppression list: who did it and why. A row is never changed."""

    number = models.CharField(_("number"), max_length=15, db_index=True)
    channel = models.CharField(_("channel"), max_length=8, choices=choices_of(SUPPRESSION_CHANNELS))
    reason = models.CharField(_("why it was suppressed"), max_length=12, choices=SuppressionEntry.Reason)
    suppressed_at = models.DateTimeField(_("suppressed"))
    why = models.CharField(_("why it is allowed again"), max_length=200)
    released_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+", verbose_name=_("by")
    )
    released_at = models.DateTimeField(_("allowed again"), auto_now_add=True)

    class Meta:
        verbose_name = _("allowed number")
        verbose_name_plural = _("allowed again")
        ordering = ["-id"]

    def __str__(self) -> str:
        return shaped("%(number)s (%(channel)s)", number=masked(self.number), channel=Channel(self.channel).label)


class Erasure(models.Model):
    """A record that a person's data was erased: by whom, why and how much. A row is never changed."""

    number = models.CharField(_("number"), max_length=15, db_index=True)
    why = models.CharField(_("why"), max_length=200)
    contacts = models.PositiveIntegerField(default=0)
    messages = models.PositiveIntegerField(default=0)  # whose merge values were emptied
    replies = models.PositiveIntegerField(default=0)  # whose texts were emptied
    # False: a restore, which repeats erasures made since the backup, could only ask for it.
    is_done = models.BooleanField(default=True, db_default=True)
    erased_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+", verbose_name=_("by")
    )
    erased_at = models.DateTimeField(_("erased"), auto_now_add=True)

    class Meta:
        default_permissions = ()  # shown with the person
        verbose_name = _("erased person")
        verbose_name_plural = _("erased people")
        ordering = ["-id"]

    def __str__(self) -> str:
        return str(masked(self.number))
