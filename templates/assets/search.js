// Search by titles and headings, or by Pagefind where the site has it. Loaded when somebody searches.
const words = {}, cache = new Map();
let dialog, input, list, status, results = [], chosen = -1, turn = 0;

const plain = (text) => text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();
const element = (name, attributes = {}, ...children) => {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
};

const load = (button) => {
  const address = button.dataset.pbIndex;
  if (!cache.has(address)) cache.set(address, fetch(address).then((answer) => answer.ok ? answer.json() : []).then(prepare));
  return cache.get(address);
};
const prepare = (pages) => pages.flatMap(([title, url, headings]) => [
  { title, url, page: "", text: plain(title) },
  ...headings.map(([heading, id]) => ({ title: heading, url: `${url}#${encodeURIComponent(id)}`, page: title, text: plain(heading), within: plain(`${title} ${heading}`) })),
]);

const score = (entry, query, terms) => {
  const within = entry.within || entry.text;
  if (!terms.every((term) => within.includes(term))) return 0;
  let points = entry.page ? 1 : 3;
  if (entry.text === query) points += 12;
  else if (entry.text.startsWith(query)) points += 8;
  else if (entry.text.includes(query)) points += 5;
  for (const term of terms) if (new RegExp(`(^|[^\\p{L}\\p{N}])${term.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")}`, "u").test(entry.text)) points += 2;
  return points;
};
const find = (entries, asked) => {
  const query = plain(asked.trim()), terms = query.split(/\s+/).filter(Boolean);
  if (!terms.length) return [];
  return entries.map((entry) => [score(entry, query, terms), entry]).filter(([points]) => points)
    .sort((a, b) => b[0] - a[0] || a[1].title.length - b[1].title.length).slice(0, 30).map(([, entry]) => entry);
};

// Every word, where the index is there; while a site is developed it is not, and titles are searched.
const words_of = async (button) => {
  try { return await import(new URL(button.dataset.pbPagefind, location.href).href); } catch { delete button.dataset.pbPagefind; return null; }
};
const pagefind = async (button, asked) => {
  const module = await words_of(button);
  if (!module) return find(await load(button), asked);
  const answer = await module.debouncedSearch(asked, {}, 120);
  if (!answer) return null;
  const found = await Promise.all(answer.results.slice(0, 12).map((result) => result.data()));
  return found.map((data) => ({ title: data.meta.title, url: data.url, page: data.plain_excerpt || "" }));
};

const marked = (title, asked) => {
  const terms = asked.trim().split(/\s+/).filter(Boolean).map((term) => term.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
  if (!terms.length) return [title];
  return title.split(new RegExp(`(${terms.join("|")})`, "giu")).map((part, index) => index % 2 ? element("mark", {}, part) : part);
};

const choose = (index) => {
  chosen = results.length ? (index + results.length) % results.length : -1;
  [...list.children].forEach((row, place) => row.firstChild.setAttribute("aria-selected", String(place === chosen)));
  const option = list.children[chosen]?.firstChild;
  if (option) option.scrollIntoView({ block: "nearest" });
  option ? input.setAttribute("aria-activedescendant", option.id) : input.removeAttribute("aria-activedescendant");
};

const show = async (button) => {
  const asked = input.value, mine = ++turn;
  const found = button.dataset.pbPagefind ? asked.trim() ? await pagefind(button, asked) : [] : find(await load(button), asked);
  if (mine !== turn || found === null) return;
  results = found;
  const pages = found.filter((entry) => !entry.page).map((entry) => entry.title);
  const below = (entry) => entry.page || (pages.indexOf(entry.title) < pages.lastIndexOf(entry.title) ? decodeURI(entry.url) : "");
  list.replaceChildren(...found.map((entry, index) => element("li", { role: "presentation" }, element("a",
    { role: "option", id: `pb-result-${index}`, href: entry.url, "aria-selected": "false", tabindex: "-1" },
    ...marked(entry.title, asked), ...(below(entry) ? [element("small", {}, below(entry))] : [])))));
  input.setAttribute("aria-expanded", String(found.length > 0));
  status.textContent = !asked.trim() ? words.hint : found.length ? words.some.replace("{}", found.length) : words.none;
  choose(0);
};

// After our other styles and before those of the site, which may change it.
const style = (address) => new Promise((done) => {
  const link = element("link", { rel: "stylesheet", href: address });
  link.onload = link.onerror = done;
  const ours = [...document.querySelectorAll('link[rel="stylesheet"][href*="/assets/pybuild/"]')].at(-1);
  ours ? ours.after(link) : document.head.append(link);
});

const build = async (button) => {
  if (button.dataset.pbStyle) await style(button.dataset.pbStyle);
  Object.assign(words, JSON.parse(button.dataset.pbTexts));
  input = element("input", { type: "search", id: "pb-query", role: "combobox", "aria-expanded": "false", "aria-controls": "pb-results", "aria-autocomplete": "list",
    "aria-label": words.label, placeholder: words.label, autocomplete: "off", spellcheck: "false", enterkeyhint: "go" });
  list = element("ul", { class: "pb-results", id: "pb-results", role: "listbox", "aria-label": words.results });
  status = element("p", { role: "status" });
  const close = element("button", { type: "button" }, words.close);
  dialog = element("dialog", { class: "pb-dialog", "aria-label": words.label },
    element("form", { role: "search" }, input, close), list, status);
  document.body.append(dialog);
  close.addEventListener("click", () => dialog.close());
  dialog.addEventListener("click", (event) => { if (event.target === dialog || event.target.closest("a")) dialog.close(); });
  input.addEventListener("input", () => show(button));
  input.form.addEventListener("submit", (event) => { event.preventDefault(); list.children[chosen]?.firstChild.click(); });
  input.addEventListener("keydown", (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) { event.preventDefault(); choose(chosen + step); }
    else if (event.key === "Home" && event.ctrlKey) choose(0);
    else if (event.key === "Escape") { event.preventDefault(); dialog.close(); }
  });
};

let built;
export const open = async (button) => {
  await (built ||= build(button));
  if (!dialog.open) dialog.showModal();
  input.select();
  await show(button);
};

const distance = (a, b) => {
  let row = [...Array(b.length + 1).keys()];
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) next[j] = Math.min(row[j] + 1, next[j - 1] + 1, row[j - 1] + (a[i - 1] !== b[j - 1]));
    row = next;
  }
  return row[b.length];
};

// On the page for what is not found: the pages whose address is spelt most like the one that was asked for.
export const suggest = async (place, button) => {
  const last = (url) => plain(decodeURIComponent(url.replace(/[/.](html|md)?$/, "").split("/").pop() || ""));
  const asked = last(location.pathname);
  const pages = (await load(button)).filter((entry) => !entry.page);
  const near = pages.map((entry) => {
    const name = last(entry.url), size = Math.max(name.length, asked.length, 1);
    return [name.includes(asked) || asked.includes(name) && name.length > 3 ? 0.2 : distance(asked, name) / size, entry];
  }).filter(([far]) => asked && far < 0.5).sort((a, b) => a[0] - b[0]).slice(0, 5);
  if (!near.length) return;
  place.querySelector("ul").replaceChildren(...near.map(([, entry]) => element("li", {}, element("a", { href: entry.url }, entry.title))));
  place.hidden = false;
};
