"""Signatures by the Standard Webhooks convention (standardwebhooks.com), made by its own library."""

import base64
import datetime as dt
import secrets

from standardwebhooks.webhooks import Webhook as Signer

SECRET_BYTES = 32


def new_secret() -> str:
    return "whsec_" + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()


def headers(signers: list[Signer], webhook_id: str, body: str, now: dt.datetime) -> dict[str, str]:
    """Signed by each secret that is good now: while one is replaced there are two."""
    return {
        "Content-Type": "application/json",
        "User-Agent": "laaffic-console",
        "webhook-id": webhook_id,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": " ".join(signer.sign(webhook_id, now, body) for signer in signers),
    }
