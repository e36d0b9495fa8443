"""The stored page in a real browser: headless Chromium, driven by selenium, without a network."""

import base64
import io
import json
import re
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from PIL import Image, ImageDraw
from selenium import webdriver
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.select import Select

from oneshot.evaluation.confusion import confusion_matrix
from oneshot.page.nearest import classify
from oneshot.page.render import data_of
from oneshot.page.sections import drawing
from oneshot.page.sections.trial import unpack
from oneshot.use import digits

# In one worker, so that the logs of its browser are of all tests.
pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]

PAGE = Path(__file__).parents[2] / "plots/page.html"
NET = Path(__file__).parents[2] / "exports/siamese-2d.onnx"
PACKAGES = ("chromium", "chromium-driver")
# Starting the browser and drawing in software take long if the processors are busy.
PATIENCE = 240


def programs() -> tuple[str, str]:
    """The paths of Chromium and its driver; skips the test if they are not installed."""
    browser = shutil.which("chromium") or shutil.which("google-chrome")
    driver = shutil.which("chromedriver")
    if not (browser and driver):
        pytest.skip(f"the browser test needs Chromium and its driver (Debian: apt install {' '.join(PACKAGES)})")
    return browser, driver


def test_without_a_browser_the_test_says_what_to_install(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(shutil, "which", lambda _: None)
    with pytest.raises(pytest.skip.Exception, match="Debian: apt install chromium chromium-driver"):
        programs()


@pytest.fixture(scope="module")
def browser() -> Iterator[webdriver.Chrome]:
    binary, driver = programs()
    options = webdriver.ChromeOptions()
    options.binary_location = binary
    for word in (
        "--headless=new",
        "--no-sandbox",
        "--disable-dev-shm-usage",
        "--window-size=1200,900",
        # WebGL without a graphics card.
        "--use-angle=swiftshader",
        "--enable-unsafe-swiftshader",
        # No request of the page can succeed; the log below shows that it makes none.
        "--host-resolver-rules=MAP * ~NOTFOUND",
        "--disable-background-networking",
    ):
        options.add_argument(word)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    with webdriver.Chrome(options=options, service=webdriver.ChromeService(driver)) as browser:
        browser.command_executor.client_config.timeout = PATIENCE
        browser.set_page_load_timeout(PATIENCE)
        browser.set_script_timeout(PATIENCE)
        yield browser


@pytest.fixture(scope="module")
def loaded(browser: webdriver.Chrome) -> webdriver.Chrome:
    browser.get(PAGE.as_uri())
    until(lambda: browser.find_element(By.ID, "accuracy").text)
    # A click waits for no scrolling.
    browser.execute_script("document.documentElement.style.scrollBehavior = 'auto'")
    return browser


def until(condition: Callable[[], object]) -> None:
    """Wait for something that the page does asynchronously."""
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end, "the page does not get there"
        time.sleep(0.2)


def show(browser: webdriver.Chrome, key: str):
    """Scroll to a chart and wait until it is drawn; return its element."""
    plot = browser.find_element(By.ID, f"chart-{key}")
    browser.execute_script("arguments[0].scrollIntoView({behavior: 'instant', block: 'center'})", plot)
    until(lambda: browser.execute_script("return Boolean(arguments[0].querySelector('.main-svg'))", plot))
    return plot


def check_prediction(browser: webdriver.Chrome, packed: dict) -> list[int]:
    """Compare what the page shows with the library's predictions for the same examples; return the examples."""
    supports = [
        int(choice.get_attribute("value")) for choice in browser.find_elements(By.CSS_SELECTOR, ".choice input:checked")
    ]
    labels = np.array(packed["labels"])
    assert labels[supports].tolist() == list(range(len(packed["classes"]))), "one example of each class"
    predicted = classify(unpack(packed), supports)
    verdict = browser.find_element(By.ID, "accuracy")
    assert [int(word) for word in verdict.get_attribute("data-predictions").split(",")] == predicted.tolist()

    queries = predicted >= 0
    matrix = confusion_matrix(labels[queries], predicted[queries], len(packed["classes"]))
    right, total = int(np.trace(matrix)), int(matrix.sum())
    share, *counts = re.findall(r"[\d.]+", verdict.text)
    assert [int(count) for count in counts] == [right, total]
    assert float(share) == pytest.approx(100 * right / total, abs=0.051)
    cells = browser.find_elements(By.CSS_SELECTOR, "#matrix tbody td")
    assert [int(cell.text) for cell in cells] == matrix.ravel().tolist()
    wrong = browser.execute_script("return document.querySelectorAll('#wrong .tile').length")
    assert wrong == total - right
    return supports


def test_the_pages_size_is_what_the_readme_may_say():
    assert PAGE.stat().st_size < 8_000_000


@pytest.mark.parametrize("key", ["cifar10", "mnist"])
def test_clicked_examples_classify_as_in_python(loaded: webdriver.Chrome, key: str):
    packed = next(packed for packed in data_of(PAGE.read_bytes())["sets"] if packed["key"] == key)
    Select(loaded.find_element(By.ID, "set")).select_by_value(key)
    first = check_prediction(loaded, packed)
    for place, choices in enumerate(packed["choices"]):
        position = choices[(5 * place + 3) % len(choices)]
        choice = loaded.find_element(By.CSS_SELECTOR, f'.choice input[value="{position}"]')
        loaded.execute_script("arguments[0].scrollIntoView({behavior: 'instant', block: 'center'})", choice)
        if place % 2:
            choice.click()
        else:
            choice.send_keys(Keys.SPACE)
        assert check_prediction(loaded, packed) != first
    for _ in range(3):
        loaded.execute_script("arguments[0].click()", loaded.find_element(By.ID, "random"))
        check_prediction(loaded, packed)


@pytest.fixture(scope="module")
def embed() -> Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]:
    """The exported siamese net from scaled pixels on, with the page's statistics: (n, 28, 28, 1) float32, 0 to 1 ->
    points in the plane (n, 2), and whitened last maps (n, 576)."""
    model = onnx.load(NET)
    scale = next(onnx.numpy_helper.to_array(one) for one in model.graph.initializer if one.name == "scale")
    assert model.graph.node[0].op_type == "Cast"
    del model.graph.node[0]
    model.graph.node[0].input[0] = "images"
    model.graph.input[0].type.tensor_type.elem_type = onnx.TensorProto.FLOAT
    pooled = [node.output[0] for node in model.graph.node if node.op_type == "MaxPool"][-1]
    point = next(node.output[0] for node in model.graph.node if node.op_type == "Gemm")
    del model.graph.output[:]
    model.graph.output.extend(onnx.helper.make_empty_tensor_value_info(name) for name in (point, pooled))
    session = onnxruntime.InferenceSession(model.SerializeToString())
    stored = data_of(PAGE.read_bytes())["net"]
    mean, triangle = (drawing.unpack(stored[f"maps.{name}"]) for name in ("mean", "whitening"))
    matrix = np.zeros((len(mean), len(mean)), np.float32)
    matrix[np.tril_indices(len(mean))] = triangle

    def run(images):
        points, maps = session.run(None, {"images": (images / scale).astype(np.float32)})
        maps = maps.transpose(0, 2, 3, 1)
        cells = [maps[:, y : y + 3, x : x + 3].mean((1, 2)) for y in (0, 2, 4) for x in (0, 2, 4)]
        whitened = (np.concatenate(cells, axis=1) - mean) @ matrix
        return points, whitened / np.linalg.norm(whitened, axis=1, keepdims=True)

    return run


