"""Signatures: the convention's own vector, and two of them while a secret is replaced."""

import datetime as dt

from standardwebhooks.webhooks import Webhook as Signer

from laaffic_console.events import sealed, signing

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
BODY = '{"test": 2432232314}'
AT = dt.datetime.fromtimestamp(1614265330, dt.UTC)
SIGNATURE = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="  # published with the convention


def test_the_published_vector() -> None:
    said = signing.headers([Signer(SECRET)], "msg_p5jXN8AQM9LWM0D4loKWxJek", BODY, AT)
    assert said["webhook-signature"] == SIGNATURE
    assert (said["webhook-id"], said["webhook-timestamp"]) == ("msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330")


def test_either_secret_verifies_while_one_is_replaced() -> None:
    old, new = signing.new_secret(), signing.new_secret()
    now = dt.datetime.now(dt.UTC)
    said = signing.headers([Signer(new), Signer(old)], "evt_1_ab", BODY, now)
    for secret in (old, new):
        assert Signer(secret).verify(BODY, said) == {"test": 2432232314}


def test_a_sealed_secret_tells_nothing_and_opens_again() -> None:
    kept = sealed.seal(SECRET)
    assert SECRET[6:] not in kept
    assert sealed.opened(kept) == SECRET
