from django.urls import path

from laaffic_console.dashboard import views

urlpatterns = [path("healthz", views.healthz), path("readyz", views.readyz)]
