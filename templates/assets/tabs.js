// Tabs: all panels stand below each other, each with its label; here they become tabs. Sets with one label change together.
(() => {
  const $$ = (selector, inside = document) => [...inside.querySelectorAll(selector)];
  const on = (target, type, act) => target.addEventListener(type, act);
  const make = (name, values) => Object.assign(document.createElement(name), values);
  const hash = () => { try { return decodeURIComponent(location.hash.slice(1)); } catch { return ""; } };

  const start = () => {
    for (const [number, set] of $$("[data-pb-tabs]").entries()) {
      const panels = $$(":scope > .tab", set);
      if (panels.length < 2) continue;
      const list = make("div", { className: "pb-tabs", role: "tablist" });
      const buttons = panels.map((panel, index) => {
        const id = `pb-tab-${number}-${index}`;
        const button = make("button", { type: "button", id, role: "tab", textContent: panel.querySelector(".tab-label").textContent });
        Object.assign(panel, { id: `${id}-panel`, role: "tabpanel" });
        button.setAttribute("aria-controls", panel.id);
        panel.setAttribute("aria-labelledby", id);
        return button;
      });
      const show = (chosen) => buttons.forEach((button, index) => {
        button.ariaSelected = index === chosen;
        button.tabIndex = index === chosen ? 0 : -1;
        panels[index].hidden = index !== chosen;
      });
      on(set, "pb-tab", (event) => {
        const chosen = buttons.findIndex((button) => button.textContent === event.detail);
        if (chosen >= 0) show(chosen);
      });
      const choose = (index) => {
        const button = buttons[(index + buttons.length) % buttons.length], above = button.getBoundingClientRect().top;
        for (const other of $$("[data-pb-tabs]")) other.dispatchEvent(new CustomEvent("pb-tab", { detail: button.textContent }));
        show(buttons.indexOf(button));
        scrollBy(0, button.getBoundingClientRect().top - above);
        button.focus({ preventScroll: true });
      };
      on(list, "click", (event) => { const at = buttons.indexOf(event.target); if (at >= 0) choose(at); });
      on(list, "keydown", (event) => {
        const way = getComputedStyle(list).direction === "rtl" ? -1 : 1, at = buttons.indexOf(event.target);
        const next = { ArrowRight: at + way, ArrowLeft: at - way, Home: 0, End: -1 }[event.key];
        if (next !== undefined) { event.preventDefault(); choose(next); }
      });
      const reveal = () => {
        const target = document.getElementById(hash());
        const at = target ? panels.findIndex((panel) => panel.contains(target)) : -1;
        if (at >= 0) { show(at); target.scrollIntoView(); }
      };
      list.append(...buttons);
      set.prepend(list);
      show(0);
      reveal();
      on(window, "hashchange", reveal);
    }
  };
  document.readyState === "loading" ? on(document, "DOMContentLoaded", start) : start();
})();
