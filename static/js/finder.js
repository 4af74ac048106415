// [data-finder="name"]: a text field with suggestions from this list (?_suggest=name&_text=…), as a combobox.
//   ↓ ↑  move     Enter  choose, or else filter by the text     Esc  close, then clear     Tab  leave
// The hidden field has the key of the chosen row. Without one, the text itself is sent.
(() => {
  const WAIT = 150;
  const timers = new WeakMap();
  const partsOf = (root) => ({
    root,
    key: root.querySelector("input[type=hidden]"),
    text: root.querySelector("input[type=text]"),
    list: root.querySelector("[role=listbox]"),
    said: root.querySelector("[role=status]"),
  });
  const finderOf = (target) => {
    const root = target.closest?.("[data-finder]");
    return root && partsOf(root);
  };
  const active = ({ list }) => list.querySelector("[aria-selected=true]");

  // the text has a name, and so is sent, only while no row is chosen
  function named({ root, key, text }) {
    if (key.value) text.removeAttribute("name");
    else text.name = `${root.dataset.finder}_text`;
  }

  function setUp(root) {
    const finder = partsOf(root);
    const { text, list } = finder;
    text.setAttribute("role", "combobox");
    text.setAttribute("aria-autocomplete", "list");
    text.setAttribute("aria-expanded", "false");
    text.setAttribute("aria-controls", list.id);
    named(finder);
  }

  function close({ text, list }) {
    list.hidden = true;
    text.setAttribute("aria-expanded", "false");
    text.removeAttribute("aria-activedescendant");
  }

  function show(finder, rows) {
    const { text, list, said } = finder;
    list.replaceChildren(
      ...rows.map(({ key, name }, i) => {
        const option = document.createElement("li");
        option.id = `${list.id}_${i}`;
        option.role = "option";
        option.dataset.key = key;
        option.textContent = name;
        option.setAttribute("aria-selected", "false");
        return option;
      }),
    );
    said.textContent = rows.length ? `${rows.length} found` : "Nothing found";
    list.hidden = !rows.length;
    text.setAttribute("aria-expanded", String(!list.hidden));
    text.removeAttribute("aria-activedescendant");
  }

  async function find(finder) {
    const asked = finder.text.value;
    const query = new URLSearchParams({ _suggest: finder.root.dataset.finder, _text: asked });
    const response = await fetch(`${location.pathname}?${query}`).catch(() => null);
    if (!response?.ok || finder.text.value !== asked || document.activeElement !== finder.text) return;
    show(finder, (await response.json()).found);
  }

  function findSoon(finder, wait = WAIT) {
    clearTimeout(timers.get(finder.root));
    timers.set(
      finder.root,
      setTimeout(() => find(finder), wait),
    );
  }

  function moveTo({ text, list }, option) {
    for (const each of list.children) each.setAttribute("aria-selected", String(each === option));
    text.setAttribute("aria-activedescendant", option.id);
    option.scrollIntoView({ block: "nearest" });
  }

  function choose(finder, option) {
    finder.key.value = option.dataset.key;
    finder.text.value = option.textContent;
    named(finder);
    close(finder);
    finder.text.dispatchEvent(new Event("change", { bubbles: true }));
  }

  function clear(finder) {
    if (!finder.text.value) return;
    finder.text.value = finder.key.value = "";
    named(finder);
    finder.text.dispatchEvent(new Event("change", { bubbles: true }));
  }

  document.addEventListener("input", ({ target }) => {
    const finder = finderOf(target);
    if (!finder) return;
    finder.key.value = "";
    named(finder);
    findSoon(finder);
  });

  document.addEventListener("keydown", (event) => {
    const finder = finderOf(event.target);
    if (!finder || event.isComposing || event.ctrlKey || event.metaKey || event.altKey) return;
    const { list } = finder;
    const options = [...list.children];
    const at = options.indexOf(active(finder));
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      const step = event.key === "ArrowDown" ? 1 : -1;
      if (list.hidden) findSoon(finder, 0);
      else moveTo(finder, options.at(at < 0 && step < 0 ? -1 : (at + step) % options.length));
    } else if (event.key === "Enter" && !list.hidden && at >= 0) {
      event.preventDefault();
      choose(finder, options[at]);
    } else if (event.key === "Enter" || event.key === "Tab") {
      close(finder);
    } else if (event.key === "Escape") {
      event.preventDefault();
      if (list.hidden) clear(finder);
      else close(finder);
    }
  });

  // the field keeps the focus while an option is clicked
  document.addEventListener("mousedown", (event) => {
    if (event.target.closest("[data-finder] [role=listbox]")) event.preventDefault();
  });
  document.addEventListener("click", ({ target }) => {
    const option = target.closest("[data-finder] [role=option]");
    if (option) choose(finderOf(option), option);
    else if (target.matches("[data-finder] input[role=combobox]")) findSoon(finderOf(target), 0);
  });
  document.addEventListener("focusout", ({ target }) => {
    const finder = finderOf(target);
    if (finder) close(finder);
  });

  const setUpAll = (root) => root.querySelectorAll?.("[data-finder]").forEach(setUp);
  setUpAll(document);
  document.addEventListener("htmx:afterSettle", ({ target }) => setUpAll(target));
})();