def drawn(browser: webdriver.Chrome) -> np.ndarray:
    """What is on the pad, as an image file would hold it: (280, 280, 3) uint8."""
    uri = browser.execute_script("return document.getElementById('pad').toDataURL('image/png')")
    return np.array(Image.open(io.BytesIO(base64.b64decode(uri.partition(",")[2]))).convert("RGB"))


def stroke(browser: webdriver.Chrome, points: list[tuple[int, int]]) -> None:
    """Draw on the pad by the mouse; points from its centre."""
    pad = browser.find_element(By.ID, "pad")
    actions = ActionChains(browser, duration=20).move_to_element_with_offset(pad, *points[0]).click_and_hold()
    for point in points[1:]:
        actions = actions.move_to_element_with_offset(pad, *point)
    actions.release().perform()


def press(browser: webdriver.Chrome, name: str) -> None:
    browser.find_element(By.ID, f"pad-{name}").click()


def test_the_net_on_the_page_is_pythons_on_images_like_mnists(loaded: webdriver.Chrome, embed):
    """Strokes and noise of 8 bits; the tests of the exports use the images of MNIST."""
    images = np.random.default_rng(0).integers(256, size=(20, 28, 28, 1))
    images[:, :4] = images[:, :, :4] = images[:, 20:] = images[:, :, 20:] = 0
    scaled = (images / 255).astype(np.float32)
    code = (
        "return arguments[0].map((image) => window.oneshot.embed(Float32Array.from(image)))"
        ".map(({ point, vector }) => [point, Array.from(vector)])"
    )
    points, vectors = zip(*loaded.execute_script(code, scaled.reshape(20, -1).tolist()), strict=True)
    for found, expected in zip((points, vectors), embed(scaled), strict=True):
        assert np.abs(np.array(found) - expected).max() < 1e-4


