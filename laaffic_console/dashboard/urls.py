from django.contrib import admin
from django.urls import path

from laaffic_console.dashboard import languages, views

urlpatterns = [
    path("healthz", views.healthz),
    path("readyz", views.readyz),
    path("language", languages.choose, name="set_language"),
    path("admin/health/", admin.site.admin_view(views.health_view), name="health"),
]
