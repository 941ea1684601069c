from django.urls import path

from clinic import views

urlpatterns = [
    path("me/", views.ClinicView.as_view()),
    path("patients/<str:patient>/", views.TechView.as_view()),
    path("tech/", views.TechView.as_view()),
    path("staff/", views.StaffView.as_view()),
    path("admin-or-doctor/", views.AdminOrDoctorView.as_view()),
    path("not-tech/", views.NotTechView.as_view()),
    path("open/", views.OpenView.as_view()),
    path("public/", views.PublicView.as_view()),
    path("public-tech/", views.PublicTechView.as_view()),
    path("public-user/", views.PublicUserView.as_view()),
    path("plain/", views.plain),
    path("plain-async/", views.plain_async),
    path("unguarded/", views.unguarded),
    path("unguarded-async/", views.unguarded_async),
]