def on_paper(kind: str) -> np.ndarray:
    """Pictures of a symbol, (height, width) uint8: as drawn, photographed, larger than is needed, and on dark."""
    width, height = (900, 640) if kind == "large" else (200, 150)
    image = Image.new("L", (width, height), 255)
    points = [(x * width / 200, y * height / 150) for x, y in ((40, 30), (120, 40), (60, 120), (150, 110))]
    ImageDraw.Draw(image).line(points, fill=20, width=width // 20, joint="curve")
    values = np.asarray(image, float)
    if kind == "photographed":
        values = values * np.linspace(1, 0.75, width) + np.random.default_rng(0).normal(0, 8, values.shape)
    return np.clip(255 - values if kind == "dark" else values, 0, 255).astype(np.uint8)


@pytest.mark.parametrize("kind", ["clean", "photographed", "large", "dark"])
def test_a_drawing_is_prepared_as_in_python(loaded: webdriver.Chrome, kind: str):
    greys = on_paper(kind)
    code = "return Array.from(window.oneshot.prepare(arguments[0], arguments[1]))"
    found = np.array(loaded.execute_script(code, greys.ravel().tolist(), greys.shape[1])).reshape(28, 28)
    assert np.abs(found - digits.prepare(np.repeat(greys[..., None], 3, 2))[..., 0]).max() < 1e-3


def test_drawn_symbols_are_classified_as_in_python(loaded: webdriver.Chrome, embed):
    pad = loaded.find_element(By.ID, "pad")
    loaded.execute_script("arguments[0].scrollIntoView({behavior: 'instant', block: 'center'})", pad)
    looks = loaded.find_element(By.ID, "looks")

    def vector() -> np.ndarray:
        """Of what is on the pad, the same here and there."""
        found = np.array([float(word) for word in looks.get_attribute("data-vector").split(",")])
        assert np.abs(found - embed(digits.prepare(drawn(loaded))[None])[1][0]).max() < 1e-3
        return found

    def labels() -> list[str]:
        return [small.get_attribute("aria-label") for small in loaded.find_elements(By.CSS_SELECTOR, "#symbols canvas")]

    bar, ring = [(10, -90), (0, 90)], [(60, 0), (40, 50), (-10, 60), (-60, 10), (-40, -50), (10, -60), (60, 0)]
    examples = {}
    for name, points in {"bar": bar, "ring": ring}.items():
        stroke(loaded, points)
        examples[name] = [vector()]
        loaded.find_element(By.ID, "pad-name").send_keys(name)
        press(loaded, "add")
    # Smaller and elsewhere; the second one by touch.
    stroke(loaded, [(60, -20), (55, 40)])
    assert looks.get_attribute("data-nearest") == "bar ring" and looks.text.startswith("Nearest: bar, distance ")
    press(loaded, "next")
    assert looks.text.startswith("Classified as bar. Draw one of your symbols again")
    assert labels() == ["an example of bar", "classified as bar", "an example of ring"]
    frame = pad.rect
    middle = loaded.execute_script("return [scrollX, scrollY]")
    x, y = (
        frame[key] + frame[side] / 2 - off for key, side, off in zip("xy", ("width", "height"), middle, strict=True)
    )
    touches = [("touchStart", ring[0]), *(("touchMove", point) for point in ring[1:])]
    for kind, point in touches:
        at = [{"x": x - 50 + point[0] / 2, "y": y + 40 + point[1] / 2}]
        loaded.execute_cdp_cmd("Input.dispatchTouchEvent", {"type": kind, "touchPoints": at})
    loaded.execute_cdp_cmd("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    assert looks.get_attribute("data-nearest") == "ring bar"
    # It is said to be wrong: the drawing becomes the other symbol's second example, and their mean counts.
    examples["bar"].append(vector())
    Select(loaded.find_element(By.ID, "pad-right")).select_by_visible_text("bar")
    assert loaded.find_element(By.ID, "pad-example").text == "Wrong: learn it"
    press(loaded, "example")
    assert labels() == ["an example of bar", "an example of bar", "classified as bar", "an example of ring"]
    pad.send_keys("O")  # a typed character is drawn
    found = vector()
    distances = {name: np.linalg.norm(np.mean(own, axis=0) - found) for name, own in examples.items()}
    assert looks.get_attribute("data-nearest").split() == sorted(distances, key=distances.__getitem__)
    assert f"{min(distances.values()):.2f}" in looks.text
    assert len(loaded.find_elements(By.CSS_SELECTOR, "#plane circle")) == 5
    press(loaded, "restart")
    assert loaded.find_elements(By.CSS_SELECTOR, "#plane circle, #symbols canvas") == []


def test_own_pictures_are_classified(loaded: webdriver.Chrome, tmp_path):
    """The first two of several become symbols, the others are classified; white ink without a ground is seen."""
    for name, letter in {"1": "L", "2": "O", "3": "L", "4": None}.items():
        image = Image.new("RGBA", (120, 120), (0, 0, 0, 0))
        if letter:
            pen = ImageDraw.Draw(image)
            ink = {"fill": (255,) * 4, "width": 9}
            pen.line([(40, 20), (40, 100), (90, 100)], **ink) if letter == "L" else pen.arc(
                [30, 20, 90, 100], 0, 360, **ink
            )
        image.save(tmp_path / f"{name}.png")
    chooser = loaded.find_element(By.ID, "pad-files")
    chooser.send_keys("\n".join(str(tmp_path / f"{name}.png") for name in "1234"))
    looks = loaded.find_element(By.ID, "looks")
    until(lambda: looks.text.startswith("No drawing was found in 4.png."))
    labels = [small.get_attribute("aria-label") for small in loaded.find_elements(By.CSS_SELECTOR, "#symbols canvas")]
    assert labels == ["an example of 1", "classified as 1", "an example of 2"]
    # One picture waits on the pad, and a later one without a drawing changes nothing.
    chooser.send_keys(str(tmp_path / "1.png"))
    until(lambda: looks.text.startswith("Nearest: 1, "))
    kept = looks.get_attribute("data-vector")
    chooser.send_keys(str(tmp_path / "4.png"))
    until(lambda: looks.text.startswith("No drawing was found in 4.png."))
    assert looks.get_attribute("data-vector") == kept and loaded.find_element(By.ID, "pad-add").is_enabled()
    press(loaded, "restart")


def test_only_pictures_are_caught_when_they_are_dropped(loaded: webdriver.Chrome):
    drop = """
        const data = new DataTransfer();
        arguments[0] ? data.items.add(new File(["no picture"], "a.png")) : data.setData("text/plain", "a name");
        const event = new DragEvent("drop", { bubbles: true, cancelable: true, dataTransfer: data });
        document.getElementById("pad-name").dispatchEvent(event);
        return event.defaultPrevented"""
    assert loaded.execute_script(drop, True) and not loaded.execute_script(drop, False)
    until(lambda: "a.png" in loaded.find_element(By.ID, "looks").text)
    press(loaded, "restart")


def test_axe_finds_nothing_serious(loaded: webdriver.Chrome):
    script = Path(__file__).parents[2] / "node_modules/axe-core/axe.min.js"
    if not script.is_file():
        pytest.skip("the accessibility test needs axe-core (npm install --no-save axe-core)")
    loaded.execute_script(script.read_text(encoding="utf-8"))
    found = loaded.execute_async_script("axe.run().then(arguments[0])")["violations"]
    serious = [one for one in found if one["impact"] in ("serious", "critical")]
    assert [(one["id"], one["nodes"][0]["html"][:200]) for one in serious] == []


def test_a_print_has_the_charts_and_the_photographs(loaded: webdriver.Chrome):
    loaded.execute_script("dispatchEvent(new Event('beforeprint'))")
    missing = "return [...document.querySelectorAll('.plot')].filter((plot) => !plot.querySelector('.main-svg')).length"
    until(lambda: loaded.execute_script(missing) == 0)
    loaded.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    exact = "return getComputedStyle(document.querySelector('.tile')).printColorAdjust"
    assert loaded.execute_script(exact) == "exact"
    loaded.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})


