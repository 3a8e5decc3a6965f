"""The addresses of notices."""

from django.contrib import admin
from django.urls import path

from laaffic_console.notices import views

inside = admin.site.admin_view

urlpatterns = [
    path("admin/notices/", inside(views.list_view), name="notices"),
    path("admin/notices/bell/", inside(views.bell_view), name="notices_bell"),
    path("admin/notices/mine/", inside(views.choices_view), name="my_notices"),
    path("admin/notices/read/", inside(views.read_all_view), name="notices_read_all"),
    path("admin/notices/<int:pk>/", inside(views.open_view), name="notice_open"),
]
