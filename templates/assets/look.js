// The default look: all of it reads without this script. It finds its parts by data-pb-* and keeps one choice, the scheme.
(() => {
  const root = document.documentElement, key = "pb-theme";
  const $ = (selector, inside = document) => inside.querySelector(selector);
  const $$ = (selector, inside = document) => [...inside.querySelectorAll(selector)];
  const on = (target, type, act, options) => target.addEventListener(type, act, options);
  const make = (name, values) => Object.assign(document.createElement(name), values);
  const id = (link) => { try { return decodeURIComponent(link.hash.slice(1)); } catch { return ""; } };
  const stored = () => { try { return localStorage.getItem(key); } catch { return null; } };
  const apply = (theme) => theme ? root.setAttribute("data-pb-theme", theme) : root.removeAttribute("data-pb-theme");
  const said = document.currentScript?.dataset || {};
  if ("pbThemes" in said) apply(stored());

  const toggle = () => {
    const button = $("[data-pb-toggle]");
    if (!button) return;
    const system = matchMedia("(prefers-color-scheme: dark)");
    const isDark = () => (root.getAttribute("data-pb-theme") || (system.matches ? "dark" : "light")) === "dark";
    const show = () => { button.ariaPressed = isDark(); };
    button.hidden = false;
    show();
    on(system, "change", show);
    on(button, "click", () => {
      const theme = isDark() ? "light" : "dark", own = system.matches ? "dark" : "light";
      apply(theme === own ? null : theme);
      try { theme === own ? localStorage.removeItem(key) : localStorage.setItem(key, theme); } catch { /* kept for this page */ }
      show();
    });
    on(window, "storage", (event) => { if (event.key === key) { apply(event.newValue); show(); } });
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
      on(wide, "change", fit);
      on(panel, "click", (event) => { if (event.target.closest("a") && !wide.matches) panel.open = false; });
      on(panel, "keydown", (event) => {
        if (event.key === "Escape" && panel.open && !wide.matches) { panel.open = false; $("summary", panel).focus(); }
      });
    }
    const current = $("[data-pb-tree] [aria-current]"), menu = $("[data-pb-menu]");
    if (current && menu && menu.scrollHeight > menu.clientHeight) menu.scrollTop = current.offsetTop - menu.clientHeight / 3;
  };

  const follow = () => {
    const links = new Map($$("[data-pb-toc] a").map((link) => [id(link), link]));
    const headings = [...links.keys()].map((name) => document.getElementById(name)).filter(Boolean);
    if (!headings.length) return;
    let marked = null, waiting = false;
    const mark = () => {
      waiting = false;
      const atEnd = innerHeight + scrollY >= root.scrollHeight - 4;
      const above = headings.filter((heading) => heading.getBoundingClientRect().top < 120);
      const link = links.get((atEnd ? headings.at(-1) : above.at(-1) || headings[0]).id);
      if (link === marked) return;
      marked?.removeAttribute("aria-current");
      link.ariaCurrent = "true";
      marked = link;
    };
    on(window, "scroll", () => { if (!waiting) { waiting = true; requestAnimationFrame(mark); } }, { passive: true });
    mark();
  };

  const copy = () => {
    if (!navigator.clipboard) return;
    const words = (said.pbCopy || "Copy|Copied").split("|");
    for (const block of $$("main pre")) {
      const code = $("code", block) || block;
      let holder = block.closest("[data-pb-code], .code-block, .highlight-block, figure");
      if (!holder) { holder = make("div"); block.replaceWith(holder); holder.append(block); }
      holder.classList.add("pb-code");
      const button = make("button", { type: "button", className: "pb-copy", textContent: words[0] });
      on(button, "click", async () => {
        const bare = code.cloneNode(true);
        for (const node of $$(".linenos, .lineno, .gp, .go, [data-pb-nocopy]", bare)) node.remove();
        await navigator.clipboard.writeText(bare.textContent.replace(/\n$/, ""));
        button.textContent = words[1];
        setTimeout(() => { button.textContent = words[0]; }, 1600);
      });
      holder.append(button);
    }
  };

  const search = () => {
    const button = $("[data-pb-search]"), near = $("[data-pb-near]");
    if (!button) return;
    const load = () => import(new URL(button.dataset.pbSearch, location.href).href);
    const open = async () => (await load()).open(button);
    button.hidden = false;
    on(button, "click", open);
    on(window, "keydown", (event) => {
      const typing = event.target.closest?.("input, textarea, select, [contenteditable]");
      const hotkey = event.key === "/" && !typing && !event.ctrlKey && !event.metaKey && !event.altKey;
      if (hotkey || (event.key?.toLowerCase() === "k" && (event.ctrlKey || event.metaKey) && !event.altKey && !event.shiftKey)) {
        event.preventDefault();
        open();
      }
    });
    if (near) load().then((module) => module.suggest(near, button));
  };

  // What is wider than its place is scrolled by keyboard too.
  const wide = () => { for (const one of $$("main :is(pre, math)")) if (one.scrollWidth > one.clientWidth) one.tabIndex = 0; };

  const start = () => { toggle(); panels(); follow(); copy(); wide(); search(); };
  document.readyState === "loading" ? on(document, "DOMContentLoaded", start) : start();
})();
