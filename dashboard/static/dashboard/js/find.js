// Find: arrows choose a result, Enter opens it. Share: the link follows the chosen period.
"use strict";
(() => {
  const dialog = document.getElementById("find");
  if (!dialog) return;
  const hits = () => [...dialog.querySelectorAll(".hit")];

  function choose(next) {
    hits().forEach((hit) => hit.classList.toggle("chosen", hit === next));
    if (next) next.scrollIntoView({ block: "nearest" });
  }

  dialog.addEventListener("keydown", (event) => {
    if (event.key === "Escape") { // a search field would only be emptied by it
      event.preventDefault();
      dialog.close();
      return;
    }
    const all = hits();
    const at = all.findIndex((hit) => hit.classList.contains("chosen"));
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      const step = event.key === "ArrowDown" ? 1 : -1;
      choose(all[(at + step + all.length) % all.length]);
    } else if (event.key === "Enter" && event.target.tagName === "INPUT" && at >= 0) {
      event.preventDefault();
      all[at].click();
    }
  });

  document.addEventListener("htmx:afterSwap", (event) => {
    if (event.target.id === "found") choose(hits()[0]);
  });

  document.addEventListener("change", (event) => {
    const link = event.target.dataset && event.target.dataset.share;
    if (link) document.getElementById("share-url").textContent = link;
  });

  // A click beside the paper puts it away.
  for (const paper of document.querySelectorAll("dialog")) {
    paper.addEventListener("click", (event) => {
      if (event.target === paper) paper.close();
    });
  }
})();
