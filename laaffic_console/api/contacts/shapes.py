"""What requests and answers about contacts, audiences, imports, suppression and consent look like."""

from rest_framework import serializers

from laaffic_console.api.handling.views import ListQuery
from laaffic_console.api.shapes import MOST_MESSAGES, InvalidNumber, Numbers
from laaffic_console.api.timelines import LongCursorQuery
from laaffic_console.gateway.models.channels import CAMPAIGN_CHANNELS, SUPPRESSION_CHANNELS, Channel, choices_of
from messaging.files.contact_rows import MAX_ATTRIBUTE
from messaging.models import ConsentImport as ConsentFile
from messaging.models import ConsentState, ContactImport, ImportForecast, SuppressionEntry
from messaging.models import ImportUndo as Undo

CHANNELS = choices_of(CAMPAIGN_CHANNELS)


class GroupRequest(serializers.Serializer):
    name = serializers.CharField(max_length=120)
    description = serializers.CharField(max_length=300, required=False, allow_blank=True, default="")


class GroupChange(serializers.Serializer):
    name = serializers.CharField(max_length=120, required=False)
    description = serializers.CharField(max_length=300, required=False, allow_blank=True)


class GroupMembersRequest(serializers.Serializer):
    contacts = serializers.ListField(
        child=serializers.IntegerField(min_value=1, max_value=2**63 - 1),
        allow_empty=False,
        max_length=MOST_MESSAGES,
        help_text="ids",
    )


class GroupMembers(serializers.Serializer):
    contacts = serializers.IntegerField(help_text="how many of them are in it now, or were taken out")


class Group(serializers.Serializer):
    id = serializers.IntegerField()
    name = serializers.CharField()
    description = serializers.CharField(allow_blank=True)


class ContactRequest(serializers.Serializer):
    number = serializers.CharField(max_length=60)
    name = serializers.CharField(max_length=120, required=False, allow_blank=True)
    email = serializers.EmailField(max_length=254, required=False, allow_blank=True)
    language = serializers.CharField(max_length=16, required=False, allow_blank=True)
    attributes = serializers.DictField(
        child=serializers.CharField(max_length=MAX_ATTRIBUTE, allow_blank=True), required=False
    )
    group = serializers.CharField(max_length=120, required=False, help_text="name of a group that is there")


class ContactChange(serializers.Serializer):
    """A field that is left out stays as it is."""

    number = serializers.CharField(max_length=60, required=False)
    name = serializers.CharField(max_length=120, required=False, allow_blank=True)
    email = serializers.EmailField(max_length=254, required=False, allow_blank=True)
    language = serializers.CharField(max_length=16, required=False, allow_blank=True)
    attributes = serializers.DictField(
        child=serializers.CharField(max_length=MAX_ATTRIBUTE, allow_blank=True),
        required=False,
        help_text="all of them: what is not named goes",
    )
    groups = serializers.ListField(
        child=serializers.CharField(max_length=120),
        max_length=1000,
        required=False,
        help_text="names of all that it is in",
    )


class Contact(serializers.Serializer):
    id = serializers.IntegerField()
    number = serializers.CharField()
    name = serializers.CharField(allow_blank=True)
    email = serializers.CharField(allow_blank=True)
    country = serializers.CharField(allow_blank=True)
    language = serializers.CharField(allow_blank=True)
    attributes = serializers.DictField()
    created_at = serializers.DateTimeField()


class WholeContact(Contact):
    groups = serializers.ListField(child=serializers.CharField(), help_text="names of all that it is in")


ERASED_BEFORE = "the number is new here, and its person was erased before: they are known again"


class WrittenContact(Contact):
    erased_before = serializers.BooleanField(help_text=ERASED_BEFORE)


class ChangedContact(WholeContact):
    erased_before = serializers.BooleanField(help_text=ERASED_BEFORE)


class Suppressed(serializers.Serializer):
    id = serializers.IntegerField()
    number = serializers.CharField()
    channel = serializers.CharField()
    reason = serializers.CharField()
    note = serializers.CharField(allow_blank=True)
    created_at = serializers.DateTimeField()


REGION = "country of numbers without a country code, such as IN"


class SuppressRequest(serializers.Serializer):
    to = Numbers(max_length=MOST_MESSAGES)
    region = serializers.CharField(max_length=2, required=False, allow_blank=True, default="", help_text=REGION)
    channel = serializers.ChoiceField(
        choices=choices_of(SUPPRESSION_CHANNELS),
        default=Channel.ALL.value,
        help_text="an entry for email stops nothing, because Laaffic keeps the lists of email campaigns",
    )
    reason = serializers.ChoiceField(
        choices=SuppressionEntry.Reason.choices, required=False, default=SuppressionEntry.Reason.MANUAL.value
    )
    note = serializers.CharField(max_length=200, required=False, allow_blank=True, default="")


class SuppressAnswer(serializers.Serializer):
    added = serializers.IntegerField()
    already_there = serializers.IntegerField()
    invalid = InvalidNumber(many=True)


class AllowAgainRequest(serializers.Serializer):
    why = serializers.CharField(max_length=200, help_text="kept with your name, and shown where the number is")


