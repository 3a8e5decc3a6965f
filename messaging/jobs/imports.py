from messaging.services.contacts import imports


def run_contact_import(import_id: int) -> None:
    imports.run(import_id)
