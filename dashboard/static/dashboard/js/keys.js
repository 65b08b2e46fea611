// Keys press what carries them (data-key); the server's table in keys.py says which there are.
"use strict";
(() => {
  let first = "";

  function press(keys) {
    const found = [...document.querySelectorAll(`[data-key="${CSS.escape(keys)}"]`)];
    if (!found.length) return false;
    const target = found[0];
    const menu = target.closest("details.menu");
    if (target.tagName === "SUMMARY") {
      menu.open = true;
      target.focus();
    } else target.click();
    return true;
  }

  function escape() {
    if (window.flowledger.closeMenus()) return;
    press("Esc");
  }

  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.metaKey || event.ctrlKey || event.altKey) return;
    if (document.querySelector("dialog[open]")) return;
    if (event.key === "Escape") return escape();
    if (event.target.closest("input, textarea, select, [contenteditable]")) return;
    if (event.key === "?") return document.getElementById("keys").showModal();
    if (event.key === "j" || event.key === "k") return window.flowledger.walk(event.key === "j" ? 1 : -1);
    const keys = first ? `${first} ${event.key}` : event.key;
    first = "";
    if (event.key === "g" && keys === "g") {
      first = "g";
      return;
    }
    if (press(keys)) event.preventDefault();
  });

  document.body.dataset.ready = "1";
})();
