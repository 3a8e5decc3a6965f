"""How the admin looks: navigation by task, colours, the banner that says when nothing real is sent."""

from collections.abc import Iterator
from typing import Any

from django.http import HttpRequest
from django.templatetags.static import static
from django.utils.module_loading import import_string
from django.utils.translation import gettext_lazy as _

from laaffic_console.gateway.rights import LEDGER_ACTS
from laaffic_console.kit.registers import menu
from laaffic_console.kit.registers.menu import Group, Line


def environment(request: HttpRequest) -> list[str] | None:
    from laaffic_console.gateway.services.client.account import is_sandbox  # the settings read this module

    return [str(_("Sandbox")), "warning"] if is_sandbox() else None


def _item(
    title: Any, icon: str, page: str, permission: str, key: str = "", acts: tuple[str, ...] = ()
) -> dict[str, Any]:
    return Line(title, icon, page, permission, key, acts=acts).drawn()


UNFOLD: dict[str, Any] = {
    "SITE_TITLE": _("Laaffic console"),
    "SITE_HEADER": _("Laaffic console"),
    "SITE_SUBHEADER": _("Campaigns and numbers"),
    "SITE_FAVICONS": [
        {"rel": "icon", "type": "image/svg+xml", "href": lambda request: static("console/icon.svg")},
    ],
    "SITE_SYMBOL": "cell_tower",
    "SHOW_HISTORY": False,
    "SHOW_VIEW_ON_SITE": False,
    "ENVIRONMENT": "laaffic_console.dashboard.theme.environment",
    "DASHBOARD_CALLBACK": "laaffic_console.dashboard.front.frontpage.context",
    "STYLES": [
        lambda request: static("console/console.css"),
        lambda request: static("console/parts.css"),
        lambda request: static("console/access.css"),
    ],
    "SCRIPTS": [
        lambda request: static("console/charts.js"),
        lambda request: static("console/live.js"),
        lambda request: static("console/console.js"),
        lambda request: static("console/operable.js"),
        lambda request: static("console/keys.js"),
        lambda request: static("console/meanings.js"),
    ],
    "ACCOUNT": {
        "navigation": [
            {"title": _("Notices"), "link": menu.address("notices")},
            {"title": _("My notices"), "link": menu.address("my_notices")},
            {"title": _("My sign-in"), "link": menu.address("mfa_index")},
            {"title": _("Tour of the console"), "link": menu.address("tour")},
        ]
    },
    "BORDER_RADIUS": "8px",
    "COLORS": {
        "primary": {
            "50": "oklch(97% .014 254.6)",
            "100": "oklch(93.2% .032 255.6)",
            "200": "oklch(88.2% .059 254.1)",
            "300": "oklch(80.9% .105 251.8)",
            "400": "oklch(70.7% .165 254.6)",
            "500": "oklch(62.3% .214 259.8)",
            "600": "oklch(54.6% .215 262.9)",
            "700": "oklch(48.8% .217 264.4)",
            "800": "oklch(42.4% .181 265.6)",
            "900": "oklch(37.9% .138 265.5)",
            "950": "oklch(28.2% .087 267.9)",
        }
    },
    "SIDEBAR": {
        "show_search": True,  # templates/unfold/helpers/search.html: it opens the command palette
        "show_all_applications": False,
        "navigation": "laaffic_console.dashboard.theme.navigation",
    },
}

