"""The orders' pages, under /apps/orders/."""

from django.urls import path

from plugins.orders_plugin import views

urlpatterns = [
    path("", views.OrderList.as_view(), name="list"),
    path("new/", views.OrderNew.as_view(), name="new"),
    path("<int:pk>/", views.OrderDetail.as_view(), name="detail"),
    path("<int:pk>/edit/", views.OrderEdit.as_view(), name="edit"),
    path("<int:pk>/confirm/", views.OrderConfirm.as_view(), name="confirm"),
    path("<int:pk>/cancel/", views.OrderCancel.as_view(), name="cancel"),
]
