"""What a demo shows: its applications, contacts, finished campaigns, and what Laaffic keeps."""

import json
import time
from pathlib import Path

from laaffic_console.demo.commands import DemoFailed, manage, say
from laaffic_console.demo.place import Demo

APP_ID = "4luaKsL2"
EMAIL_APP, VOICE_APP, NUMBER_APP = "fKFtblIy", "iaAJ6COV", "DemoNumbers"
OTHER_APPLICATIONS = [
    (EMAIL_APP, "email", "Demo email"),
    (VOICE_APP, "voice", "Demo voice"),
    (NUMBER_APP, "number", "Demo numbers"),
]
GROUP = "Sample contacts"
USER = "demo"
CAMPAIGN_PATIENCE = 180.0


def prepare(demo: Demo) -> None:
    say(
        "Starting a console, a worker and a sandbox on this machine. The first start also imports 10,000 contacts and "
        "runs campaigns: some minutes. Later starts skip that."
    )
    say(f"Preparing the database in {demo.folder}")
    manage("migrate", "--verbosity", "0")
    manage("ensure_superuser", USER)
    manage("register_app", APP_ID, "--channel", "sms", "--name", "Demo SMS", "--sender-id", "LAAFFIC")
    for app_id, channel, name in OTHER_APPLICATIONS:
        manage("register_app", app_id, "--channel", channel, "--name", name)


def fill(demo: Demo) -> None:
    """Sample contacts, finished campaigns, and what Laaffic keeps, once."""
    if "finished" in manage("campaign", "list", "--json"):
        return
    who = f"user {USER}, password {demo.secrets['password']}"
    say(f"The console answers at {demo.console_url}/ ({who}); now it is filled")
    sample = demo.folder / "sample-contacts.csv"
    say("Importing 10,000 sample contacts")
    manage("sample_contacts", str(sample), "--rows", "10000")
    imported = json.loads(manage("contacts", "import", str(sample), "--group", GROUP, "--json"))
    say(f"  {imported['added']:,} added, {imported['invalid']:,} rows are bad, as in life")
    say("Running a campaign through the sandbox")
    text = "Hello {{first_name|there}}, your table is ready. Reply STOP to opt out."
    made = ["create", "--name", "Welcome", "--app", APP_ID, "--text", text, "--group", GROUP, "--json"]
    campaign = str(json.loads(manage("campaign", *made))["id"])
    manage("campaign", "launch", campaign, "--json")
    wait_for_campaign(campaign)
    plan_with_care(campaign)
    fill_other_channels(demo.folder, sample)


def plan_with_care(before: str) -> None:
    """Hours, a budget, an audience by condition, and a draft that keeps to them."""
    say("Setting sending hours and a budget, and drafting a campaign to an audience")
    manage("calendar", "create", "Daytime", "--hours", "mon-fri 09:00-20:00", "--hours", "sat 10:00-14:00")
    manage("budget", "set", "--app", APP_ID, "--per", "month", "--messages", "100000")
    manage("audience", "create", "Reached in Germany", "--where", f"country = DE and in campaign {before}")
    text = "Good news, {{first_name|there}}: your usual table is free on Friday."
    made = ["create", "--name", "Friday tables", "--app", APP_ID, "--text", text, "--calendar", "Daytime"]
    manage("campaign", *made, "--audience", "Reached in Germany")


def fill_other_channels(folder: Path, sample: Path) -> None:
    say("Reading bindings, owned numbers and SIP phones; sending a newsletter to 200 addresses")
    manage("numbers", "sync")
    manage("voice", "sync")
    manage("email", "lookup", EMAIL_APP)
    mail = ["--from", "test@mailpush.laaffic.cn", "--list", "1000", "--template", "1", "--subject", "What is new"]
    manage("email", "send", "--app", EMAIL_APP, *mail, "--json")
    say("Calling 200 of the contacts with a spoken reminder")
    callees = folder / "callees.csv"
    callees.write_text("".join(sample.open(encoding="utf-8-sig").readlines()[:201]))
    task = ["--name", "Table reminder", "--app", VOICE_APP, "--text", "Your table is ready at seven."]
    manage("voice", "group", "create", *task, "--file", str(callees), "--skip-invalid", "--launch", "--json")


def wait_for_campaign(campaign: str) -> None:
    """Wait until it has finished and nearly every report is in."""
    deadline = time.monotonic() + CAMPAIGN_PATIENCE
    while time.monotonic() < deadline:
        report = json.loads(manage("campaign", "report", campaign, "--json"))
        if report["state"] == "held":
            raise DemoFailed("the campaign was held; its page says why")
        if report["state"] == "finished" and not report["counts"]["accepted"]:
            counts = report["counts"]
            say(f"  {counts['delivered']:,} delivered, {counts['undelivered']:,} undelivered")
            return
        time.sleep(1)
    raise DemoFailed("the campaign did not finish in time")
