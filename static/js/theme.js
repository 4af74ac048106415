// Theme: set before the first paint (load this one in <head>, not deferred), and the button that switches it.
// Also: filters start closed on narrow screens.
//   [data-theme-toggle]  a button that switches between light and dark; the choice is kept as "theme"
//   [data-filters]       a <details> that is closed on load when the screen is narrow
(() => {
  const root = document.documentElement;
  const KEY = "theme";

  const stored = () => {
    try {
      return localStorage.getItem(KEY);
    } catch {
      return null; // storage is blocked: follow the system
    }
  };
  const keep = (theme) => {
    try {
      localStorage.setItem(KEY, theme);
    } catch {
      /* the choice lasts for this page */
    }
  };

  const theme = stored();
  if (theme === "light" || theme === "dark") root.dataset.theme = theme;

  document.addEventListener("click", (event) => {
    if (!event.target.closest("[data-theme-toggle]")) return;
    const now = root.dataset.theme || (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light");
    root.dataset.theme = now === "dark" ? "light" : "dark";
    keep(root.dataset.theme);
  });

  document.addEventListener("DOMContentLoaded", () => {
    if (!matchMedia("(max-width: 72rem)").matches) return;
    for (const details of document.querySelectorAll("[data-filters]")) details.open = false;
  });
})();
