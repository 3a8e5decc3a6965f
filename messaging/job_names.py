"""Jobs that more than one service rings for; what only one module rings for is named there."""

SEND_CAMPAIGN = "messaging.jobs.send_campaign"
FREEZE_AUDIENCE = "messaging.jobs.freeze_audience"
FOLLOW_CANARIES = "messaging.jobs.follow_canaries"
FOLLOW_ACCOUNT = "messaging.jobs.follow_account"
