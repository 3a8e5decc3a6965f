"""Jobs about imports of contacts."""

from messaging.services.contacts import name_index
from messaging.services.imports import consent_imports, imports
from messaging.services.imports import forecast as import_forecast
from messaging.services.imports import undo as import_undo


def run_contact_import(import_id: int) -> None:
    imports.run(import_id)


def undo_contact_import(import_id: int) -> None:
    import_undo.run(import_id)


def forecast_contact_import(import_id: int) -> None:
    import_forecast.run(import_id)


def run_consent_import(import_id: int) -> None:
    consent_imports.run(import_id)


def index_names() -> None:
    name_index.index_waiting()
