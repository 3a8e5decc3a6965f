"""The pages of numbers."""

from phone_numbers.admin import bindings, owned, pools

__all__ = ["bindings", "owned", "pools"]
