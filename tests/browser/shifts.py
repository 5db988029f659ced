"""What moved on a page by itself: layout shifts, as Chromium counts them."""

from __future__ import annotations

from playwright.sync_api import Page

# Of the window's size times how far. Below it are words that got a letter longer: "9 seconds ago", and a moment later "10 seconds ago".
LEAST = 0.001
_WATCH = """(typing) => {
  window.shifts = [];
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) {
      if ((typing || !entry.hadRecentInput) && entry.value > LEAST) {
        const what = entry.sources.map((source) => source.node?.outerHTML?.slice(0, 120) ?? "gone");
        window.shifts.push(`${entry.value.toFixed(4)}: ${what.join(" | ")}`);
      }
    }
  }).observe({ type: "layout-shift" });
}""".replace("LEAST", str(LEAST))
# A frame later everything that the last change moved has been counted.
_READ = "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(() => done(window.shifts), 50))))"


def watch(page: Page, *, typing: bool = False) -> None:
    """Begin to note down what moves; with `typing` also within half a second after a key, which Chromium takes for wanted."""
    page.evaluate(_WATCH, typing)


def moved(page: Page) -> list[str]:
    """What has moved since `watch`, and how far it took the page with it."""
    found: list[str] = page.evaluate(_READ)
    return found
