from django.urls import path

from laaffic_console.api import campaign_views, message_views, other_views, problems, schema

urlpatterns = [
    path("v1/openapi.json", schema.SchemaView.as_view(), name="api_schema"),
    path("v1/docs", schema.docs_view, name="api_docs"),
    path("v1/messages", message_views.MessagesView.as_view()),
    path("v1/messages/<int:pk>", message_views.MessageView.as_view()),
    path("v1/campaigns", campaign_views.CampaignsView.as_view()),
    path("v1/campaigns/<int:pk>", campaign_views.CampaignView.as_view()),
    path("v1/campaigns/<int:pk>/check", campaign_views.CheckView.as_view()),
    path("v1/campaigns/<int:pk>/launch", campaign_views.LaunchView.as_view()),
    path("v1/campaigns/<int:pk>/pause", campaign_views.PauseView.as_view()),
    path("v1/campaigns/<int:pk>/resume", campaign_views.ResumeView.as_view()),
    path("v1/campaigns/<int:pk>/cancel", campaign_views.CancelView.as_view()),
    path("v1/campaigns/<int:pk>/report", campaign_views.ReportView.as_view()),
    path("v1/campaigns/<int:pk>/recipients", campaign_views.RecipientsView.as_view()),
    path("v1/contacts", other_views.ContactsView.as_view()),
    path("v1/contacts/<int:pk>", other_views.ContactView.as_view()),
    path("v1/groups", other_views.GroupsView.as_view()),
    path("v1/suppression", other_views.SuppressionView.as_view()),
    path("v1/replies", other_views.RepliesView.as_view()),
    path("v1/balance", other_views.BalanceView.as_view()),
    path("v1/health", other_views.HealthView.as_view()),
    path("<path:rest>", problems.nothing_here),
]
