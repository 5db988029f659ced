"""The invoices' pages, under /apps/invoices/."""

from django.urls import path

from plugins.invoices_plugin import views

urlpatterns = [
    path("", views.InvoiceList.as_view(), name="list"),
    path("<int:pk>/", views.InvoiceDetail.as_view(), name="detail"),
    path("<int:pk>/print/", views.InvoicePrint.as_view(), name="print"),
    path("<int:pk>/paid/", views.InvoicePaid.as_view(), name="paid"),
    path("<int:pk>/unpaid/", views.InvoiceUnpaid.as_view(), name="unpaid"),
]