# A group stands where the lines go that apps have registered for it.
NAVIGATION: list[dict[str, Any]] = [
    {
        "items": [
            {"title": _("Front page"), "icon": "home", "link": menu.address("admin:index"), "key": "f"},
            _item(_("Reports"), "bar_chart", "reports_report_show", "reports.view_report", "r"),
            {"title": _("Help"), "icon": "menu_book", "link": menu.address("help"), "key": "d"},
        ]
    },
    {
        "title": _("Send"),
        "separator": True,
        "items": [Group.SEND],
    },
    {
        "title": _("Voice"),
        "separator": True,
        "collapsible": True,
        "items": [Group.VOICE],
    },
    {
        "title": _("People"),
        "separator": True,
        "items": [Group.PEOPLE],
    },
    {
        "title": _("Numbers"),
        "separator": True,
        "collapsible": True,
        "items": [Group.NUMBERS],
    },
    {
        "title": _("Records"),
        "separator": True,
        "collapsible": True,
        "items": [
            _item(
                _("Ledger"),
                "receipt_long",
                "gateway_ledgerentry_changelist",
                "gateway.view_ledgerentry",
                "l",
                acts=LEDGER_ACTS,
            ),
            _item(_("Exports"), "download", "exporting_export_changelist", "exporting.view_export", "x"),
            _item(
                _("Inbox"),
                "inbox",
                "gateway_pushedbody_changelist",
                "gateway.view_pushedbody",
                acts=("gateway.read_pushedbody", "gateway.change_pushedbody"),
            ),
            _item(
                _("Reports without a message"),
                "help",
                "gateway_orphanreport_changelist",
                "gateway.view_orphanreport",
                acts=("gateway.read_pushedbody",),
            ),
            _item(_("Who did what"), "history", "audit_auditentry_changelist", "audit.view_auditentry", "w"),
        ],
    },
    {
        "title": _("Settings"),
        "separator": True,
        "collapsible": True,
        "items": [
            _item(_("Applications"), "apps", "gateway_application_changelist", "gateway.view_application"),
            {
                "title": _("Health"),
                "icon": "monitor_heart",
                "key": "h",
                "link": menu.address("health"),
                "permission": menu.may("gateway.view_workerheartbeat"),
            },
            Group.SETTINGS,
            _item(
                _("Workers"),
                "memory",
                "gateway_workerheartbeat_changelist",
                "gateway.view_workerheartbeat",
                acts=("gateway.make_support_bundle", "gateway.delete_trouble"),
            ),
            _item(
                _("Balance"),
                "account_balance",
                "gateway_balancereading_changelist",
                "gateway.view_balancereading",
            ),
            _item(
                _("Account holds"),
                "pan_tool",
                "gateway_accounthold_changelist",
                "gateway.view_accounthold",
                acts=("gateway.release_accounthold",),
            ),
            _item(_("Users"), "person", "auth_user_changelist", "auth.view_user"),
            _item(_("Roles"), "badge", "auth_group_changelist", "auth.view_group"),
            _item(_("Sessions"), "devices", "usersessions_usersession_changelist", "usersessions.view_usersession"),
            _item(_("Failed sign-ins"), "lock", "axes_accessattempt_changelist", "axes.view_accessattempt"),
            _item(_("API tokens"), "key", "api_apitoken_changelist", "api.view_apitoken"),
            _item(_("Webhooks"), "webhook", "events_webhook_changelist", "events.view_webhook"),
        ],
    },
]


def groups() -> list[dict[str, Any]]:
    """The menu with the apps' lines where they belong."""
    return [{**group, "items": list(_with_apps(group["items"]))} for group in NAVIGATION]


def _with_apps(items: list[Any]) -> Iterator[dict[str, Any]]:
    for item in items:
        if isinstance(item, Group):
            yield from menu.lines(item)
        else:
            yield item


def navigation(request: HttpRequest) -> list[dict[str, Any]]:
    """unfold draws a badge whatever it says, so an item has one only while it counts something."""
    return [{**group, "items": [_counted(item, request) for item in group["items"]]} for group in groups()]


def _counted(item: dict[str, Any], request: HttpRequest) -> dict[str, Any]:
    n = import_string(item["counts"])(request) if "counts" in item and item["permission"](request) else 0
    return {**item, "badge": n} if n else item


def places(request: HttpRequest) -> list[dict[str, Any]]:
    """The lines of the menu that this person may open by keys: g and then a letter."""
    items = [item for group in groups() for item in group["items"] if item.get("key")]
    return [item for item in items if item.get("permission", _everybody)(request)]


def _everybody(request: HttpRequest) -> bool:
    return True
