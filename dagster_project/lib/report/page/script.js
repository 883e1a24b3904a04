// Without this script the page is English until "Français" is followed; all else is style.
(function () {
  var root = document.documentElement;
  function current() {
    var target = location.hash && document.getElementById(location.hash.slice(1));
    var part = target && target.closest("[data-language]");
    return part ? part.dataset.language : null;
  }
  function say() {
    var language = current() || "en";
    root.lang = language;
    document.title = document.getElementById(language).dataset.title;
    document.querySelectorAll("[data-switch]").forEach(function (link) {
      if (link.dataset.switch === language) link.setAttribute("aria-current", "true");
      else link.removeAttribute("aria-current");
    });
  }
  if (!location.hash && /^fr\b/i.test(navigator.language || "")) location.replace("#fr");
  addEventListener("hashchange", say);
  say();
})();
