from messaging.services.contacts import import_forecast, import_undo, imports, name_index


def run_contact_import(import_id: int) -> None:
    imports.run(import_id)


def undo_contact_import(import_id: int) -> None:
    import_undo.run(import_id)


def forecast_contact_import(import_id: int) -> None:
    import_forecast.run(import_id)


def index_names() -> None:
    name_index.index_waiting()
