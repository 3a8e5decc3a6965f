"""The pages of numbers."""

from phone_numbers.admin import binding_requests, bindings, owned, pools

__all__ = ["binding_requests", "bindings", "owned", "pools"]
