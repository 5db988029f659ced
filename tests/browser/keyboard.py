"""A keyboard, and nothing else: who has no mouse goes from one thing to the next, and sees where they are."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import Locator, Page

MOST = 120  # stops from one thing to another; more are nobody's way
# Where the focus is: whether it can be seen, and what is wrong if it cannot.
_HERE = """(wanted) => {
  const at = document.activeElement;
  if (!at || at === document.body) return { there: false, what: "nothing", wrong: [] };
  const box = at.getBoundingClientRect();
  const style = getComputedStyle(at);
  const ringed = style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2
    && !/(, 0\\)|\\/ 0\\)|transparent)/.test(style.outlineColor);
  const wrong = [];
  if (!ringed) wrong.push("no ring shows that it has the focus");
  if (box.width < 2 || box.height < 2 || style.visibility !== "visible") wrong.push("it cannot be seen");
  const inside = box.bottom > 0 && box.right > 0 && box.top < innerHeight && box.left < innerWidth;
  if (!inside) wrong.push("it is outside of the window");
  const x = Math.min(Math.max(box.left + Math.min(box.width, innerWidth) / 2, 0), innerWidth - 1);
  const y = Math.min(Math.max(box.top + Math.min(box.height, innerHeight) / 2, 0), innerHeight - 1);
  const top = inside ? document.elementFromPoint(x, y) : null;
  const covered = top && !at.contains(top) && !top.contains(at) && !(top.closest("label")?.control === at);
  if (covered) wrong.push(`${top.tagName} covers it`);
  return { there: at === wanted, what: at.outerHTML.slice(0, 160), wrong };
}"""

# Whether one has come past it already; from the page itself, where nothing has the focus yet, everything is still to come.
_PASSED = """(wanted) => document.activeElement !== document.body
  && Boolean(document.activeElement?.compareDocumentPosition(wanted) & Node.DOCUMENT_POSITION_PRECEDING)"""


class Keyboard:
    """What somebody does on a page with a keyboard alone."""

    def __init__(self, page: Page) -> None:
        self._page = page

    def to(self, target: Locator, *, key: str = "") -> None:
        """Go with Tab, or back with Shift+Tab to what one has passed, until `target` has the focus; at each stop it must be seen.

        Args:
            key: the key for the way, if it is another.

        Raises:
            AssertionError: it is not reached, or somewhere the focus cannot be seen.
        """
        wanted = target.element_handle()
        key = key or ("Shift+Tab" if self._page.evaluate(_PASSED, wanted) else "Tab")
        passed: list[str] = []
        for _ in range(MOST):
            self._page.keyboard.press(key)
            here: dict[str, Any] = self._page.evaluate(_HERE, wanted)
            assert here["wrong"] == [], f"{here['what']}: {', '.join(here['wrong'])}"
            if here["there"]:
                return
            passed.append(here["what"])
        raise AssertionError(f"{target} is not reached with {key}; passed:\n" + "\n".join(passed))

    def press(self, key: str, target: Locator | None = None) -> None:
        """Press `key`, after going to `target` if there is one."""
        if target is not None:
            self.to(target)
        self._page.keyboard.press(key)

    def write(self, text: str, target: Locator | None = None) -> None:
        """Type `text` in the place of what is there, after going to `target` if there is one."""
        if target is not None:
            self.to(target)
        self._page.keyboard.press("Control+A")
        self._page.keyboard.type(text)
