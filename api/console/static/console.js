// What the pages do beyond HTML: say which time zone the viewer is in, and fetch anew what has changed.
"use strict";
(() => {
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  const known = document.cookie.split("; ").find((each) => each.startsWith("orderpipe-zone="));
  if (zone && known !== `orderpipe-zone=${encodeURIComponent(zone)}`) {
    const secure = location.protocol === "https:" ? "; Secure" : "";
    document.cookie = `orderpipe-zone=${encodeURIComponent(zone)}; Path=/console; Max-Age=31536000; SameSite=Lax${secure}`;
    // Only where the cookie was kept: else this would go on for ever.
    if (document.cookie.includes("orderpipe-zone=") && zone !== "UTC") location.reload();
  }

  // On a phone the line of pages is pushed aside: where one is, is in sight.
  document.querySelector(".bar nav [aria-current]")?.scrollIntoView({ block: "nearest", inline: "center" });

  // A menu closes when one clicks elsewhere, or presses Escape.
  const menus = () => document.querySelectorAll("details.menu[open]");
  document.addEventListener("click", (event) => {
    for (const menu of menus()) if (!menu.contains(event.target)) menu.open = false;
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") for (const menu of menus()) { menu.open = false; menu.querySelector("summary").focus(); }
    const typing = event.target.closest && event.target.closest("input, textarea, select");
    if (event.key === "/" && !typing) { event.preventDefault(); document.getElementById("q")?.focus(); }
  });

  // Forms that change what is shown as soon as something is chosen.
  document.addEventListener("change", (event) => {
    if (event.target.form && event.target.form.matches("[data-at-once]")) event.target.form.requestSubmit();
  });

  // Live: the page names the stream that tells when something of it has changed.
  const live = document.querySelector("[data-live]");
  const lost = document.querySelector("[data-lost]");
  if (!live || !window.EventSource) return;
  let stream = null, again = 0, due = null;
  const tell = (isLost) => { if (lost) lost.hidden = !isLost; };
  const refresh = () => {
    due = null;
    for (const part of document.querySelectorAll("[data-live]")) htmx.trigger(part, "changed");
  };
  const soon = (ms) => { if (due === null) due = setTimeout(refresh, ms); };
  const open = () => {
    if (stream || document.hidden) return;
    stream = new EventSource(live.dataset.live);
    // What has changed since the page was made is not told any more.
    stream.onopen = () => { tell(false); soon(again ? 0 : 500); again = 1; };
    stream.addEventListener("changed", () => soon(50));
    stream.onerror = () => {
      tell(true);
      // A stream that was refused does not come back by itself.
      if (stream.readyState === EventSource.CLOSED) { stream = null; setTimeout(open, 3000); }
    };
  };
  const close = () => { if (stream) { stream.close(); stream = null; } };
  document.addEventListener("visibilitychange", () => (document.hidden ? close() : open()));
  window.addEventListener("pagehide", close);
  document.body.addEventListener("htmx:config:request", (event) => {
    const source = event.detail.ctx.sourceElement;
    if (source && source.matches("[data-live]")) event.detail.ctx.request.headers["Orderpipe-Unattended"] = "1";
  });
  document.body.addEventListener("htmx:after:swap", () => tell(false));
  open();
  // While something moves it moves more often than the register is told.
  let looked = 0;
  setInterval(() => {
    if (document.hidden) return;
    looked = document.querySelector("[data-busy]") ? looked + 1 : 0;
    if (looked > 0 && looked < 30) soon(0);
  }, 2000);
})();
