"""Pages of what limits sending: approvals, budgets, calendars, caps, prices."""
