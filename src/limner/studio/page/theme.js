// Runs before the first paint, so that a chosen theme does not flash in the other one.
(() => {
  let chosen = null;
  try {
    chosen = localStorage.getItem("limner-theme");
  } catch {
    // a browser that keeps nothing follows the system
  }
  if (chosen === "dark" || chosen === "light") document.documentElement.dataset.theme = chosen;
})();
