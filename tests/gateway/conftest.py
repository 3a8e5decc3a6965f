"""An application, and a sandbox for what asks the gateway."""

from tests.messaging.conftest import application, sandbox

__all__ = ["application", "sandbox"]
