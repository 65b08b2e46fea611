"""The addresses of budgets, below those of a project."""

from django.urls import URLPattern, URLResolver, path

from dashboard.pages import budgets

pages: list[URLPattern | URLResolver] = [
    path("budgets", budgets.budgets, name="budgets"),
    path("budgets/new", budgets.new, name="budget_new"),
    path("budgets/<int:number>", budgets.edit, name="budget"),
    path("budgets/<int:number>/delete", budgets.delete, name="budget_delete"),
]