class AllowedAgain(serializers.Serializer):
    allowed = serializers.IntegerField()
    still_there = serializers.IntegerField(help_text="whose number is on the list for another reason or channel")


class AudienceRequest(serializers.Serializer):
    name = serializers.CharField(max_length=120)
    condition = serializers.CharField(max_length=10_000, help_text="such as: country in (IN, BD) and language = en")


class AudienceChange(serializers.Serializer):
    name = serializers.CharField(max_length=120, required=False)
    condition = serializers.CharField(max_length=10_000, required=False)


class Audience(serializers.Serializer):
    id = serializers.IntegerField()
    name = serializers.CharField()
    condition = serializers.CharField()
    created_at = serializers.DateTimeField()


class AudienceCount(serializers.Serializer):
    id = serializers.IntegerField()
    contacts = serializers.IntegerField()
    is_counted = serializers.BooleanField(help_text="false: of so many contacts; ask for those behind with “after”")
    after = serializers.IntegerField(help_text="the last contact that was looked at")


class AudienceCountQuery(serializers.Serializer):
    after = serializers.IntegerField(min_value=0, max_value=2**63 - 1, default=0, help_text="of the answer before")


class ImportRequest(serializers.Serializer):
    file = serializers.FileField(allow_empty_file=True, help_text="CSV, TSV, TXT or XLSX")
    group = serializers.CharField(max_length=120, required=False, help_text="name of a group that is there")
    new_group = serializers.CharField(max_length=120, required=False, help_text="name of one that is made")
    region = serializers.CharField(
        max_length=2, required=False, allow_blank=True, help_text="country of national numbers, such as IN"
    )


class ImportReading(serializers.Serializer):
    """How the file is read; a field that is left out stays as it is."""

    mapping = serializers.DictField(
        child=serializers.CharField(max_length=60, allow_blank=True),
        required=False,
        help_text="{header: number, other_number, name, first_name, last_name, email, language, attributes.NAME or “”}",
    )
    encoding = serializers.CharField(max_length=40, required=False, help_text="one of “readings”")
    sheet = serializers.CharField(max_length=100, required=False, help_text="one of “sheets”")
    region = serializers.CharField(
        max_length=2, required=False, allow_blank=True, help_text="country of national numbers, such as IN"
    )
    foreign_without_plus = serializers.BooleanField(required=False)
    allow_unknown_ranges = serializers.BooleanField(required=False)
    keep_null_words = serializers.BooleanField(required=False)


class Reading(serializers.Serializer):
    encoding = serializers.CharField()
    languages = serializers.CharField(allow_blank=True)
    words = serializers.ListField(child=serializers.CharField())


class Reason(serializers.Serializer):
    column = serializers.CharField(allow_blank=True)
    reason = serializers.CharField()
    rows = serializers.IntegerField()
    first_row = serializers.IntegerField()


class Forecast(serializers.Serializer):
    state = serializers.ChoiceField(choices=ImportForecast.State.choices)
    rows = serializers.IntegerField()
    new = serializers.IntegerField()
    known = serializers.IntegerField()
    twice = serializers.IntegerField()
    invalid = serializers.IntegerField()
    suppressed = serializers.IntegerField()
    erased_before = serializers.IntegerField(help_text="of the new: people who were erased before")
    reasons = Reason(many=True)
    explanation = serializers.CharField(allow_blank=True)


class Import(serializers.Serializer):
    id = serializers.IntegerField()
    file_name = serializers.CharField()
    size = serializers.IntegerField()
    state = serializers.ChoiceField(choices=ContactImport.State.choices)
    explanation = serializers.CharField(allow_blank=True)
    group = serializers.CharField(allow_null=True)
    region = serializers.CharField(allow_blank=True)
    encoding = serializers.CharField(allow_blank=True)
    readings = Reading(many=True, help_text="several: say which “encoding” is right")
    sheet = serializers.CharField(allow_blank=True)
    sheets = serializers.ListField(child=serializers.CharField())
    headers = serializers.ListField(child=serializers.CharField(allow_blank=True))
    mapping = serializers.DictField(child=serializers.CharField(allow_blank=True))
    problem = serializers.CharField(allow_blank=True, help_text="why it cannot be started as it is read")
    forecast = Forecast(allow_null=True)
    rows = serializers.IntegerField()
    added = serializers.IntegerField()
    updated = serializers.IntegerField()
    unchanged = serializers.IntegerField()
    invalid = serializers.IntegerField()
    erased_before = serializers.IntegerField(help_text="of those added: people who were erased before")
    percent = serializers.IntegerField()
    created_at = serializers.DateTimeField()
    started_at = serializers.DateTimeField(allow_null=True)
    finished_at = serializers.DateTimeField(allow_null=True)


class ImportListed(serializers.Serializer):
    id = serializers.IntegerField()
    file_name = serializers.CharField()
    state = serializers.ChoiceField(choices=ContactImport.State.choices)
    rows = serializers.IntegerField()
    added = serializers.IntegerField()
    updated = serializers.IntegerField()
    unchanged = serializers.IntegerField()
    invalid = serializers.IntegerField()
    erased_before = serializers.IntegerField(help_text="of those added: people who were erased before")
    created_at = serializers.DateTimeField()


