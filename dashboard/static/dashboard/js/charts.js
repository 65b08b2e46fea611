// Draws the figures that the page carries as JSON. Colours are names of tokens ("--c1"), resolved here, so that one
// figure serves light, dark and system, and a change of theme redraws.
"use strict";
(() => {
  const CONFIG = { displayModeBar: false, responsive: true, scrollZoom: false, doubleClick: false };
  const PHONE = matchMedia("screen and (max-width: 719px)");

  function resolved(value, style) {
    if (typeof value === "string") return value.startsWith("--") ? style.getPropertyValue(value).trim() : value;
    if (Array.isArray(value)) return value.map((item) => resolved(item, style));
    if (value && typeof value === "object") {
      return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, resolved(item, style)]));
    }
    return value;
  }

  function draw(box) {
    const source = document.getElementById(box.dataset.chart);
    if (!source || !window.Plotly) return;
    const figure = resolved(JSON.parse(source.textContent), getComputedStyle(document.documentElement));
    if (PHONE.matches) narrow(figure);
    window.Plotly.react(box, figure.data, figure.layout, CONFIG).then(() => {
      box.dataset.drawn = "1";
      if (box.dataset.listens) return;
      box.dataset.listens = "1";
      // A marker's box carries the address of its change.
      box.on("plotly_clickannotation", (event) => {
        const link = event.annotation.name;
        if (typeof link === "string" && link.startsWith("/")) location.assign(link);
      });
      box.on("plotly_click", (event) => {
        const link = event.points[0] && event.points[0].customdata;
        if (typeof link === "string" && link.startsWith("/")) location.assign(link);
      });
    });
  }

  // On a phone there is no room for names at the side: the table below has them.
  function narrow(figure) {
    figure.layout.margin = { ...figure.layout.margin, l: 44, r: 8 };
    figure.layout.annotations = (figure.layout.annotations || []).filter((note) => note.xref !== "paper" || note.x < 1);
    figure.layout.xaxis = { ...figure.layout.xaxis, nticks: 4, tickvals: undefined, ticktext: undefined, tickmode: "auto" };
  }

  const drawAll = (root) => (root || document).querySelectorAll("[data-chart]").forEach(draw);
  document.addEventListener("htmx:afterSwap", (event) => drawAll(event.target.parentNode || document));
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => drawAll());
  PHONE.addEventListener("change", () => drawAll());
  window.addEventListener("beforeprint", () => drawAll());
  drawAll();
})();