def test_the_3d_view_turns_by_dragging_and_by_its_buttons(loaded: webdriver.Chrome):
    plot = show(loaded, "siamese-3d-unseen")

    def eye() -> dict:
        return loaded.execute_script("return arguments[0]._fullLayout.scene._scene.getCamera().eye", plot)

    until(lambda: loaded.execute_script("return Boolean(arguments[0]._fullLayout?.scene?._scene)", plot))
    before = eye()
    actions = ActionChains(loaded).move_to_element(plot).click_and_hold()
    for _ in range(4):
        actions = actions.move_by_offset(25, 5).pause(0.2)
    actions.release().perform()
    until(lambda: eye() != before)
    dragged = eye()
    loaded.find_element(By.CSS_SELECTOR, '[data-turns="chart-siamese-3d-unseen"] button').send_keys(Keys.ENTER)
    until(lambda: eye() != dragged)


def test_hovering_over_a_point_shows_its_image(loaded: webdriver.Chrome):
    plot = show(loaded, "projection-0")
    point = plot.find_element(By.CSS_SELECTOR, ".scatterlayer .trace .points path")
    until(lambda: loaded.execute_script("return typeof arguments[0].on", plot) == "function")
    ActionChains(loaded).move_to_element(point).move_by_offset(1, 1).perform()
    box = loaded.find_element(By.ID, "peek")
    until(box.is_displayed)
    assert box.text in {"frog", "horse", "ship", "truck"}
    drawn = loaded.execute_script("return getComputedStyle(arguments[0].querySelector('.tile')).backgroundImage", box)
    assert drawn.startswith('url("data:image/jpeg')


