from messaging.jobs.campaigns import apply_sms_reports, freeze_audience, pull_reports, send_campaign, sweep

__all__ = ["apply_sms_reports", "freeze_audience", "pull_reports", "send_campaign", "sweep"]
