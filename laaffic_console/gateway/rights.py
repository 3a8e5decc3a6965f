"""The rights by which somebody does something on a page that others only look at: their menus and searches name it."""

LEDGER_ACTS = ("gateway.settle_ledgerentry", "gateway.export_ledgerentry")