@pytest.mark.parametrize("width", [360, 390, 1200])
def test_nothing_hangs_over_the_side(loaded: webdriver.Chrome, width: int):
    size = {"width": width, "height": 844, "deviceScaleFactor": 1, "mobile": width < 500}
    loaded.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    show(loaded, "projection-0")
    # Charts adapt to the new width a moment later.
    until(lambda: loaded.execute_script("return document.documentElement.scrollWidth") <= width)
    loaded.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def test_captions_and_names_of_rows_stay_on_a_phone_while_their_tables_scroll(loaded: webdriver.Chrome):
    size = {"width": 390, "height": 844, "deviceScaleFactor": 1, "mobile": True}
    loaded.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    code = """
        document.querySelectorAll(".wide").forEach((wide) => (wide.scrollLeft = 10000));
        return [...document.querySelectorAll(".wide :is(caption, th:first-child)")]
          .map((element) => element.getBoundingClientRect())
          .filter(({ width }) => width)
          .map(({ left, right }) => [left, right])"""
    sides = loaded.execute_script(code)
    assert len(sides) > 99 and all(0 <= left < right <= 390 for left, right in sides)
    loaded.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


@pytest.mark.parametrize("width", [800, 1200])
def test_the_contents_show_all_entries(loaded: webdriver.Chrome, width: int):
    size = {"width": width, "height": 844, "deviceScaleFactor": 1, "mobile": False}
    loaded.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    contents = loaded.find_element("css selector", "nav ol")
    until(lambda: loaded.execute_script("return arguments[0].scrollWidth <= arguments[0].clientWidth", contents))
    loaded.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def test_dark_mode_reaches_the_charts(loaded: webdriver.Chrome):
    plot = show(loaded, "projection-0")

    def text() -> str:
        return loaded.execute_script("return arguments[0]._fullLayout.font.color", plot)

    light = text()
    dark = {"features": [{"name": "prefers-color-scheme", "value": "dark"}]}
    loaded.execute_cdp_cmd("Emulation.setEmulatedMedia", dark)
    until(lambda: text() != light)
    loaded.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})
    until(lambda: text() == light)


def test_no_error_and_no_request_after_all_charts_are_drawn(loaded: webdriver.Chrome):
    """The last test in this file, so that the logs cover all tests above."""
    for plot in loaded.find_elements(By.CSS_SELECTOR, ".plot"):
        show(loaded, plot.get_attribute("data-chart"))
    errors = [entry for entry in loaded.get_log("browser") if entry["level"] == "SEVERE"]
    assert errors == []
    messages = [json.loads(entry["message"])["message"] for entry in loaded.get_log("performance")]
    asked = [m["params"]["request"]["url"] for m in messages if m["method"] == "Network.requestWillBeSent"]
    assert PAGE.as_uri() in asked, "the log holds requests"
    assert [url[:80] for url in asked if not url.startswith(("data:", "blob:")) and url != PAGE.as_uri()] == []
