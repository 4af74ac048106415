// The week grid: table[data-week] with input[data-cell][data-row][data-day].
//
// Arrows move between cells (left and right at the edge of the text or when all is selected); Enter goes down.
// Hours may be written 7,5 or 7.5 or 7:30. Totals are live: [data-row-total="row"], [data-day-total="day"],
// [data-week-total]; a cell that is not an input counts too ([data-cell] with data-value="7.5").
// [data-saved] is the stored value, if the server shows input that was not saved; [data-problem] keeps the
// server's error until the cell is changed. [data-rejected] does not count until it is changed.
// Hours are added in whole ten-thousandths (BigInt). Invalid input is aria-invalid and stops the form
// (message: data-invalid-text on the table). Leaving with unsaved hours asks first.
(() => {
  const SCALE = 10000n;
  const cellsOf = (table) => [...table.querySelectorAll("[data-cell]")];
  const inputsOf = (table) => [...table.querySelectorAll("input[data-cell]")];
  const tables = () => document.querySelectorAll("table[data-week]");
  let leaving = false; // the form is being submitted

  // ---- hours ---------------------------------------------------------------------------------------------
  // "7,5" "7.5" ",5" "7:30" → ten-thousandths; "" → 0; anything else → null
  function parse(text) {
    const value = text.trim().replace(/\u2212/g, "-");
    if (value === "") return 0n;
    const clock = /^(-?)(\d{1,4}):([0-5]\d)$/.exec(value);
    if (clock) {
      const minutes = BigInt(clock[2]) * 60n + BigInt(clock[3]);
      const units = (minutes * SCALE + 30n) / 60n;
      return clock[1] ? -units : units;
    }
    const decimal = /^(-?)(\d{0,4})(?:[.,](\d{0,4}))?$/.exec(value);
    if (!decimal || !(decimal[2] || decimal[3])) return null;
    const units = BigInt(decimal[2] || "0") * SCALE + BigInt((decimal[3] || "").padEnd(4, "0"));
    return decimal[1] ? -units : units;
  }

  function format(units) {
    const size = units < 0n ? -units : units;
    const hundredths = (size + 50n) / 100n;
    const decimal = `${hundredths / 100n}.${String(hundredths % 100n).padStart(2, "0")}`;
    const digits = new Intl.NumberFormat(document.documentElement.lang || "en", {
      maximumFractionDigits: 2,
    }).format(decimal);
    return units < 0n && hundredths > 0n ? `\u2212${digits}` : digits;
  }

  const valueOf = (cell) => (cell.matches("input") ? cell.value : (cell.dataset.value ?? cell.textContent));

  const savedOf = (input) => input.dataset.saved ?? input.defaultValue;

  // Rejected hours count again after a change, because saving makes them a draft.
  const isLeft = (cell) => "rejected" in cell.dataset && cell.value === savedOf(cell);

  function mark(input, ok) {
    const complained = "problem" in input.dataset && input.value === input.defaultValue;
    if (ok && !complained) input.removeAttribute("aria-invalid");
    else input.setAttribute("aria-invalid", "true");
    const text = input.closest("table").dataset.invalidText || "Write hours as 7.5, 7,5 or 7:30.";
    input.setCustomValidity(ok ? "" : text);
    input.closest("td")?.classList.toggle("dirty", input.value !== savedOf(input));
  }

  function refresh(table) {
    const rows = new Map();
    const days = new Map();
    let week = 0n;
    for (const cell of cellsOf(table)) {
      const units = parse(valueOf(cell));
      if (cell.matches("input")) mark(cell, units !== null);
      if (units === null || isLeft(cell)) continue;
      const { row, day } = cell.dataset;
      rows.set(row, (rows.get(row) ?? 0n) + units);
      days.set(day, (days.get(day) ?? 0n) + units);
      week += units;
    }
    const show = (element, units) => {
      const text = format(units ?? 0n);
      if (element.textContent !== text) element.textContent = text;
    };
    for (const each of table.querySelectorAll("[data-row-total]"))
      show(each, rows.get(each.dataset.rowTotal));
    for (const each of table.querySelectorAll("[data-day-total]"))
      show(each, days.get(each.dataset.dayTotal));
    const scope = table.closest("form") ?? document;
    for (const each of scope.querySelectorAll("[data-week-total]")) show(each, week);
  }

  const refreshAll = () => tables().forEach(refresh);
  const dirty = () =>
    [...tables()].some((table) => inputsOf(table).some((input) => input.value !== savedOf(input)));

  // ---- moving --------------------------------------------------------------------------------------------
  function move(input, down, across) {
    const row = input.closest("tr");
    let next;
    if (across) {
      const cells = [...row.querySelectorAll("input[data-cell]:not(:disabled)")];
      next = cells[cells.indexOf(input) + across];
    } else {
      const column = inputsOf(input.closest("table")).filter(
        (each) => each.dataset.day === input.dataset.day && !each.disabled,
      );
      next = column[column.indexOf(input) + down];
    }
    next?.focus();
    next?.select();
  }

  document.addEventListener("keydown", (event) => {
    if (!event.target.matches?.("table[data-week] input[data-cell]")) return;
    if (event.ctrlKey || event.metaKey || event.altKey || event.shiftKey || event.isComposing) return;
    const input = event.target;
    const { selectionStart: start, selectionEnd: end, value } = input;
    const all = start === 0 && end === value.length;
    const atStart = all || (start === 0 && end === 0);
    const atEnd = all || (start === value.length && end === value.length);
    if (event.key === "ArrowDown" || event.key === "Enter") move(input, 1, 0);
    else if (event.key === "ArrowUp") move(input, -1, 0);
    else if (event.key === "ArrowLeft" && atStart) move(input, 0, -1);
    else if (event.key === "ArrowRight" && atEnd) move(input, 0, 1);
    else return;
    event.preventDefault();
  });

  document.addEventListener("input", (event) => {
    if (event.target.matches?.("table[data-week] input[data-cell]")) refresh(event.target.closest("table"));
  });

  // ---- saving and leaving --------------------------------------------------------------------------------
  document.addEventListener("submit", (event) => {
    if (event.target.querySelector("table[data-week]")) leaving = true;
  });

  // a cell that htmx saved is no longer unsaved
  document.addEventListener("htmx:afterRequest", (event) => {
    const input = event.detail.elt;
    leaving = false;
    if (!event.detail.successful || !input?.matches?.("table[data-week] input[data-cell]")) return;
    input.defaultValue = input.dataset.saved = input.value;
    input.closest("td")?.classList.add("saved");
    refresh(input.closest("table"));
  });

  addEventListener("beforeunload", (event) => {
    if (!leaving && dirty()) event.preventDefault();
  });

  addEventListener("pageshow", () => {
    leaving = false;
    refreshAll();
  });
  document.addEventListener("htmx:afterSettle", refreshAll);
})();
