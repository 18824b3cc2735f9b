// Runs in every page of `pybuild dev`, and only there: it loads the page again after a change, puts new stylesheets in
// place, and shows the errors of the page. It writes no inline style and no markup, so that it works under any policy
// that lets it run, and it makes nothing of the page's text but text.
(function () {
  "use strict";
  var own = "/_pybuild/";
  var here = location.pathname;
  var since = "";
  var events = null;
  var waiting = null;
  var release = null;
  var channel = window.BroadcastChannel ? new BroadcastChannel("pybuild-dev") : null;
  var place = "pybuild-scroll:" + here;
  var host = null;

  function element(name, className, text) {
    var made = document.createElement(name);
    if (className) made.className = className;
    if (text !== undefined) made.textContent = text;
    return made;
  }

  function remember() {
    try { sessionStorage.setItem(place, JSON.stringify([scrollX, scrollY])); } catch (fault) { /* no storage */ }
  }

  function restore() {
    try {
      var kept = JSON.parse(sessionStorage.getItem(place));
      sessionStorage.removeItem(place);
      if (kept) scrollTo({ left: kept[0], top: kept[1], behavior: "instant" });
    } catch (fault) { /* no storage */ }
  }

  function reload() {
    remember();
    location.reload();
  }

  // A new copy of a stylesheet is loaded beside the old one, which goes when the new one is there.
  function swap(paths, number) {
    var links = Array.prototype.filter.call(document.querySelectorAll("link[rel~=stylesheet][href]"), function (link) {
      var url = new URL(link.href);
      return url.origin === location.origin && paths.indexOf(decodeURIComponent(url.pathname)) >= 0;
    });
    if (!links.length) return false;
    links.forEach(function (link) {
      var url = new URL(link.href);
      url.searchParams.set("_pybuild", number);
      var next = link.cloneNode();
      next.href = url.href;
      next.onload = function () { link.remove(); };
      next.onerror = reload;
      link.after(next);
    });
    return true;
  }

  function take(name, data) {
    if (name === "hello") {
      if (since && since !== data) reload();
    } else if (name === "reload") {
      reload();
    } else {
      var said = JSON.parse(data);
      since = said.since;
      if (!swap(said.paths, said.since)) reload();
    }
  }

  function open() {
    events = new EventSource(own + "events");
    ["hello", "reload", "style"].forEach(function (name) {
      events.addEventListener(name, function (event) {
        if (channel) channel.postMessage([name, event.data]);
        take(name, event.data);
      });
    });
  }

  // Browsers allow six connections a host: of all tabs one listens and tells the others, and none that nobody sees.
  function listen() {
    if (waiting || document.visibilityState === "hidden") return;
    waiting = new AbortController();
    if (!channel || !navigator.locks) return open();
    navigator.locks.request("pybuild-dev", { signal: waiting.signal }, function () {
      open();
      return new Promise(function (done) { release = done; });
    }).catch(function () { /* given up while it waited */ });
  }

  function rest() {
    if (events) events.close();
    if (release) release();
    if (waiting) waiting.abort();
    events = release = waiting = null;
  }

  function shadow() {
    if (host) host.remove();
    host = element("pybuild-dev");
    var root = host.attachShadow({ mode: "open" });
    return fetch(own + "dev.css").then(function (answer) { return answer.text(); }).then(function (text) {
      var sheet = new CSSStyleSheet();
      sheet.replaceSync(text);
      root.adoptedStyleSheets = [sheet];
      document.documentElement.append(host);
      return root;
    });
  }

  function section(finding) {
    var made = element("section", finding.severity);
    var at = [finding.file, finding.line, finding.column].filter(Boolean).join(":");
    made.append(element("h2", "", (at ? at + " " : "") + finding.severity + "[" + finding.code + "]"));
    made.append(element("p", "", finding.message));
    if (finding.source.length) {
      var lines = element("pre");
      finding.source.forEach(function (line) {
        lines.append(element("span", line.marked ? "marked" : "", String(line.line).padStart(5) + "  " + line.text + "\n"));
      });
      made.append(lines);
    }
    finding.notes.forEach(function (note) { made.append(element("p", "", "note: " + (note.file ? note.file + ": " : "") + note.message)); });
    if (finding.hint) made.append(element("p", "", "fix: " + finding.hint));
    return made;
  }

  function show(said) {
    if (said.failed.length) {
      shadow().then(function (root) {
        var overlay = element("div", "overlay");
        var panel = element("div", "panel");
        var close = element("button", "", "Close");
        overlay.setAttribute("role", "dialog");
        overlay.setAttribute("aria-label", "Errors of this page");
        close.addEventListener("click", function () { host.remove(); });
        panel.append(close, element("h1", "", "This page has errors"));
        said.failed.forEach(function (finding) { panel.append(section(finding)); });
        overlay.append(panel);
        root.append(overlay);
      });
    } else if (said.mark) {
      shadow().then(function (root) {
        root.append(element("div", "badge", said.mark === "draft" ? "Draft" : "Dated in the future"));
      });
    }
  }

  function ask() {
    fetch(own + "findings.json?path=" + encodeURIComponent(here)).then(function (answer) { return answer.json(); })
      .then(function (said) {
        since = since || said.page.since;
        if (since !== said.page.now) reload(); else show(said.page);
      }).catch(function () { /* the server is gone; the stream says when it is back */ });
  }

  function wake() {
    listen();
    ask();
  }

  if (channel) channel.onmessage = function (event) { take(event.data[0], event.data[1]); };
  addEventListener("pagehide", rest);
  addEventListener("pageshow", function (event) { if (event.persisted) wake(); });
  document.addEventListener("visibilitychange", function () {
    if (document.visibilityState === "hidden") rest(); else wake();
  });
  addEventListener("load", restore);
  wake();
})();
