// The default look: all of it reads without this script. It finds its parts by data-pb-* and keeps one choice, the scheme.
(() => {
  const root = document.documentElement, key = "pb-theme";
  const $ = (selector, inside = document) => inside.querySelector(selector);
  const $$ = (selector, inside = document) => [...inside.querySelectorAll(selector)];
  const stored = () => { try { return localStorage.getItem(key); } catch { return null; } };
  const apply = (theme) => theme ? root.setAttribute("data-pb-theme", theme) : root.removeAttribute("data-pb-theme");
  const isToggled = Boolean(document.currentScript?.hasAttribute("data-pb-themes"));
  if (isToggled) apply(stored());

  const toggle = () => {
    const button = $("[data-pb-toggle]");
    if (!button) return;
    const system = matchMedia("(prefers-color-scheme: dark)");
    const isDark = () => (root.getAttribute("data-pb-theme") || (system.matches ? "dark" : "light")) === "dark";
    const show = () => button.setAttribute("aria-pressed", String(isDark()));
    button.hidden = false;
    show();
    system.addEventListener("change", show);
    button.addEventListener("click", () => {
      const theme = isDark() ? "light" : "dark", own = system.matches ? "dark" : "light";
      apply(theme === own ? null : theme);
      try { theme === own ? localStorage.removeItem(key) : localStorage.setItem(key, theme); } catch { /* kept for this page */ }
      show();
    });
    addEventListener("storage", (event) => { if (event.key === key) { apply(event.newValue); show(); } });
  };

  // On a wide screen the menu and the contents are always shown: then no part of them is closed for anyone.
  const panels = () => {
    for (const [selector, width] of [["[data-pb-menu]", "62rem"], ["[data-pb-toc]", "78rem"]]) {
      const panel = $(selector), wide = matchMedia(`(min-width: ${width})`);
      if (!panel) continue;
      const fit = () => {
        panel.open = wide.matches;
        $("summary", panel).tabIndex = wide.matches ? -1 : 0;
      };
      fit();
      wide.addEventListener("change", fit);
      panel.addEventListener("click", (event) => { if (event.target.closest("a") && !wide.matches) panel.open = false; });
      panel.addEventListener("keydown", (event) => {
        if (event.key === "Escape" && panel.open && !wide.matches) { panel.open = false; $("summary", panel).focus(); }
      });
    }
    const current = $("[data-pb-tree] [aria-current]"), menu = $("[data-pb-menu]");
    if (current && menu && menu.scrollHeight > menu.clientHeight) menu.scrollTop = current.offsetTop - menu.clientHeight / 3;
  };

  const follow = () => {
    const links = new Map($$("[data-pb-toc] a").map((link) => [decodeURIComponent(link.hash.slice(1)), link]));
    const headings = [...links.keys()].map((id) => document.getElementById(id)).filter(Boolean);
    if (!headings.length) return;
    let marked = null, waiting = false;
    const mark = () => {
      waiting = false;
      const atEnd = innerHeight + scrollY >= root.scrollHeight - 4;
      const above = headings.filter((heading) => heading.getBoundingClientRect().top < 120);
      const link = links.get((atEnd ? headings.at(-1) : above.at(-1) || headings[0]).id);
      if (link === marked) return;
      marked?.removeAttribute("aria-current");
      link.setAttribute("aria-current", "true");
      marked = link;
    };
    addEventListener("scroll", () => { if (!waiting) { waiting = true; requestAnimationFrame(mark); } }, { passive: true });
    mark();
  };

  const copy = () => {
    if (!navigator.clipboard) return;
    const words = (root.getAttribute("data-pb-copy") || "Copy|Copied").split("|");
    for (const block of $$("main pre")) {
      const code = $("code", block) || block;
      let holder = block.closest("[data-pb-code], .code-block, .highlight-block, figure");
      if (!holder) { holder = document.createElement("div"); block.replaceWith(holder); holder.append(block); }
      holder.classList.add("pb-code");
      const button = document.createElement("button");
      button.type = "button";
      button.className = "pb-copy";
      button.textContent = words[0];
      button.addEventListener("click", async () => {
        const bare = code.cloneNode(true);
        for (const node of $$(".linenos, .lineno, .gp, .go, [data-pb-nocopy]", bare)) node.remove();
        await navigator.clipboard.writeText(bare.textContent.replace(/\n$/, ""));
        button.textContent = words[1];
        setTimeout(() => { button.textContent = words[0]; }, 1600);
      });
      holder.append(button);
      if (block.scrollWidth > block.clientWidth) block.tabIndex = 0;
    }
  };

  // All panels stand below each other, each with its label; here they become tabs. Sets with one label change together.
  const tabs = () => {
    for (const [number, set] of $$("[data-pb-tabs]").entries()) {
      const panels = $$(":scope > .tab", set);
      if (panels.length < 2) continue;
      const list = document.createElement("div");
      list.className = "pb-tabs";
      list.setAttribute("role", "tablist");
      const buttons = panels.map((panel, index) => {
        const button = document.createElement("button"), id = `pb-tab-${number}-${index}`;
        button.type = "button";
        button.id = id;
        button.textContent = $(".tab-label", panel).textContent;
        button.setAttribute("role", "tab");
        button.setAttribute("aria-controls", `${id}-panel`);
        panel.id = `${id}-panel`;
        panel.setAttribute("role", "tabpanel");
        panel.setAttribute("aria-labelledby", id);
        return button;
      });
      const show = (chosen) => buttons.forEach((button, index) => {
        button.setAttribute("aria-selected", String(index === chosen));
        button.tabIndex = index === chosen ? 0 : -1;
        panels[index].hidden = index !== chosen;
      });
      set.addEventListener("pb-tab", (event) => {
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
      list.addEventListener("click", (event) => { const at = buttons.indexOf(event.target); if (at >= 0) choose(at); });
      list.addEventListener("keydown", (event) => {
        const way = getComputedStyle(list).direction === "rtl" ? -1 : 1, at = buttons.indexOf(event.target);
        const next = { ArrowRight: at + way, ArrowLeft: at - way, Home: 0, End: -1 }[event.key];
        if (next !== undefined) { event.preventDefault(); choose(next); }
      });
      const reveal = () => {
        const target = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
        const at = target ? panels.findIndex((panel) => panel.contains(target)) : -1;
        if (at >= 0) { show(at); target.scrollIntoView(); }
      };
      list.append(...buttons);
      set.prepend(list);
      show(0);
      reveal();
      addEventListener("hashchange", reveal);
    }
  };

  const search = () => {
    const button = $("[data-pb-search]"), near = $("[data-pb-near]");
    if (!button) return;
    const load = () => import(new URL(button.dataset.pbSearch, location.href).href);
    const open = async () => (await load()).open(button);
    button.hidden = false;
    button.addEventListener("click", open);
    addEventListener("keydown", (event) => {
      const typing = event.target.closest?.("input, textarea, select, [contenteditable]");
      const hotkey = event.key === "/" && !typing && !event.ctrlKey && !event.metaKey && !event.altKey;
      if (hotkey || (event.key.toLowerCase() === "k" && (event.ctrlKey || event.metaKey) && !event.altKey && !event.shiftKey)) {
        event.preventDefault();
        open();
      }
    });
    if (near) load().then((module) => module.suggest(near, button));
  };

  const start = () => { toggle(); panels(); tabs(); follow(); copy(); search(); };
  document.readyState === "loading" ? addEventListener("DOMContentLoaded", start) : start();
})();
