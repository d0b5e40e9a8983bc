"""Opens the page in headless Chromium, with no network, and reads what a reader sees; keeps pictures of it."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright import sync_api

from mobile_bnn.profile_records import Profile
from mobile_bnn.records import History, Operators
from mobile_bnn.report import write_html
from mobile_bnn.run_folder import RunFolder
from mobile_bnn.typing import JsonObject
from tests.support.packages import need

PICTURES = Path("build/test-artifacts")
PATIENCE = 180_000  # milliseconds; on a machine that does much else, Playwright's own 30 and 5 seconds are not enough


@pytest.fixture(scope="module")
def browser() -> Iterator[sync_api.Browser]:
    """The system's Chromium."""
    found = need("chromium", "no browser opens the report")
    with sync_api.sync_playwright() as playwright:
        # Containers of CI run as root, where Chromium has no sandbox.
        chromium = playwright.chromium.launch(executable_path=found, args=["--no-sandbox"], timeout=PATIENCE)
        yield chromium
        chromium.close()


class Opened:
    """A page that was opened from disk, with everything it complained about or asked the network for."""

    def __init__(self, browser: sync_api.Browser, path: Path, **context: Any) -> None:
        self.complaints: list[str] = []
        self.requests: list[str] = []
        self.context = browser.new_context(offline=True, **context)
        self.context.set_default_timeout(PATIENCE)
        self.page = self.context.new_page()
        self.page.on("console", lambda message: self._hear(message))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("dialog", lambda dialog: (self.complaints.append(f"dialog {dialog.message}"), dialog.dismiss()))
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.goto(path.resolve().as_uri())
        sync_api.expect(self.page.locator(".chart:not(:has(.main-svg))")).to_have_count(0, timeout=PATIENCE)

    def _hear(self, message: sync_api.ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.complaints.append(message.text)

    def data(self, chart: str) -> list[JsonObject]:
        """The traces that a chart was drawn from."""
        script = """id => document.getElementById(id).data.map(({name, type, x, y, hovertemplate}) =>
                    ({name, type, x: Array.from(x), y: Array.from(y), hovertemplate}))"""
        traces: list[JsonObject] = self.page.evaluate(script, f"chart-{chart}")
        return traces

    def picture(self, name: str) -> None:
        """Keeps a picture of the whole page."""
        PICTURES.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=PICTURES / name, full_page=True)


OpenPage = Callable[..., Opened]


@pytest.fixture
def open_page(browser: sync_api.Browser) -> Iterator[OpenPage]:
    """Opens a report and, at the end, checks that it was silent and never left the disk."""
    opened: list[Opened] = []

    def go(path: Path, **context: Any) -> Opened:
        opened.append(Opened(browser, path, **context))
        return opened[-1]

    yield go
    for one in opened:
        one.context.close()
        assert one.complaints == []
        assert one.requests
        assert [url for url in one.requests if not url.startswith("file://")] == []


def test_page_shows_the_figures_and_draws_the_charts(real_file_run: RunFolder, open_page: OpenPage) -> None:
    path = write_html(real_file_run)
    assert path == real_file_run.report
    opened = open_page(path, viewport={"width": 1200, "height": 900}, color_scheme="light")
    opened.picture("report-light.png")
    page = opened.page
    text = page.inner_text("body")
    profile = Profile.load(real_file_run.profile())
    best, baseline = profile.measurements[3].median_ms, profile.measurements[4].median_ms
    assert page.inner_text("h1") == "binary_lenet · bnn · digits"
    names, values = (page.locator(f".card .{part}").all_inner_texts() for part in ("name", "value"))
    assert dict(zip(names, values, strict=True)) == {
        "Top-1 of the file, test split": "97.50 %",
        "File size": f"{real_file_run.tflite.stat().st_size / 1000:.2f} kB",
        "Median latency": f"{best:.4f} ms",
        "Speed against float": f"{baseline / best:.2f}×",
        "Binary share of MACs": "98.93 %",
    }
    for sentence in (
        "Keras 97.78 %",
        "change −0.28 points",
        "slower than float LiteRT",
        "Highest validation accuracy: 96.58 %, in epoch 12 of 12.",
        "LCE has no fast kernels for x86 processors (x86_64)",
        "Sign flips that rounding does not explain: 1.",
        "1,769,472",
        "AMD EPYC 9B14",
        "batch_size",
        "larq (made the file)",
    ):
        assert sentence in text
    assert page.locator(".js-plotly-plot").count() == 7
    assert page.locator(".missing").count() == 0
    assert all(page.locator("table").nth(index).locator("caption").count() == 1 for index in range(8))


def test_charts_hold_the_records(
    recorded_run: RunFolder, history: History, operators: Operators, profile: Profile, open_page: OpenPage
) -> None:
    opened = open_page(write_html(recorded_run), viewport={"width": 1200, "height": 900})
    training, validation = opened.data("metric-0")
    assert (training["name"], validation["name"]) == ("training", "validation")
    assert training["x"] == list(range(1, 13))
    assert training["y"] == [epoch.metrics["loss"] for epoch in history.epochs]
    assert validation["y"][1] is None, "a loss that is not a number is a gap"
    assert opened.data("learning-rate")[0]["y"] == [epoch.learning_rate for epoch in history.epochs]
    assert [trace["name"] for trace in opened.data("flip-ratio")] == ["each binary layer"] * 2 + ["mean of all layers"]
    binary, floats = opened.data("macs")
    assert binary["y"] == [operator.binary_macs for operator in operators.operators]
    assert floats["y"] == [operator.float_macs for operator in operators.operators]
    boxes = {trace["name"]: trace for trace in opened.data("latency-0")}
    assert set(boxes) == {"lce · bgemm", "lce · indirect_bgemm", "litert · xnnpack · float"}
    assert boxes["lce · bgemm"]["y"] == profile.measurements[0].latencies_ms + profile.measurements[1].latencies_ms
    assert boxes["lce · bgemm"]["x"] == ["1 thread"] * 200 + ["2 threads"] * 200


