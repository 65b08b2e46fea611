"""The addresses of `dashboard`."""

from django.urls import URLPattern, URLResolver, include, path

from dashboard import alert_urls, budget_urls
from dashboard.pages import (
    changes,
    compare,
    demo,
    explore,
    find,
    flow,
    lists,
    overview,
    quality,
    run,
    start,
    theme,
    trust,
    views,
)
from dashboard.pages.settings import catalogue, history, keys, members, prices, project, scores

settings: list[URLPattern | URLResolver] = [
    path("", project.project, name="settings"),
    path("members", members.members, name="settings_members"),
    path("members/invite", members.add, name="settings_invite"),
    path("members/<int:number>", members.role, name="settings_role"),
    path("invitations/<int:number>", members.take_back, name="settings_withdraw_invitation"),
    path("keys", keys.keys, name="settings_keys"),
    path("keys/create", keys.create, name="settings_create_key"),
    path("keys/<int:number>/revoke", keys.revoke, name="settings_revoke_key"),
    path("catalogue", catalogue.catalogue_page, name="settings_catalogue"),
    path("catalogue/confirm", catalogue.confirm, name="settings_catalogue_confirm"),
    path("catalogue/undo/<int:number>", catalogue.undo_change, name="settings_catalogue_undo"),
    path(
        "catalogue/flows/<int:number>", catalogue.entry_page, {"kind": "flow"}, name="settings_catalogue_flow"
    ),
    path(
        "catalogue/features/<int:number>",
        catalogue.entry_page,
        {"kind": "feature"},
        name="settings_catalogue_feature",
    ),
    path("prices", prices.prices, name="settings_prices"),
    path("prices/add", prices.add, name="settings_add_price"),
    path("prices/<int:number>/withdraw", prices.withdraw, name="settings_withdraw_price"),
    path("prices/apply", prices.apply, name="settings_reprice"),
    path("scores", scores.scores, name="settings_scores"),
    path("scores/<int:number>", scores.confirm, name="settings_score_confirm"),
    path("scores/primary/<int:number>", scores.primary, name="settings_score_primary"),
    path("imports", history.imports, name="settings_imports"),
    path("imports/<int:number>/undo", history.undo_import, name="settings_undo_import"),
    path("set-aside", history.set_aside, name="settings_set_aside"),
    path("set-aside/again", history.set_aside_again, name="settings_set_aside_again"),
    path("set-aside/<int:number>.json", history.set_aside_file, name="settings_set_aside_file"),
    path("audit", history.audit, name="settings_audit"),
    *alert_urls.settings,
]

project_pages: list[URLPattern | URLResolver] = [
    path("", overview.overview, name="overview"),
    path("explore", explore.explore, name="explore"),
    path("compare", compare.compare, name="compare"),
    path("flows", flow.flow, name="flow_named"),
    path("flows/<path:name>", flow.flow, name="flow"),
    path("find", find.find_page, name="find"),
    path("share", views.share, name="share"),
    path("views", views.views, name="views"),
    path("views/save", views.save, name="save_view"),
    path("views/<int:number>", views.view, name="view"),
    path("views/<int:number>/change", views.change, name="change_view"),
    path("quality", quality.quality, name="quality"),
    path("changes", changes.changes, name="changes"),
    path("changes/declare", changes.declare_change, name="change_declare"),
    path("changes/<int:number>", changes.change, name="change"),
    path("changes/<int:number>/edit", changes.edit_change, name="change_edit"),
    path("changes/<int:number>/delete", changes.delete_change, name="change_delete"),
    path("explore.csv", explore.as_csv, name="explore_csv"),
    path("values", explore.values, name="values"),
    path("runs", lists.runs, name="runs"),
    path("runs/<path:run_id>/content", run.content, name="run_content"),
    path("runs/<path:run_id>", run.run, name="run"),
    path("calls", lists.calls, name="calls"),
    path("trust/unpriced", lists.unpriced, name="trust_unpriced"),
    path("trust/rejected", trust.rejected, name="trust_rejected"),
    path("trust/duplicates", trust.duplicates, name="trust_duplicates"),
    path("start", start.start, name="start"),
    path("start/live", start.live, name="start_live"),
    path("start/hide", start.hide, name="start_hide"),
    path("demo/remove", demo.remove, name="remove_demo"),
    path("finance/", include("dashboard.finance_urls")),
    *alert_urls.pages,
    *budget_urls.pages,
    path("settings/", include(settings)),
]

urlpatterns: list[URLPattern | URLResolver] = [
    path("", overview.home, name="home"),
    path("theme", theme.choose, name="theme"),
    path("go/trace/<path:trace>", run.trace, name="go_trace"),
    path("p/<slug:slug>/", include(project_pages)),
]
