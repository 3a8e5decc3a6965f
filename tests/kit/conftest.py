"""An application to send with."""

from tests.messaging.conftest import application

__all__ = ["application"]
