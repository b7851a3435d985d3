"""`make audit`: how fast the built site is, measured in Chromium, with nothing running beside it.

First each page on a slow phone. The network is what Chrome's developer tools call "Slow 4G"
(1.44 Mbit/s down, 562 ms to the first byte of each answer), the cache empty; the server is on this
machine and compresses, as GitHub Pages does. The processor is slowed down until a fixed piece of
work takes as long as on a processor four times as slow as that of a plain server (AMD EPYC),
whatever the machine and what else it does.

Then the live figures, at the speed of this machine: how many characters a second the model of
Shakespeare writes, and how many frames a second there are while two networks train in the page.
"""

import gzip
import mimetypes
import re
import statistics
import sys
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from built import HTML, Quiet, launch_chromium, serve

NETWORK = {
    "offline": False,
    "downloadThroughput": 1.6e6 / 8 * 0.9,
    "uploadThroughput": 750e3 / 8 * 0.9,
    "latency": 150 * 3.75,
}
EPYC_MS = 57  # milliseconds that the work below takes there
WORK = """() => {
  const begin = performance.now();
  for (let i = 0, sum = 0; i < 3e7; i++) sum += Math.sqrt(i);
  return performance.now() - begin;
}"""
PHONE = 4 * EPYC_MS  # milliseconds that the work takes on the slow phone
BUDGETS = {"first paint (s)": 1.5, "largest paint (s)": 2.5, "shift": 0.05, "blocking (ms)": 200}

OBSERVE = """
window.measured = { shift: 0, largest: 0, tasks: [] };
const observe = (type, use) => new PerformanceObserver((list) => list.getEntries().forEach(use))
  .observe({ type, buffered: true });
observe("layout-shift", (entry) => { if (!entry.hadRecentInput) measured.shift += entry.value; });
observe("largest-contentful-paint", (entry) => (measured.largest = entry.startTime));
observe("longtask", ({ startTime, duration }) => measured.tasks.push([startTime, duration]));
"""
READ = """() => {
  const paint = performance.getEntriesByName("first-contentful-paint")[0].startTime;
  const files = performance.getEntriesByType("resource");
  const entries = [...files, ...performance.getEntriesByType("navigation")];
  return {
    "first paint (s)": paint / 1000,
    "largest paint (s)": measured.largest / 1000,
    "shift": measured.shift,
    "blocking (ms)": measured.tasks.filter(([start]) => start >= paint)
      .reduce((sum, [, duration]) => sum + duration - 50, 0),
    "kB": entries.reduce((sum, entry) => sum + entry.transferSize, 0) / 1000,
  };
}"""


class Compressing(Quiet):
    """Serves files as GitHub Pages does: text is compressed."""

    def do_GET(self):
        path = Path(self.translate_path(self.path))
        if not path.is_file():
            self.send_error(404)
            return
        kind = mimetypes.guess_type(path)[0] or "application/octet-stream"
        content = path.read_bytes()
        self.send_response(200)
        self.send_header("Content-Type", kind)
        if kind.startswith("text/") or kind.endswith(("javascript", "svg+xml", "json")):
            content = gzip.compress(content)
            self.send_header("Content-Encoding", "gzip")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


def measure(browser: Browser, address: str) -> dict[str, float]:
    """What a first visit to one page takes, up to a second and a half after it has loaded."""
    context = browser.new_context(viewport={"width": 412, "height": 823}, is_mobile=True)
    page = context.new_page()
    devtools = context.new_cdp_session(page)
    devtools.send("Network.enable")
    devtools.send("Network.emulateNetworkConditions", NETWORK)
    here = min(page.evaluate(WORK) for _ in range(3))
    devtools.send("Emulation.setCPUThrottlingRate", {"rate": max(1, PHONE / here)})
    page.add_init_script(OBSERVE)
    page.goto(address, wait_until="load")
    page.wait_for_timeout(1500)
    found = page.evaluate(READ)
    context.close()
    return found


WRITING, FRAMES = "characters a second", "frames a second"
AT_LEAST = {WRITING: 100, FRAMES: 20}  # of each; one reads about 25 characters a second
COUNT_FRAMES = """() => new Promise((resolve) => {
  const begin = performance.now();
  let frames = 0;
  const count = () => {
    frames++;
    if (performance.now() - begin < 1000) requestAnimationFrame(count);
    else resolve(frames);
  };
  requestAnimationFrame(count);
})"""


def measure_figures(browser: Browser, address: str) -> dict[str, int]:
    """How fast the writer writes, and how quick the page stays while the trainer trains."""
    page = browser.new_page()
    page.goto(f"{address}/book/shakespeare.html")
    demo = page.locator('[data-demo="writer"]')
    demo.scroll_into_view_if_needed()
    demo.get_by_text("More", exact=True).click()
    demo.get_by_label("Pace").select_option("fast")
    demo.get_by_role("button", name="Begin anew").click()
    demo.get_by_role("button", name="Write").wait_for()
    words = demo.locator(".status").inner_text()
    page.goto(f"{address}/book/lstm.html")
    demo = page.locator('[data-demo="trainer"]')
    demo.scroll_into_view_if_needed()
    demo.get_by_role("button", name="Train").click()
    found = {
        WRITING: int(re.search(r"characters, (\d+) a second", words)[1]),
        FRAMES: page.evaluate(COUNT_FRAMES),
    }
    page.close()
    return found


def audit_pages(browser: Browser, address: str, runs: int) -> int:
    """Print the median of `runs` visits to each page; how many exceed a budget."""
    exceeded = 0
    print(f"{'page':36}", *BUDGETS, "kB", sep="  ")
    for path in sorted(HTML.glob("book/*.html")) + sorted(HTML.glob("ja/book/*.html")):
        name = path.relative_to(HTML).as_posix()
        visits = [measure(browser, f"{address}/{name}") for _ in range(runs)]
        cells = []
        for key in visits[0]:
            value = statistics.median(visit[key] for visit in visits)
            over = value > BUDGETS.get(key, float("inf"))
            exceeded += over
            cells.append(f"{value:{len(key) - over}.{3 if key == 'shift' else 2}f}{'!' * over}")
        print(f"{name:36}", *cells, sep="  ", flush=True)
    return exceeded


def audit_figures(browser: Browser, address: str, runs: int) -> int:
    """Print the median of `runs` measurements of the live figures; how many are too slow."""
    measured, slow = [measure_figures(browser, address) for _ in range(runs)], 0
    for key, least in AT_LEAST.items():
        value = statistics.median(found[key] for found in measured)
        slow += value < least
        print(f"{key}: {value:.0f}{'!' * (value < least)}")
    return slow


def main(runs: int = 3) -> int:
    """Print what was measured; 1 if anything exceeds its budget."""
    with sync_playwright() as playwright, serve(HTML, Compressing) as address:
        browser = launch_chromium(playwright)
        exceeded = audit_pages(browser, address, runs) + audit_figures(browser, address, runs)
        browser.close()
    print("All within the budgets." if not exceeded else f"{exceeded} beyond the budgets (!).")
    return int(exceeded > 0)


if __name__ == "__main__":
    sys.exit(main())
