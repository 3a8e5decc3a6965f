"""The address at which the link in a mail opens its report."""

from django.urls import path

from laaffic_console.reports.reading import read_view

urlpatterns = [path("reports/<int:pk>.csv", read_view, name="read_report")]
