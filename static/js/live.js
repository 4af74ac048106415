// Small improvements; every page also works without them.
//
// form[data-keep]       keeps a draft of what is typed (by path and <body data-user>), restores it while the
//                       server's values have not changed since, and drops it on submit.
//                       [data-kept] inside is shown after a restore; [data-forget] inside drops the draft.
// [data-print]          prints                    [data-copy="text" | "#id"]  copies; label: data-copied-text
// select[data-autosubmit]  submits its form       input[type=file]  its name appears in [data-file-name]
// form[method=get]      leaves empty fields out of the address (8,190 bytes at most)
// details.menu          closes on a click outside; the first field with an error gets the focus.
(() => {
  // ---- drafts --------------------------------------------------------------------------------------------
  const SKIP = "[type=hidden], [type=password], [type=file], [type=submit], [type=button], [data-nokeep]";
  const DAYS = 14;
  const timers = new WeakMap();

  const draftKey = (form) =>
    `draft:${document.body.dataset.user || "-"}:${location.pathname}:${form.dataset.keep || form.id || ""}`;
  const fieldsOf = (form) =>
    [...form.elements].filter(
      (field) => field.name && field.matches("input, select, textarea") && !field.matches(SKIP),
    );
  const idOf = (field) =>
    field.matches("[type=checkbox], [type=radio]") ? `${field.name}=${field.value}` : field.name;

  function read(field) {
    if (field.matches("[type=checkbox], [type=radio]")) return field.checked;
    if (field.matches("select"))
      return [...field.options].filter((option) => option.selected).map((option) => option.value);
    return field.value;
  }

  function initial(field) {
    if (field.matches("[type=checkbox], [type=radio]")) return field.defaultChecked;
    if (!field.matches("select")) return field.defaultValue;
    const options = [...field.options];
    const chosen = options.filter((option) => option.defaultSelected);
    if (!chosen.length && !field.multiple && options.length)
      return [options.find((option) => !option.disabled)?.value];
    return chosen.map((option) => option.value);
  }

  function write(field, value) {
    if (field.matches("[type=checkbox], [type=radio]")) field.checked = value;
    else if (field.matches("select"))
      for (const option of field.options) option.selected = value.includes(option.value);
    else field.value = value;
  }

  const same = (a, b) => JSON.stringify(a) === JSON.stringify(b);

  function saveDraft(form) {
    const changed = {};
    for (const field of fieldsOf(form)) {
      if (!same(read(field), initial(field))) changed[idOf(field)] = [initial(field), read(field)];
    }
    try {
      if (Object.keys(changed).length)
        localStorage.setItem(draftKey(form), JSON.stringify({ at: Date.now(), changed }));
      else localStorage.removeItem(draftKey(form));
    } catch {
      /* storage is full or blocked: no draft */
    }
  }

  function dropDraft(form) {
    clearTimeout(timers.get(form));
    try {
      localStorage.removeItem(draftKey(form));
    } catch {
      /* nothing was kept */
    }
  }

  function restoreDraft(form) {
    let draft = null;
    try {
      draft = JSON.parse(localStorage.getItem(draftKey(form)));
    } catch {
      return;
    }
    if (!draft) return;
    if (Date.now() - draft.at > DAYS * 86400000) {
      dropDraft(form);
      return;
    }
    let restored = 0;
    for (const field of fieldsOf(form)) {
      const [before, typed] = draft.changed[idOf(field)] ?? [];
      if (typed === undefined || !same(before, initial(field)) || !same(read(field), initial(field)))
        continue;
      write(field, typed);
      restored += 1;
    }
    if (!restored) return;
    for (const note of form.querySelectorAll("[data-kept]")) note.hidden = false;
    form.querySelector("input, select, textarea")?.dispatchEvent(new Event("input", { bubbles: true }));
  }

  document.addEventListener("input", (event) => {
    const form = event.target.form;
    if (!form?.matches("form[data-keep]")) return;
    clearTimeout(timers.get(form));
    timers.set(
      form,
      setTimeout(() => saveDraft(form), 300),
    );
  });

  // Ignore a second click on the same button before the server answers.
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (event.defaultPrevented || form.method === "get" || form.hasAttribute("hx-post")) return;
    if (form.dataset.sent) {
      event.preventDefault();
      return;
    }
    form.dataset.sent = "1";
    setTimeout(() => delete form.dataset.sent, 5000); // after a download the page stays open
  });
  addEventListener("pageshow", () => {
    for (const form of document.querySelectorAll("form[data-sent]")) delete form.dataset.sent;
  });

  document.addEventListener("submit", (event) => {
    if (event.target.matches("form[data-keep]")) dropDraft(event.target);
  });

  // Empty filter fields have no effect and make the address longer.
  document.addEventListener("formdata", ({ target, formData }) => {
    if (target.method !== "get") return;
    for (const name of new Set(formData.keys()))
      if (formData.getAll(name).every((each) => each === "")) formData.delete(name);
  });

  // ---- buttons and fields --------------------------------------------------------------------------------
  async function copy(text) {
    if (navigator.clipboard) return navigator.clipboard.writeText(text);
    const area = document.createElement("textarea"); // plain http has no clipboard API
    area.value = text;
    area.className = "sr";
    document.body.append(area);
    area.select();
    document.execCommand("copy");
    area.remove();
  }

  async function copyFrom(button) {
    const what = button.dataset.copy;
    const source = what.startsWith("#") ? document.querySelector(what) : null;
    await copy(source ? (source.value ?? source.textContent.trim()) : what);
    const text = button.dataset.copiedText;
    const label = button.querySelector("[data-label]") ?? (button.children.length ? null : button);
    if (!text || !label || label.dataset.was) return;
    label.dataset.was = label.textContent;
    label.textContent = text;
    setTimeout(() => {
      label.textContent = label.dataset.was;
      delete label.dataset.was;
    }, 1600);
  }

  document.addEventListener("click", (event) => {
    const { target } = event;
    if (target.closest("[data-print]")) window.print();
    const button = target.closest("[data-copy]");
    if (button) copyFrom(button);
    const forget = target.closest("form[data-keep] [data-forget]");
    if (forget) {
      const form = forget.closest("form");
      form.reset();
      dropDraft(form);
      for (const note of form.querySelectorAll("[data-kept]")) note.hidden = true;
    }
    for (const menu of document.querySelectorAll("details.menu[open]")) {
      if (!menu.contains(target)) menu.open = false;
    }
  });

  document.addEventListener("change", (event) => {
    const { target } = event;
    if (target.matches("select[data-autosubmit]")) target.form?.requestSubmit();
    if (target.matches("input[type=file]")) {
      const place = target.closest(".field, form")?.querySelector("[data-file-name]");
      if (place)
        place.textContent = [...target.files]
          .map((file) => `${file.name} (${Math.ceil(file.size / 1024)} kB)`)
          .join(", ");
    }
  });

  // ---- after load ----------------------------------------------------------------------------------------
  function focusError(root) {
    const field = root.querySelector?.(
      ":is(.field.error, [data-error]) :is(input:not([type=hidden]), select, textarea), :is(input, select, textarea)[aria-invalid=true]",
    );
    field?.focus();
  }

  for (const form of document.querySelectorAll("form[data-keep]")) restoreDraft(form);
  focusError(document);
  document.addEventListener("htmx:afterSettle", (event) => {
    if (event.target.matches?.("form[data-keep]")) restoreDraft(event.target);
    for (const form of event.target.querySelectorAll?.("form[data-keep]") ?? []) restoreDraft(form);
    focusError(event.target);
  });
})();
