// Bulk selection in <form data-bulk data-total="N">, and the question before an action that can't be undone.
//
// Rows       tr[data-currency][data-amount="1234.5000"] with a checkbox named pk (disabled: not selectable)
// Head       [data-select-all] checkbox
// All        input[name=all_matching] "0"/"1"; [data-all-banner] with a link that loads the list with all
//            selected: [data-everything-banner], and boxes with data-everything, which are disabled without
//            this script; or with a button [data-all-matching];
//            <script type="application/json" data-open-totals>{"NOK": ["12", "34500.0000"]}</script>
// Bar        [data-bar] with [data-count data-text="{n} selected" data-text-one="…"],
//            [data-sum], [data-clear] and submit buttons
// Confirm    data-confirm="Post {n} invoices, {sum}?" on a button, link or form, asked through
//            <dialog id="confirm"> with [data-confirm-text] and buttons value=ok / value=cancel
//            (data-confirm-one: the text for one; data-confirm-ok: the verb on the OK button)
//
// Amounts are added in whole ten-thousandths (BigInt): never as floats, never over currencies.
(() => {
  const SCALE = 10000n;
  const lang = () => document.documentElement.lang || "en";
  const forms = () => document.querySelectorAll("form[data-bulk]");
  const boxes = (form) => [...form.querySelectorAll('input[name="pk"]:not(:disabled)')];

  // ---- exact amounts -------------------------------------------------------------------------------------
  function toUnits(text) {
    const match = /^\s*([-+\u2212]?)(\d*)(?:\.(\d*))?\s*$/.exec(text ?? "");
    if (!match) return 0n;
    const [, sign, whole, fraction = ""] = match;
    const units = BigInt(whole || "0") * SCALE + BigInt(fraction.slice(0, 4).padEnd(4, "0"));
    return sign && sign !== "+" ? -units : units;
  }

  function formatAmount(currency, units) {
    const size = units < 0n ? -units : units;
    const hundredths = (size + 50n) / 100n; // half up, away from zero
    const decimal = `${hundredths / 100n}.${String(hundredths % 100n).padStart(2, "0")}`;
    const digits = new Intl.NumberFormat(lang(), {
      minimumFractionDigits: 2,
      maximumFractionDigits: 2,
    }).format(decimal);
    return `${currency}\u00a0${units < 0n && hundredths > 0n ? "\u2212" : ""}${digits}`;
  }

  const formatCount = (n) => new Intl.NumberFormat(lang()).format(n);

  // ---- selection -----------------------------------------------------------------------------------------
  function openTotals(form) {
    const script = form.querySelector("script[data-open-totals]");
    return script ? JSON.parse(script.textContent || "{}") : {};
  }

  function selection(form) {
    const selectable = boxes(form);
    const chosen = selectable.filter((box) => box.checked);
    const everything = form.querySelector('[name="all_matching"]')?.value === "1";
    const sums = new Map();
    if (everything) {
      for (const [currency, [, sum]] of Object.entries(openTotals(form))) sums.set(currency, toUnits(sum));
    } else {
      for (const box of chosen) {
        const { currency, amount } = box.closest("tr")?.dataset ?? {};
        if (currency) sums.set(currency, (sums.get(currency) ?? 0n) + toUnits(amount));
      }
    }
    const sum = [...sums]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([currency, units]) => formatAmount(currency, units))
      .join(" · ");
    return {
      selectable,
      chosen,
      everything,
      sum,
      n: everything ? Number(form.dataset.total) : chosen.length,
    };
  }

  const setText = (element, text) => {
    if (element && element.textContent !== text) element.textContent = text;
  };

  function refresh(form) {
    const part = (selector) => form.querySelector(selector);
    const matching = part('[name="all_matching"]');
    const head = part("[data-select-all]");
    let now = selection(form);
    if (now.everything && now.chosen.length < now.selectable.length) {
      matching.value = "0"; // one row was deselected: no longer "all"
      now = selection(form);
    }
    const { selectable, chosen, everything, n, sum } = now;
    const whole = selectable.length > 0 && chosen.length === selectable.length;
    if (head) {
      head.checked = whole;
      head.indeterminate = chosen.length > 0 && !whole;
      head.disabled = selectable.length === 0;
    }
    const count = part("[data-count]");
    if (count) {
      const text = (n === 1 && count.dataset.textOne) || count.dataset.text || "{n} selected";
      setText(count, n ? text.replaceAll("{n}", formatCount(n)) : "");
    }
    setText(part("[data-sum]"), sum);
    const bar = part("[data-bar]");
    if (bar) bar.hidden = n === 0;
    const banner = part("[data-all-banner]");
    if (banner) banner.hidden = everything || !whole || !(Number(form.dataset.total) > selectable.length);
    const said = part("[data-everything-banner]");
    if (said) said.hidden = !everything;
  }

  function refreshAll() {
    for (const box of document.querySelectorAll('input[name="pk"][data-everything]')) {
      box.disabled = false;
      box.removeAttribute("data-everything");
    }
    forms().forEach(refresh);
  }

  const focusActions = (form) =>
    form.querySelector("[data-bar] button:not([data-clear])")?.focus({ preventScroll: true });

  // ---- events --------------------------------------------------------------------------------------------
  let last = null; // the row clicked before, for shift-click

  document.addEventListener("change", (event) => {
    const form = event.target.closest("form[data-bulk]");
    if (!form) return;
    if (event.target.matches("[data-select-all]")) {
      for (const box of boxes(form)) box.checked = event.target.checked;
    }
    if (event.target.matches('[data-select-all], input[name="pk"]')) refresh(form);
  });

  document.addEventListener("click", (event) => {
    const form = event.target.closest("form[data-bulk]");
    if (!form) return;
    if (event.target.matches('input[name="pk"]')) {
      const list = boxes(form);
      if (event.shiftKey && list.includes(last)) {
        const [from, to] = [list.indexOf(last), list.indexOf(event.target)].sort((a, b) => a - b);
        for (const box of list.slice(from, to + 1)) box.checked = event.target.checked;
        refresh(form);
      }
      last = event.target;
    }
    if (event.target.closest("[data-all-matching]")) {
      form.querySelector('[name="all_matching"]').value = "1";
      refresh(form);
      focusActions(form);
    }
    if (event.target.closest("[data-clear]")) {
      for (const box of boxes(form)) box.checked = false;
      const matching = form.querySelector('[name="all_matching"]');
      if (matching) matching.value = "0";
      refresh(form);
    }
  });

  // shift-click on a row's label must not select text
  document.addEventListener("mousedown", (event) => {
    if (event.shiftKey && event.target.closest("form[data-bulk] td.check")) event.preventDefault();
  });

  // first load, the back button's cache, a browser that restores forms, and htmx swaps
  addEventListener("pageshow", refreshAll);
  document.addEventListener("htmx:afterSettle", (event) => {
    refreshAll();
    if (new URL(event.detail.pathInfo.responsePath, location).searchParams.has("_all")) {
      forms().forEach(focusActions);
    }
  });
  document.addEventListener("htmx:historyRestore", refreshAll);

  // ---- confirmation --------------------------------------------------------------------------------------
  const byHtmx = (element) =>
    ["get", "post", "put", "patch", "delete"].some((verb) => element.hasAttribute(`hx-${verb}`));
  let answered = null; // the element that was confirmed with OK

  function question(element, form) {
    const bulk = form?.closest("form[data-bulk]");
    const { n, sum } = bulk ? selection(bulk) : { n: "", sum: "" };
    const text = (n === 1 && element.dataset.confirmOne) || element.dataset.confirm;
    return text.replaceAll("{n}", n === "" ? "" : formatCount(n)).replaceAll("{sum}", sum);
  }

  function ask(element, form, then) {
    const dialog = document.getElementById("confirm");
    const proceed = () => {
      answered = element;
      then();
      answered = null;
    };
    if (!dialog) {
      if (window.confirm(question(element, form))) proceed();
      return;
    }
    if (dialog.open) return;
    dialog.querySelector("[data-confirm-text]").textContent = question(element, form);
    const ok = dialog.querySelector('button[value="ok"]');
    if (ok) {
      ok.dataset.label ??= ok.textContent;
      ok.textContent = element.dataset.confirmOk || ok.dataset.label;
      ok.classList.toggle("danger", element.classList.contains("danger"));
    }
    dialog.returnValue = "cancel";
    dialog.addEventListener("close", () => dialog.returnValue === "ok" && proceed(), { once: true });
    dialog.showModal();
  }

  // in the capture phase, so that neither the browser nor htmx acts before the answer
  addEventListener(
    "submit",
    (event) => {
      const form = event.target;
      const button = event.submitter;
      const element = button?.dataset.confirm ? button : form.dataset.confirm ? form : null;
      if (!element || answered === element) return;
      event.preventDefault();
      event.stopImmediatePropagation();
      ask(element, form, () => form.requestSubmit(button && button.form === form ? button : undefined));
    },
    true,
  );

  addEventListener(
    "click",
    (event) => {
      const element = event.target.closest?.("a[data-confirm], button[data-confirm], input[data-confirm]");
      if (!element || answered === element || element.disabled) return;
      if (element.form && element.type === "submit" && !byHtmx(element)) return; // the submit event asks
      event.preventDefault();
      event.stopImmediatePropagation();
      ask(element, element.form, () => element.click());
    },
    true,
  );
})();
