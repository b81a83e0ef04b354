// What the pages need beyond HTML and htmx: keys, dialogs, and small comforts. Every page works without it.
//
// data-key="g q"         a key, or keys one after the other, that press a link or button or go into a field;
//                        data-key-label names it in the list of keys, else its own words do
// data-row               a row that J and K move through: its first link or button takes the focus; with
//                        data-row="go", a press anywhere on the row follows its first link
// data-dialog="id"       opens a dialog; data-close closes the one around it
// data-dismiss           removes the message around it
// data-focus             takes the focus when it appears; data-select selects its text when it takes the focus
// data-line="12"         a link to a text area that selects that line of it
// data-once              a form that is sent once, however often it is pressed
"use strict";

(() => {
  const PATIENCE_MS = 1200;
  const typed = { keys: "", at: 0 };

  const isTyping = (target) =>
    target.isContentEditable ||
    /^(TEXTAREA|SELECT)$/.test(target.tagName) ||
    (target.tagName === "INPUT" && !/^(checkbox|radio|button|submit|file)$/.test(target.type));

  const isShown = (element) => element.getClientRects().length > 0 || element.closest("details.menu") !== null;

  const scope = () => document.querySelector("dialog[open]") ?? document;

  const keyed = () => [...scope().querySelectorAll("[data-key]")].filter((element) => isShown(element) && !element.disabled);

  const press = (element) => {
    if (/^(INPUT|TEXTAREA|SELECT)$/.test(element.tagName) && !/^(checkbox|radio|button|submit)$/.test(element.type)) {
      element.focus();
      element.select?.();
    } else {
      if (element.tagName !== "A") element.focus();
      element.click();
    }
  };

  const move = (step) => {
    const rows = [...scope().querySelectorAll("[data-row]")].filter(isShown);
    if (rows.length === 0) return false;
    const here = rows.findIndex((row) => row.contains(document.activeElement));
    const next = rows[here < 0 ? (step > 0 ? 0 : rows.length - 1) : Math.min(Math.max(here + step, 0), rows.length - 1)];
    (next.matches("a, button, input") ? next : next.querySelector("a, button, input:not([type=hidden])"))?.focus();
    next.scrollIntoView({ block: "nearest" });
    return true;
  };

  document.addEventListener("keydown", (event) => {
    if (!document.body.hasAttribute("data-shortcuts")) return;
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || isTyping(event.target)) return;
    const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
    if (key.length > 1) return;
    const now = event.timeStamp;
    typed.keys = now - typed.at < PATIENCE_MS ? `${typed.keys} ${key}`.trim() : key;
    typed.at = now;
    for (const keys of new Set([typed.keys, key])) {
      const element = keyed().find((candidate) => candidate.dataset.key === keys);
      if (element) {
        typed.keys = "";
        event.preventDefault();
        press(element);
        return;
      }
    }
    if ((key === "j" || key === "k") && move(key === "j" ? 1 : -1)) event.preventDefault();
  });

  const listKeys = (dialog) => {
    const list = dialog.querySelector("[data-keys-list]");
    list.replaceChildren();
    const add = (keys, words, between = dialog.dataset.go) => {
      const term = document.createElement("dt");
      keys.forEach((key, place) => {
        if (place) term.append(` ${between} `);
        const cap = document.createElement("kbd");
        cap.textContent = key.length === 1 ? key.toUpperCase() : key;
        term.append(cap);
      });
      const meaning = document.createElement("dd");
      meaning.textContent = words;
      list.append(term, meaning);
    };
    const seen = new Set();
    for (const element of document.querySelectorAll("[data-key]")) {
      if (!isShown(element) || seen.has(element.dataset.key)) continue;
      seen.add(element.dataset.key);
      const own = element.dataset.keyLabel ?? element.getAttribute("aria-label") ?? element.labels?.[0]?.textContent;
      add(element.dataset.key.split(" "), (own ?? element.textContent).trim());
    }
    if (document.querySelector("[data-row]")) add(["j", "k"], list.dataset.keyRows, "/");
    add(["Esc"], list.dataset.keyClose);
  };

  const showLine = (area, number) => {
    const lines = area.value.split("\n");
    const before = lines.slice(0, number - 1).join("\n").length + (number > 1 ? 1 : 0);
    area.focus();
    area.setSelectionRange(before, before + (lines[number - 1] ?? "").length);
    area.scrollTop = Math.max(0, (area.scrollHeight * (number - 4)) / Math.max(lines.length, 1));
  };

  document.addEventListener("click", (event) => {
    const target = event.target instanceof Element ? event.target : null;
    if (!target) return;
    const opener = target.closest("[data-dialog]");
    if (opener) {
      const dialog = document.getElementById(opener.dataset.dialog);
      if (dialog.id === "keys") listKeys(dialog);
      if (!dialog.open) dialog.showModal();
      return;
    }
    const line = target.closest("[data-line]");
    if (line) {
      event.preventDefault();
      showLine(document.getElementById(line.getAttribute("href").slice(1)), Number(line.dataset.line));
      return;
    }
    const row = target.closest('[data-row="go"]');
    if (row && !target.closest("a, button, input, label, select, summary") && `${getSelection()}` === "") {
      row.querySelector("a")?.click();
      return;
    }
    if (target.closest("[data-close]")) target.closest("dialog")?.close();
    if (target.closest("[data-dismiss]")) target.closest(".said")?.remove();
    for (const menu of document.querySelectorAll("details.menu[open]")) if (!menu.contains(target)) menu.open = false;
  });

  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    for (const menu of document.querySelectorAll("details.menu[open]")) {
      menu.open = false;
      menu.querySelector("summary").focus();
    }
  });

  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (!(form instanceof HTMLFormElement) || form.method !== "post" || form.matches("[hx-post]")) return;
    if (form.dataset.sent) event.preventDefault();
    form.dataset.sent = "yes";
    event.submitter?.setAttribute("aria-busy", "true");
  });
  window.addEventListener("pageshow", () => {
    for (const form of document.querySelectorAll("form[data-sent]")) delete form.dataset.sent;
    for (const button of document.querySelectorAll("form [aria-busy]")) button.removeAttribute("aria-busy");
  });

  document.addEventListener("focusin", (event) => {
    if (event.target instanceof HTMLInputElement && "select" in event.target.dataset) event.target.select();
  });

  const settle = (root) => root.querySelector("[data-focus]")?.focus();
  document.addEventListener("DOMContentLoaded", () => settle(document));
  document.addEventListener("htmx:afterSettle", (event) => settle(event.detail.elt));
})();
