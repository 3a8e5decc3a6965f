"""What messaging shows on the front page and in the menu."""

from django.utils.translation import gettext_lazy as _

from laaffic_console.kit.registers import front_page, menu
from laaffic_console.kit.registers.front_page import Card, Place, Step
from laaffic_console.kit.registers.menu import Group, Line
from messaging.models import Campaign, CampaignState, Contact


def register_all() -> None:
    _register_lines()
    front_page.register(
        Card(
            Place.HOLD,
            10,
            "messaging/front/held_by_account.html",
            "messaging.front.front_cards.held_by_account",
            "messaging.view_campaign",
        ),
        Card(Place.NOTICES, 10, "messaging/front/approvals.html", "messaging.front.front_cards.approvals_to_give"),
        Card(
            Place.NOTICES,
            20,
            "messaging/front/held.html",
            "messaging.front.front_cards.held",
            "messaging.view_campaign",
        ),
        Card(
            Place.NOTICES,
            30,
            "messaging/front/budgets.html",
            "messaging.front.front_cards.budgets_nearly_used",
            "messaging.view_campaign",
        ),
        Card(
            Place.NOTICES,
            40,
            "messaging/front/asking_emails.html",
            "messaging.front.front_cards.asking_emails",
            "messaging.view_emailcampaign",
        ),
        Card(
            Place.FIGURES,
            10,
            "messaging/front/figures.html",
            "messaging.front.days.figures_card",
            "messaging.view_campaign",
        ),
        Card(
            Place.FIGURES,
            30,
            "messaging/front/spent.html",
            "messaging.front.days.spent_card",
            "messaging.view_campaign",
        ),
        Card(
            Place.UNDER_WAY,
            10,
            "messaging/front/running.html",
            "messaging.front.front_cards.running",
            "messaging.view_campaign",
        ),
        Card(
            Place.UNDER_WAY,
            20,
            "messaging/front/emails.html",
            "messaging.front.front_cards.emails",
            "messaging.view_emailcampaign",
        ),
        Card(
            Place.WIDE, 10, "messaging/front/chart.html", "messaging.front.days.chart_card", "messaging.view_campaign"
        ),
        Card(
            Place.WIDE,
            20,
            "messaging/front/countries.html",
            "messaging.front.days.countries_card",
            "messaging.view_campaign",
        ),
        Card(
            Place.WIDE,
            30,
            "messaging/front/recent.html",
            "messaging.front.front_cards.recent",
            "messaging.view_campaign",
        ),
        Card(
            Place.NARROW,
            10,
            "messaging/front/reasons.html",
            "messaging.front.days.reasons_card",
            "messaging.view_campaign",
        ),
        Card(
            Place.NARROW, 20, "messaging/front/times.html", "messaging.front.days.times_card", "messaging.view_campaign"
        ),
    )
    front_page.register_steps(*STEPS)


def _register_lines() -> None:
    menu.register(
        Group.SEND,
        Line(_("Campaigns"), "campaign", "messaging_campaign_changelist", "messaging.view_campaign", "c"),
        Line(
            _("Approvals"),
            "approval",
            "messaging_approval_changelist",
            "messaging.view_approval",
            "a",
            counts="messaging.front.front_cards.approvals_waiting",
        ),
        Line(_("MMS campaigns"), "mms", "messaging_mmscampaign_changelist", "messaging.view_campaign"),
        Line(_("Email campaigns"), "mail", "messaging_emailcampaign_changelist", "messaging.view_emailcampaign", "e"),
        Line(_("Templates"), "article", "messaging_messagetemplate_changelist", "messaging.view_messagetemplate"),
        Line(_("Messages"), "sms", "messaging_message_changelist", "messaging.view_message", "m"),
        Line(
            _("Conversations"),
            "forum",
            "messaging_conversation_changelist",
            "messaging.view_conversation",
            "v",
            counts="messaging.front.front_cards.conversations_unread",
        ),
        Line(_("Replies"), "reply", "messaging_reply_changelist", "messaging.view_reply"),
        Line(_("Emails"), "outgoing_mail", "messaging_emailmessage_changelist", "messaging.view_emailmessage"),
        Line(_("MMS attachments"), "perm_media", "messaging_mmsattachment_changelist", "messaging.view_mmsattachment"),
    )
    menu.register(
        Group.PEOPLE,
        Line(_("Contacts"), "contacts", "messaging_contact_changelist", "messaging.view_contact", "p"),
        Line(_("Groups"), "group", "messaging_contactgroup_changelist", "messaging.view_contactgroup", "g"),
        Line(_("Audiences"), "filter_alt", "messaging_audience_changelist", "messaging.view_audience"),
        Line(_("Imports"), "upload_file", "messaging_contactimport_changelist", "messaging.view_contactimport", "i"),
        Line(_("Consent"), "how_to_reg", "messaging_consent_changelist", "messaging.view_consent"),
        Line(
            _("Suppression list"),
            "block",
            "messaging_suppressionentry_changelist",
            "messaging.view_suppressionentry",
            "s",
        ),
    )
    menu.register(
        Group.SETTINGS,
        Line(_("Saved answers"), "quickreply", "messaging_savedanswer_changelist", "messaging.view_savedanswer"),
        Line(_("Calendars"), "schedule", "messaging_calendar_changelist", "messaging.view_calendar"),
        Line(
            _("Applications' calendars"),
            "event_available",
            "messaging_applicationcalendar_changelist",
            "messaging.view_applicationcalendar",
        ),
        Line(
            _("Approval limits"),
            "supervisor_account",
            "messaging_approvallimits_changelist",
            "messaging.view_approvallimits",
        ),
        Line(_("Budgets"), "savings", "messaging_budget_changelist", "messaging.view_budget"),
        Line(_("Frequency caps"), "speed", "messaging_frequencycap_changelist", "messaging.view_frequencycap"),
        Line(_("Price list"), "sell", "messaging_listprice_changelist", "messaging.view_listprice"),
    )


def _launched(kind: str) -> bool:
    return Campaign.objects.filter(kind=kind).exclude(state=CampaignState.DRAFT).exists()


STEPS = [
    Step(
        40,
        _("Import your contacts"),
        _("CSV or Excel; nothing is kept before you have seen the preview."),
        _("Import a file"),
        "admin:messaging_contactimport_add",
        "messaging.add_contactimport",
        Contact.objects.exists,
    ),
    Step(
        50,
        _("Send yourself a test message"),
        _("Write a campaign; its page sends a test before it is launched."),
        _("Write a campaign"),
        "admin:messaging_campaign_add",
        "messaging.add_campaign",
        lambda: _launched(Campaign.Kind.TEST),
    ),
    Step(
        60,
        _("Launch the first campaign"),
        _("The review says how many get it and what it costs, before anything leaves."),
        _("See the campaigns"),
        "admin:messaging_campaign_changelist",
        "messaging.launch_campaign",
        lambda: _launched(Campaign.Kind.CAMPAIGN),
    ),
]
