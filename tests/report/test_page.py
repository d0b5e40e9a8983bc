"""Opens the page in headless Chromium, with no network, and reads what a reader sees; keeps pictures of it."""

import base64
import io
import math
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median
from typing import Any

import pytest
from PIL import Image
from playwright import sync_api

from mobile_bnn.prediction_records import Predictions
from mobile_bnn.profile_records import Profile
from mobile_bnn.records import History, Operators, Verification
from mobile_bnn.report import charts, drawing, write_html
from mobile_bnn.run_folder import RunFolder
from tests.support.packages import need

PICTURES = Path("build/test-artifacts")
HOSTILE = "<script>alert(1)</script>"
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

    def _hear(self, message: sync_api.ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.complaints.append(message.text)

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
    assert page.locator(".chart svg").count() == 7
    assert page.locator(".missing").count() == 0
    assert all(page.locator("table").nth(index).locator("caption").count() == 1 for index in range(8))


def test_charts_hold_the_records(history: History, operators: Operators, profile: Profile) -> None:
    loss = next(chart for chart in charts.training(history) if chart.name == "metric-0")
    training, validation = loss.figure.axes[0].lines
    assert (training.get_label(), validation.get_label()) == ("training", "validation")
    assert list(training.get_xdata()) == list(range(1, 13))
    assert list(training.get_ydata()) == [epoch.metrics["loss"] for epoch in history.epochs]
    assert math.isnan(validation.get_ydata()[1]), "a loss that is not a number is a gap"
    *_, flips, rate = charts.training(history)
    assert list(rate.figure.axes[0].lines[0].get_ydata()) == [epoch.learning_rate for epoch in history.epochs]
    labels = [text.get_text() for text in flips.figure.axes[0].get_legend().get_texts()]
    assert (labels, len(flips.figure.axes[0].lines)) == (["each binary layer", "mean of all layers"], 3)
    macs, _ = charts.operators(operators)
    binary, floats = macs.figure.axes[0].containers
    assert list(binary.datavalues) == [operator.binary_macs for operator in operators.operators]
    assert list(floats.datavalues) == [operator.float_macs for operator in operators.operators]
    (latency,) = charts.latencies([profile])
    axes = latency.figure.axes[0]
    assert [text.get_text() for text in axes.get_yticklabels()][:2] == ["lce · bgemm, 1T", "lce · bgemm, 2T"]
    middles = [line.get_xdata()[0] for line in axes.lines if line.get_linewidth() == 1.4]
    assert middles == pytest.approx([median(each.latencies_ms) for each in profile.measurements])


def test_hostile_names_are_only_text(recorded_run: RunFolder, open_page: OpenPage) -> None:
    path = write_html(recorded_run)
    assert "<script>alert" not in path.read_text(encoding="utf-8")
    page = open_page(path).page
    assert (
        page.locator("td", has_text="<script>alert(1)</script>").count() == 5
    )  # flips, operators, layer and reason, recipe


def test_dark(real_file_run: RunFolder, open_page: OpenPage) -> None:
    opened = open_page(write_html(real_file_run), viewport={"width": 1200, "height": 900}, color_scheme="dark")
    opened.picture("report-dark.png")
    colour = "selector => getComputedStyle(document.querySelector(selector))[{property}]"
    assert opened.page.evaluate(colour.format(property="'backgroundColor'"), "body") == "rgb(16, 19, 23)"
    assert opened.page.evaluate(colour.format(property="'fill'"), ".chart text") == "rgb(154, 163, 176)"


def test_phone(real_file_run: RunFolder, open_page: OpenPage) -> None:
    phone = {"viewport": {"width": 390, "height": 844}, "device_scale_factor": 2, "is_mobile": True, "has_touch": True}
    opened = open_page(write_html(real_file_run), **phone)
    opened.picture("report-phone.png")
    assert opened.page.evaluate("document.documentElement.scrollWidth") <= 390
    assert opened.page.evaluate("document.body.scrollWidth") <= 390
    widths = [chart.bounding_box()["width"] for chart in opened.page.locator(".chart svg").all()]
    assert max(widths) <= 390


def test_print_fits_the_paper(recorded_run: RunFolder, open_page: OpenPage) -> None:
    opened = open_page(write_html(recorded_run), viewport={"width": 1200, "height": 900})
    PICTURES.mkdir(parents=True, exist_ok=True)
    opened.page.pdf(path=PICTURES / "report.pdf", format="A4")
    opened.page.set_viewport_size({"width": 690, "height": 900})
    opened.page.emulate_media(media="print")
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
    assert section.locator("td", has_text="LceBconv2d+ADD").count() == 1
    assert section.locator(".chart svg").count() == 2
    assert "outside" in section.locator("#chart-operator-time-0").inner_text()


def test_tables_sort_by_their_numbers_and_filter(recorded_run: RunFolder, open_page: OpenPage) -> None:
    page = open_page(write_html(recorded_run)).page
    table = page.locator("#operators table.sortable").first
    header = table.locator("th", has_text="binary MACs")
    header.locator("button").focus()
    page.keyboard.press("Enter")
    assert header.get_attribute("aria-sort") == "descending"
    column = table.locator("tbody tr td:nth-child(5)")
    assert column.all_inner_texts()[:3] == ["1,179,648", "589,824", "0"]
    page.keyboard.press("Enter")
    assert header.get_attribute("aria-sort") == "ascending"
    assert column.all_inner_texts()[-1] == "1,179,648"
    box = page.locator("#operators .filter").first
    box.fill("lcebconv2d conv_2")
    assert table.locator("tbody tr:visible").count() == 1
    box.fill("")
    assert table.locator("tbody tr:visible").count() == 9


def test_the_theme_follows_the_reader(recorded_run: RunFolder, open_page: OpenPage) -> None:
    page = open_page(write_html(recorded_run), color_scheme="light").page
    background = "getComputedStyle(document.body).backgroundColor"
    assert page.evaluate(background) == "rgb(246, 247, 249)"
    page.locator("#theme").click()
    assert page.evaluate(background) == "rgb(16, 19, 23)"
    assert page.inner_text("#theme") == "Light"
    page.reload()
    assert page.evaluate(background) == "rgb(16, 19, 23)", "it is remembered"
    page.emulate_media(media="print")
    assert page.evaluate(background) == "rgb(255, 255, 255)", "paper is white"


def test_sections_are_a_click_away(recorded_run: RunFolder, open_page: OpenPage) -> None:
    page = open_page(write_html(recorded_run)).page
    names = page.locator("nav a").all_inner_texts()
    assert names == page.locator("h2").all_inner_texts()
    page.locator("nav a", has_text="Latency").click()
    assert page.url.endswith("#latency")


def test_a_page_without_matplotlib(
    recorded_run: RunFolder, open_page: OpenPage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(drawing, "is_available", lambda: False)
    page = open_page(write_html(recorded_run)).page
    assert page.locator(".chart svg").count() == 0
    assert "Matplotlib is not installed here (pip install 'mobile-bnn[report]')" in page.inner_text("header")
    assert page.locator("table").count() > 5


def test_a_large_run_makes_a_small_page(timed_run: RunFolder, profile: Profile, operators: Operators) -> None:
    """200 operators, 24 measurements of 1,000 latencies."""
    rows = [operators.operators[2].model_copy(update={"index": index}) for index in range(200)]
    operators.model_copy(update={"operators": rows}).save(timed_run.operators)
    one = Profile.load(timed_run.profile()).measurements[0].operator_times[1]
    times = [one.model_copy(update={"operator": index, "layer": f"model/block_{index}/conv"}) for index in range(200)]
    measured = [
        each.model_copy(update={"latencies_ms": each.latencies_ms * 10, "threads": threads, "operator_times": times})
        for each in profile.measurements
        for threads in (1, 2, 3, 4)
    ]
    profile.model_copy(update={"measurements": measured}).save(timed_run.profile())
    assert write_html(timed_run).stat().st_size < 500_000


def test_what_marks_a_measurement_is_told(recorded_run: RunFolder, profile: Profile, open_page: OpenPage) -> None:
    machine = profile.machine.model_copy(update={"emulated": True})
    own = {"engine": "delegate", "kernel": "neon-2x64", "delegated_operators": 0, "operators": 9}
    first = profile.measurements[0].model_copy(update=own)
    last = profile.measurements[-1].model_copy(update={"throttled": True})
    changed = {"machine": machine, "measurements": [first, *profile.measurements[1:-1], last]}
    profile.model_copy(update=changed).save(recorded_run.profile())
    page = open_page(write_html(recorded_run)).page
    text = page.inner_text("#latency")
    assert "local is emulated: its times say nothing of a real device." in text
    assert "The native library took none of the 9 operators of model.tflite on local" in text
    assert "Heat or the supply slowed 1 measurement on local down" in text
    assert page.locator("td", has_text="emulated, throttled").count() == 1
    assert "(emulated)" in page.locator("figcaption", has_text="Latency of the runs").inner_text()


def test_classes_with_pictures_of_mistakes(
    recorded_run: RunFolder, verification: Verification, open_page: OpenPage
) -> None:
    content = io.BytesIO()
    Image.new("RGB", (1, 1)).save(content, "png")
    pixel = f"data:image/png;base64,{base64.b64encode(content.getvalue()).decode()}"
    graph = verification.graph_sha256
    predictions = Predictions.model_validate(
        {
            "dataset": "digits",
            "split": "test",
            "samples": 360,
            "labels": ["cat", HOSTILE, "dog"],
            "confusion": [[0, 0, 200], [1, 1, 150], [2, 2, 8], [2, 1, 2]],
            "mistakes": [{"index": 7, "true": 2, "predicted": 1, "image": pixel}],
            "graph_sha256": graph,
        }
    )
    predictions.save(recorded_run.predictions)
    opened = open_page(write_html(recorded_run), viewport={"width": 1200, "height": 900})
    section = opened.page.locator("#classes")
    assert section.locator(".chart svg").count() == 1
    assert section.locator("tbody tr").first.inner_text().startswith("dog")
    assert "2 misclassified, of which 1:" in section.inner_text()
    assert section.locator(".pictures span").inner_text() == f"dog → {HOSTILE}"
    assert section.locator(".pictures img").evaluate("image => image.naturalWidth") == 1
