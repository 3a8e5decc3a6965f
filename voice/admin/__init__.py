"""The pages of voice."""

from voice.admin import audio, calls, group_tasks, phones, records, spoken

__all__ = ["audio", "calls", "group_tasks", "phones", "records", "spoken"]
