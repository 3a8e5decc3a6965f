"""The jobs of voice, under the names that bells ring for."""

from voice.jobs.calls import apply_ringing, apply_voice_reports, start_launched, sweep, sync

__all__ = ["apply_ringing", "apply_voice_reports", "start_launched", "sweep", "sync"]
