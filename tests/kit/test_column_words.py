"""Every column of every list has a heading in the reader's language."""

import pytest
from django.contrib import admin
from django.contrib.admin.utils import label_for_field
from django.utils.translation import override

OURS = {"messaging", "voice", "numbers", "gateway", "events", "notices", "exporting", "reports", "audit", "api"}
ALSO_IN_CHINESE = {"A", "B", "ID", "Laaffic ID", "Webhook", "appId", "bindId", "webhook", "webhook-id"}  # names


@pytest.mark.django_db
def test_no_heading_of_a_list_stays_english() -> None:
    english = []
    for model, page in admin.site._registry.items():
        if model._meta.app_label not in OURS:
            continue
        with override("zh-hans"):
            headings = {str(name): str(label_for_field(name, model, page)) for name in page.list_display}
        found = {name: said for name, said in headings.items() if said.isascii() and said not in ALSO_IN_CHINESE}
        english += [f"{model._meta.label}.{name}: {said}" for name, said in found.items() if said.strip("#% ")]

    assert english == [], "\n".join(english)
