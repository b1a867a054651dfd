"""What axe finds on a page."""

from importlib.resources import files

from playwright.sync_api import Page

from tests.browser.conftest import Person

AXE = (files("axe_playwright_python") / "axe.min.js").read_text("utf-8")
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
FAULTS = """async (only) => {
  const found = await axe.run(document, {runOnly: only, resultTypes: ["violations"]});
  return found.violations.flatMap(({id, nodes}) => nodes.map((node) => `${id}: ${node.target} ${node.failureSummary}`));
}"""


def spills(page: Page) -> bool:
    """Whether a page is wider than the screen."""
    return bool(page.locator("html").evaluate("(it) => it.scrollWidth > it.clientWidth"))


def faults(who: Person) -> list[str]:
    """The same on what somebody looks at."""
    who.page.wait_for_load_state("load")
    return faults_of(who.page)


def faults_of(page: Page) -> list[str]:
    """What axe finds on a page: by all its rules in the scheme that is on, by those of colour in the other."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE)
    found: list[str] = page.evaluate(FAULTS, {"type": "tag", "values": RULES})
    page.emulate_media(color_scheme="dark")
    found += page.evaluate(FAULTS, {"type": "rule", "values": ["color-contrast"]})
    page.emulate_media(color_scheme="light")
    return found
