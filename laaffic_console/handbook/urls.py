"""The addresses of the help."""

from django.contrib import admin
from django.urls import path

from laaffic_console.handbook import views

inside = admin.site.admin_view

urlpatterns = [
    path("admin/help/", inside(views.index_view), name="help"),
    path("admin/help/pictures/<str:picture>", inside(views.picture_view), name="help_picture"),
    path("admin/help/<path:help_page>/", inside(views.page_view), name="help_page"),
]
