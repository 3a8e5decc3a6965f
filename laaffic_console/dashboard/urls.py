"""The addresses of health, metrics, search and of what somebody chooses for their own pages."""

from django.contrib import admin
from django.urls import path

from laaffic_console.dashboard import chosen_language, views
from laaffic_console.dashboard.front import first_steps, tour
from laaffic_console.dashboard.health import metrics
from laaffic_console.dashboard.lists import columns_kept, saved_filters

urlpatterns = [
    path("healthz", views.healthz),
    path("readyz", views.readyz),
    path("metrics", metrics.view),
    path("language", chosen_language.choose, name="set_language"),
    # This takes the place of the admin's own search, which the command palette asks by this address.
    path("admin/search/", admin.site.admin_view(views.search_view), name="search_everything"),
    path("admin/filters/", admin.site.admin_view(saved_filters.save_view), name="save_filter"),
    path("admin/filters/<int:pk>/remove/", admin.site.admin_view(saved_filters.remove_view), name="remove_filter"),
    path("admin/columns/", admin.site.admin_view(columns_kept.choose_view), name="choose_columns"),
    path("admin/first-steps/put-away/", admin.site.admin_view(first_steps.put_away), name="put_first_steps_away"),
    path("admin/tour/", admin.site.admin_view(tour.view), name="tour"),
    path("admin/health/", admin.site.admin_view(views.health_view), name="health"),
    path("admin/health/support-bundle/", admin.site.admin_view(views.support_bundle_view), name="support_bundle"),
]
