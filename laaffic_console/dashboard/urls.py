from django.contrib import admin
from django.urls import path

from laaffic_console.dashboard import views

urlpatterns = [
    path("healthz", views.healthz),
    path("readyz", views.readyz),
    path("admin/health/", admin.site.admin_view(views.health_view), name="health"),
]
