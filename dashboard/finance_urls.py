"""The addresses of the place Finance, below those of a project."""

from django.urls import URLPattern, URLResolver, path

from dashboard.pages import month, month_acts

urlpatterns: list[URLPattern | URLResolver] = [
    path("", month.finance, name="finance"),
    path("exports/<int:number>", month_acts.file, name="month_file"),
    path("invoices/<int:number>", month_acts.change_invoice, name="month_invoice_change"),
    path("rates/enter", month_acts.enter_rate, name="month_rate"),
    path("rates/<int:number>/remove", month_acts.remove_rate, name="month_rate_remove"),
    path("currency", month_acts.choose_currency, name="month_currency"),
    path("schedules/add", month_acts.add_schedule, name="month_schedule"),
    path("schedules/<int:number>/stop", month_acts.stop_schedule, name="month_schedule_stop"),
    path("<str:month>", month.month, name="month"),
    path("<str:month>/export", month_acts.export, name="month_export"),
    path("<str:month>/invoices", month_acts.enter_invoice, name="month_invoice"),
]
