"""The gateway's pages; those of the queue's own tables are left out."""

from django.contrib import admin
from django_q import models as queue_models

from laaffic_console.gateway.admin import applications, holds, ledger, pushes, workers

__all__ = ["applications", "holds", "ledger", "pushes", "workers"]

# The queue only rings bells; its tables would tell an operator nothing.
for model in (queue_models.Schedule, queue_models.Success, queue_models.Failure, queue_models.OrmQ):
    if admin.site.is_registered(model):
        admin.site.unregister(model)
