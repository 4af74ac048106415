// Keyboard. Nothing happens while a field is being typed in, with Ctrl/Alt/Meta, or while a dialog is open.
//
// Everywhere   /  focus [data-search]     ?  open <dialog id="keys">
//              g x  follow the link with data-key="x"
//              u  click [data-undo]       f  focus the first field in [data-filters]     Esc  close a menu
// In table[data-keys] (rows: tr[data-row="id"], its form: form[data-bulk])
//              ↓ ↑ j k Home End  move     Shift+↓ ↑  extend the selection     Space x  select the row
//              a  select the page         Esc  clear                           Enter  the row's first link
//              a key equal to a button's data-verb-key: it, for the selection or else the focused row
// The focused row is kept over htmx swaps and reloads (sessionStorage, by path).
(() => {
  const GO_WAIT = 1500;
  const STORE = `row:${location.pathname}`;
  let goUntil = 0;
  let anchor = null; // where a Shift+arrow selection began
  let inRow = false; // the last focus was in a row

  const typing = (target) =>
    target.isContentEditable ||
    (target.matches?.("input, textarea, select") &&
      !target.matches("input:is([type=checkbox], [type=button], [type=submit])"));

  // ---- rows ----------------------------------------------------------------------------------------------
  const table = () =>
    document.activeElement?.closest?.("table[data-keys]") ?? document.querySelector("table[data-keys]");
  const rowsOf = (grid) => [...grid.querySelectorAll("tr[data-row]")];
  const boxOf = (row) => row?.querySelector('input[name="pk"]:not(:disabled)');
  const currentRow = (grid) => grid.querySelector('tr[data-row][tabindex="0"]');

  function recall() {
    try {
      return JSON.parse(sessionStorage.getItem(STORE));
    } catch {
      return null;
    }
  }

  function remember(row, index) {
    try {
      sessionStorage.setItem(STORE, JSON.stringify({ id: row.dataset.row, index }));
    } catch {
      /* no storage: the focused row is lost on reload */
    }
  }

  // one row is in the tab order at a time
  function makeCurrent(row) {
    const rows = rowsOf(row.closest("table"));
    for (const other of rows) other.tabIndex = other === row ? 0 : -1;
    remember(row, rows.indexOf(row));
  }

  function go(row) {
    if (!row) return;
    makeCurrent(row);
    row.focus({ preventScroll: true });
    row.scrollIntoView({ block: "nearest" });
  }

  function check(row, on) {
    const box = boxOf(row);
    if (!box || box.checked === on) return;
    box.checked = on;
    box.dispatchEvent(new Event("change", { bubbles: true }));
  }

  function move(grid, to, extend) {
    const rows = rowsOf(grid);
    const current = currentRow(grid);
    const focused = grid.contains(document.activeElement);
    const from = rows.indexOf(current);
    const target =
      rows[Math.max(0, Math.min(rows.length - 1, focused ? to(from, rows.length) : Math.max(from, 0)))];
    if (!target) return;
    if (extend && current) {
      anchor = rows.includes(anchor) ? anchor : current;
      const start = rows.indexOf(anchor);
      const end = rows.indexOf(target);
      if (Math.abs(end - start) < Math.abs(from - start)) check(current, false);
      for (const row of rows.slice(Math.min(start, end), Math.max(start, end) + 1)) check(row, true);
    } else {
      anchor = null;
    }
    go(target);
  }

  function setUp({ focus }) {
    for (const grid of document.querySelectorAll("table[data-keys]")) {
      const rows = rowsOf(grid);
      if (!rows.length) continue;
      const kept = recall();
      const row =
        rows.find((each) => each.dataset.row === kept?.id) ??
        (kept && rows[Math.min(kept.index, rows.length - 1)]) ??
        rows[0];
      for (const each of rows) each.tabIndex = each === row ? 0 : -1;
      if (focus && kept && document.activeElement === document.body) row.focus({ preventScroll: false });
    }
  }

  // ---- actions -------------------------------------------------------------------------------------------
  function runVerb(grid, key) {
    const form = grid.closest("form");
    const button =
      form && [...form.querySelectorAll("[data-verb-key]")].find((each) => each.dataset.verbKey === key);
    if (!button || button.disabled) return false;
    const anything =
      form.querySelector('input[name="pk"]:checked') ||
      form.querySelector('[name="all_matching"]')?.value === "1";
    if (!anything) {
      const row = grid.contains(document.activeElement) ? currentRow(grid) : null;
      if (!boxOf(row)) return true; // nothing to act on
      check(row, true);
    }
    button.click();
    return true;
  }

  function clearSelection(grid) {
    const form = grid.closest("form");
    const button = form?.querySelector("[data-clear]");
    if (button) button.click();
    else for (const row of rowsOf(grid)) check(row, false);
    anchor = null;
  }

  function selectPage(grid) {
    const head = grid.querySelector("[data-select-all]");
    if (!head) {
      for (const row of rowsOf(grid)) check(row, true);
    } else if (!head.checked) {
      head.checked = true;
      head.dispatchEvent(new Event("change", { bubbles: true }));
    }
  }

  function inTable(event, grid) {
    const { key, target } = event;
    const focused = grid.contains(document.activeElement);
    const free = focused || document.activeElement === document.body;
    const control = target.closest?.("a, button, summary, input");
    const current = currentRow(grid);
    if (free && key === "ArrowDown") move(grid, (i) => i + 1, event.shiftKey);
    else if (free && key === "ArrowUp") move(grid, (i) => i - 1, event.shiftKey);
    else if (focused && key === "Home") move(grid, () => 0, event.shiftKey);
    else if (focused && key === "End") move(grid, (_, length) => length - 1, event.shiftKey);
    else if (key === " " && focused && !control && boxOf(current)) check(current, !boxOf(current).checked);
    else if (key === "Enter" && focused && !control)
      (current?.querySelector(".c-main a[href]") ?? current?.querySelector("a[href]"))?.click();
    else if (key === "Escape" && free) clearSelection(grid);
    else if (key.length === 1 && !event.repeat && runVerb(grid, key)) return true;
    else if (key === "j") move(grid, (i) => i + 1, false);
    else if (key === "k") move(grid, (i) => i - 1, false);
    else if (key === "x" && focused && boxOf(current)) check(current, !boxOf(current).checked);
    else if (key === "a") selectPage(grid);
    else return false;
    return true;
  }

  function focusFilter() {
    const details = document.querySelector("[data-filters]");
    if (!details) return false;
    if (details.matches("details")) details.open = true;
    details.querySelector("input:not([type=hidden]), select")?.focus();
    return true;
  }

  function search() {
    const fields = [...document.querySelectorAll("[data-search]")];
    const field = fields.find((each) => each.checkVisibility?.() ?? true);
    field?.focus();
    field?.select?.();
    return Boolean(field);
  }

  // in a live region that already exists, so that a screen reader announces it; written again each time
  function sayNothingToUndo() {
    const said = document.querySelector("[data-said]");
    if (!said) return;
    said.className = "flash info";
    said.textContent = "";
    setTimeout(() => (said.textContent = said.dataset.nothingToUndo), 50);
  }

  function press(event) {
    const { key } = event;
    if (goUntil > Date.now() && key.length === 1) {
      goUntil = 0;
      const link = document.querySelector(`a[data-key="${CSS.escape(key.toLowerCase())}"]`);
      link?.click();
      return Boolean(link);
    }
    if (key === "g") {
      goUntil = Date.now() + GO_WAIT;
      return true;
    }
    if (key === "/") return search();
    if (key === "?") {
      const dialog = document.getElementById("keys");
      dialog?.showModal();
      return Boolean(dialog);
    }
    const grid = table();
    if (grid && inTable(event, grid)) return true;
    if (key === "u" && !event.repeat) {
      const undo = document.querySelector("[data-undo]");
      if (undo) undo.click();
      else sayNothingToUndo();
      return true;
    }
    return key === "f" && focusFilter();
  }

  // ---- events --------------------------------------------------------------------------------------------
  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.isComposing || event.ctrlKey || event.metaKey || event.altKey) return;
    const dialog = document.querySelector("dialog[open]");
    if (dialog) {
      if (event.key === "?" && dialog.id === "keys") dialog.close();
      return;
    }
    if (event.key === "Escape") {
      const menu = document.querySelector("details.menu[open]");
      if (menu) {
        menu.open = false;
        menu.querySelector("summary").focus();
        return;
      }
    }
    if (typing(event.target)) return;
    if (press(event)) event.preventDefault();
  });

  document.addEventListener("click", (event) => {
    const opener = event.target.closest("[data-open]"); // <button data-open="keys"> opens <dialog id="keys">
    if (opener) document.getElementById(opener.dataset.open)?.showModal();
    if (event.target.closest("[data-close]")) event.target.closest("dialog")?.close();
    if (event.target.matches?.("dialog#keys")) event.target.close(); // the backdrop
  });

  document.addEventListener("focusin", (event) => {
    const row = event.target.closest("table[data-keys] tr[data-row]");
    inRow = Boolean(row);
    if (row) makeCurrent(row);
  });

  document.addEventListener("htmx:afterSettle", () => setUp({ focus: inRow }));

  // after an action, continue from the same row; a new visit starts at the top
  const cameBack = () => {
    const [entry] = performance.getEntriesByType("navigation");
    if (entry?.type === "reload") return true;
    try {
      return new URL(document.referrer).pathname === location.pathname;
    } catch {
      return false;
    }
  };
  setUp({ focus: cameBack() });
})();