def test_hostile_names_are_only_text(recorded_run: RunFolder, open_page: OpenPage) -> None:
    path = write_html(recorded_run)
    assert "<script>alert" not in path.read_text(encoding="utf-8")
    page = open_page(path).page
    assert (
        page.locator("td", has_text="<script>alert(1)</script>").count() == 5
    )  # flips, operators, layer and reason, recipe
    place = page.locator("#chart-macs .trace.bars").first.locator(".point").nth(5)
    place.scroll_into_view_if_needed()
    bar = place.bounding_box()
    page.mouse.move(bar["x"] + bar["width"] / 2, bar["y"] + bar["height"] / 2)
    page.locator("#chart-macs .hoverlayer", has_text="<script>alert(1)</script>").wait_for()


def test_dark(real_file_run: RunFolder, open_page: OpenPage) -> None:
    opened = open_page(write_html(real_file_run), viewport={"width": 1200, "height": 900}, color_scheme="dark")
    opened.picture("report-dark.png")
    colour = "selector => getComputedStyle(document.querySelector(selector))[{property}]"
    assert opened.page.evaluate(colour.format(property="'backgroundColor'"), "body") == "rgb(16, 19, 23)"
    assert opened.page.evaluate(colour.format(property="'fill'"), ".xtick text") == "rgb(154, 163, 176)"


def test_phone(real_file_run: RunFolder, open_page: OpenPage) -> None:
    phone = {"viewport": {"width": 390, "height": 844}, "device_scale_factor": 2, "is_mobile": True, "has_touch": True}
    opened = open_page(write_html(real_file_run), **phone)
    opened.picture("report-phone.png")
    assert opened.page.evaluate("document.documentElement.scrollWidth") <= 390
    assert opened.page.evaluate("document.body.scrollWidth") <= 390
    widths = [chart.bounding_box()["width"] for chart in opened.page.locator(".main-svg").all()]
    assert max(widths) <= 390


def test_print_fits_the_paper(recorded_run: RunFolder, open_page: OpenPage) -> None:
    opened = open_page(write_html(recorded_run), viewport={"width": 1200, "height": 900})
    PICTURES.mkdir(parents=True, exist_ok=True)
    opened.page.pdf(path=PICTURES / "report.pdf", format="A4")
    opened.page.set_viewport_size({"width": 690, "height": 900})
    opened.page.emulate_media(media="print")
    # The page's policy forbids the polling that Playwright has for this.
    opened.page.evaluate(
        """() => new Promise(fits => {
            const charts = [...document.querySelectorAll(".main-svg")];
            const right = () => Math.max(...charts.map(chart => chart.getBoundingClientRect().right));
            const look = () => (right() <= 690 ? fits() : setTimeout(look, 50));
            look();
        })"""
    )
    assert opened.page.evaluate("document.documentElement.scrollWidth") <= 690


def test_policy_forbids_network_and_foreign_scripts(recorded_run: RunFolder, browser: sync_api.Browser) -> None:
    opened = Opened(browser, write_html(recorded_run))
    blocked = opened.page.evaluate(
        """async () => {
            const blocked = [];
            document.addEventListener("securitypolicyviolation", event => blocked.push(event.effectiveDirective));
            const script = document.createElement("script");
            script.textContent = "window.smuggled = true";
            document.body.append(script);
            await fetch("https://example.org/").catch(() => {});
            await new Promise(resolve => setTimeout(resolve, 100));
            return { blocked, smuggled: window.smuggled === true };
        }"""
    )
    opened.context.close()
    assert blocked == {"blocked": ["script-src-elem", "connect-src"], "smuggled": False}


def test_page_of_a_run_that_only_trained(empty_run: RunFolder, history: History, open_page: OpenPage) -> None:
    history.save(empty_run.history)
    page = open_page(write_html(empty_run, empty_run.path / "elsewhere.html")).page
    assert page.locator("h2").all_inner_texts() == ["Training", "How it was made"]
    assert page.inner_text("h1") == "demo"
    assert page.locator(".missing code").all_inner_texts() == [
        f"mbnn convert {empty_run}",
        f"mbnn verify {empty_run}",
        f"mbnn profile {empty_run}",
    ]
    assert not empty_run.report.exists()


def test_the_time_of_each_operator(timed_run: RunFolder, open_page: Any) -> None:
    opened = open_page(write_html(timed_run), viewport={"width": 1200, "height": 900})
    section = opened.page.locator("#operator-times")
    assert section.locator("h2").inner_text() == "Time by operator"
    assert section.locator("caption").count() == 2
    assert section.locator("td", has_text="<b>conv_1</b>").count() == 1
    binary, rest = opened.data("operator-time-0")
    assert (binary["x"], binary["y"]) == (["#0", "#1"], [0.01, 0.05])
    assert (rest["x"], rest["y"]) == (["float"], pytest.approx([0.02]))
