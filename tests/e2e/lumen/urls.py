from django.urls import path

from lumen.studies import views

urlpatterns = [
    path("api/session/", views.SessionView.as_view()),
    path("api/worklist/", views.WorklistView.as_view()),
    path("api/reports/<int:number>/", views.ReportView.as_view()),
    path("api/reports/<int:number>/findings/", views.FindingsView.as_view()),
    path("api/reports/<int:number>/signature/", views.SignatureView.as_view()),
    path("api/overview/", views.OverviewView.as_view()),
]
