"""The four endpoints of the contract."""

from django.urls import path

from accounts import views

urlpatterns = [
    path("api/token/", views.LoginView.as_view()),
    path("api/token/refresh/", views.RefreshView.as_view()),
    path("api/me/", views.MeView.as_view()),
    path("api/logout/", views.LogoutView.as_view()),
]
