"""What axe-core finds on a page against WCAG 2.2 AA."""

from importlib.resources import files
from typing import Any

RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
AXE = (files("axe_playwright_python") / "axe.min.js").read_text("utf-8")


async def faults(page: Any) -> list[str]:
    """Give what axe-core finds against the rules, one a line, with the first places."""
    await page.evaluate(f"{AXE}; 0")
    found = await page.evaluate("(rules) => axe.run(document, {runOnly: rules, resultTypes: ['violations']})", RULES)
    return [f"{each['id']}: {each['help']}: {[node['target'] for node in each['nodes']][:3]}" for each in found["violations"]]