class ImportStanding(serializers.Serializer):
    id = serializers.IntegerField()
    state = serializers.ChoiceField(choices=ContactImport.State.choices)


class ImportQuery(ListQuery):
    state = serializers.ChoiceField(choices=ContactImport.State.choices, required=False)


class ReasonToStay(serializers.Serializer):
    reason = serializers.CharField()
    contacts = serializers.IntegerField()


class ImportUndo(serializers.Serializer):
    id = serializers.IntegerField(help_text="of the import")
    state = serializers.ChoiceField(choices=Undo.State.choices, help_text="“ready”: …/undo/confirm takes it back")
    explanation = serializers.CharField(allow_blank=True)
    goes = serializers.IntegerField(help_text="contacts that it added and with whom nobody has dealt since")
    stays = serializers.IntegerField()
    reasons = ReasonToStay(many=True, help_text="why those that stay do")
    memberships = serializers.IntegerField(help_text="taken back of contacts that stay")
    restores = serializers.IntegerField(help_text="contacts whose overwritten values are put back")
    overtaken = serializers.IntegerField(help_text="contacts that somebody has changed since: they stay so")
    asked_at = serializers.DateTimeField()
    finished_at = serializers.DateTimeField(allow_null=True)


class BadRow(serializers.Serializer):
    id = serializers.IntegerField()
    row = serializers.IntegerField(help_text="as a spreadsheet numbers it")
    column = serializers.CharField(allow_blank=True)
    value = serializers.CharField(allow_blank=True)
    reason = serializers.CharField()


class ConsentQuery(ListQuery):
    number = serializers.CharField(required=False, max_length=60)
    channel = serializers.ChoiceField(choices=CHANNELS, required=False)
    state = serializers.ChoiceField(choices=ConsentState.choices, required=False)


class Consent(serializers.Serializer):
    id = serializers.IntegerField()
    number = serializers.CharField()
    channel = serializers.ChoiceField(choices=CHANNELS)
    state = serializers.ChoiceField(choices=ConsentState.choices)
    source = serializers.CharField(allow_blank=True)
    words = serializers.CharField(allow_blank=True)
    at = serializers.DateTimeField()


class ConsentRequest(serializers.Serializer):
    number = serializers.CharField(max_length=60)
    channel = serializers.ChoiceField(choices=CHANNELS)
    state = serializers.ChoiceField(choices=ConsentState.choices)
    why = serializers.CharField(max_length=200, help_text="how you know, such as “signed the form on 3 May”")


class ConsentImportRequest(serializers.Serializer):
    """A CSV or XLSX file whose first row names its columns: number, consent, date, channel, source, words."""

    file = serializers.FileField(allow_empty_file=True, help_text="CSV, TSV, TXT or XLSX")
    channel = serializers.ChoiceField(
        choices=CHANNELS, required=False, default=Channel.SMS.value, help_text="of rows that name none"
    )
    date = serializers.CharField(
        max_length=40, required=False, allow_blank=True, default="", help_text="of rows without one, as 2026-05-04"
    )
    source = serializers.CharField(
        max_length=120, required=False, allow_blank=True, default="", help_text="where it was said, such as web form"
    )
    region = serializers.CharField(max_length=2, required=False, allow_blank=True, default="", help_text=REGION)
    encoding = serializers.CharField(
        max_length=40, required=False, allow_blank=True, default="", help_text="if it can be read in several ways"
    )


class InvalidConsent(serializers.Serializer):
    row = serializers.IntegerField()
    column = serializers.CharField(allow_blank=True)
    value = serializers.CharField(allow_blank=True)
    reason = serializers.CharField()


class ConsentImportListed(serializers.Serializer):
    id = serializers.IntegerField()
    file_name = serializers.CharField()
    state = serializers.ChoiceField(choices=ConsentFile.State.choices)
    explanation = serializers.CharField(allow_blank=True)
    rows = serializers.IntegerField()
    kept = serializers.IntegerField(help_text="valid rows")
    known = serializers.IntegerField(help_text="of those kept: what was known already")
    invalid = serializers.IntegerField()
    created_at = serializers.DateTimeField()
    finished_at = serializers.DateTimeField(allow_null=True)


class ConsentImport(ConsentImportListed):
    errors = InvalidConsent(many=True, help_text="the first 100")


class SaidQuery(ListQuery):
    number = serializers.CharField(max_length=60)


class PersonQuery(LongCursorQuery):
    number = serializers.CharField(max_length=60)


class ErasePersonRequest(serializers.Serializer):
    number = serializers.CharField(max_length=60)
    why = serializers.CharField(max_length=200, help_text="kept with your name and the number, as proof")


class ErasedPerson(serializers.Serializer):
    id = serializers.IntegerField(help_text="of the proof that it was done")
    contacts = serializers.IntegerField(help_text="deleted")
    messages = serializers.IntegerField(help_text="whose merged values were emptied")
    replies = serializers.IntegerField(help_text="whose texts were emptied")
