from voice.jobs.calls import apply_voice_reports, sweep, sync

__all__ = ["apply_voice_reports", "sweep", "sync"]
