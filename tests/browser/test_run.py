"""One run's page in a browser: curves that are really drawn, live, and zoomed without losing a spike."""

import re

import pytest
from playwright.sync_api import Locator, Page, Route, expect

from tests.browser.conftest import Server
from tests.browser.curves import Plot

pytestmark = pytest.mark.browser

# The most common way to be wrong is a canvas that is there and empty.
_INK = """figure => {
  const canvas = figure.querySelector('canvas');
  if (!canvas) return 0;
  const {data} = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
  const colour = getComputedStyle(document.documentElement).getPropertyValue('--series-0').trim();
  const [r, g, b] = colour.match(/[0-9a-f]{2}/g).map(x => parseInt(x, 16));
  let ink = 0;
  for (let i = 0; i < data.length; i += 4) {
    if (data[i] === r && data[i + 1] === g && data[i + 2] === b && data[i + 3] === 255) ink++;
  }
  return ink;
}"""


def chart(page: Page, key: str) -> Locator:
    return page.locator(f'figure[data-key="{key}"]')


def ink(figure: Locator) -> int:
    """Pixels of the line itself."""
    expect(figure.locator("canvas")).to_be_visible()
    count: int = figure.evaluate(_INK)
    return count


def test_one_record_is_told_and_not_drawn_and_an_empty_log_takes_no_place(page: Page, server: Server) -> None:
    run = server.lab.post("/runs", {"name": "once", "experiment": "foreign"})["id"]
    record = {"env_steps": 3001, "train_steps": 7, "wall_time_s": 1.5, "charts/score": 0.5}
    server.lab.post(f"/runs/{run}/metrics", {"offset": 0, "records": [record]})
    server.lab.post(f"/runs/{run}/finish", {"state": "succeeded"})
    page.goto(f"/runs/{run}")
    expect(chart(page, "charts/score").locator(".plot")).to_have_attribute("data-single", "one record, at step 3,001")
    expect(chart(page, "charts/score").locator("canvas")).to_have_count(0)
    expect(page.locator("#log-panel")).to_be_hidden()
    expect(page.locator(".how-far")).to_contain_text("100")  # it is over, also where nobody said how long it would be


def test_a_speed_before_learning_does_not_hide_the_speed_after_it(page: Page, server: Server) -> None:
    run = server.lab.post("/runs", {"name": "speeds", "experiment": "foreign"})["id"]
    speeds = [3000.0 if step < 10 else 5.0 + step % 2 for step in range(30)]
    records = [{"env_steps": 100 * step, "sps": speed, "State/kl": speed} for step, speed in enumerate(speeds)]
    server.lab.post(f"/runs/{run}/metrics", {"offset": 0, "records": records})
    page.goto(f"/runs/{run}")
    expect(chart(page, "sps").get_by_text("log axis")).to_be_visible()
    assert ink(chart(page, "sps")) > 200
    expect(chart(page, "State/kl").get_by_text("log axis")).to_be_hidden()


def test_the_hero_and_six_charts_are_drawn_without_scrolling(page: Page, server: Server) -> None:
    page.goto(f"/runs/{server.runs['solved']}")
    figures = page.locator("#board > .board > figure")
    expect(figures).to_have_count(7)
    expect(page.locator("canvas")).to_have_count(7)
    for figure in figures.all():
        assert ink(figure) > 100, figure.get_attribute("data-key")
        assert figure.evaluate("figure => figure.getBoundingClientRect().bottom") <= 1000
    expect(page.locator("#log")).to_contain_text("step 40,000")
    assert page.locator("#log").evaluate("log => log.getBoundingClientRect().bottom") <= 1000


def test_the_latest_value_stands_beside_the_title(page: Page, server: Server) -> None:
    page.goto(f"/runs/{server.runs['running']}")
    known = server.lab.client.get(f"/api/v1/runs/{server.runs['running']}/keys").json()["items"]
    [last] = [key["last"] for key in known if key["key"] == "sps"]
    shown = chart(page, "sps").locator("[data-latest]").inner_text()
    assert float(shown) == pytest.approx(last, rel=1e-3)


def test_a_point_that_is_not_finite_is_marked(page: Page, server: Server) -> None:
    page.goto(f"/runs/{server.runs['broken']}")
    figure = chart(page, "Loss/world_model_loss")
    expect(figure.locator("[data-non-finite]")).to_have_text("✕ 5")
    expect(figure.locator("[data-latest]")).to_have_text("NaN")
    expect(page.get_by_role("alert")).to_contain_text("world_model_loss is NaN")


def test_zooming_asks_for_the_part_and_keeps_the_spike(page: Page, server: Server) -> None:
    page.goto(f"/runs/{server.runs['solved']}")
    figure = chart(page, "Loss/value_loss")
    assert ink(figure) > 0
    over = figure.locator(".u-over").bounding_box()
    assert over is not None
    with page.expect_response(re.compile("curves.*from_step=")) as answered:
        page.mouse.move(over["x"] + over["width"] * 0.5, over["y"] + 40)
        page.mouse.down()
        page.mouse.move(over["x"] + over["width"] * 0.65, over["y"] + 60, steps=5)
        page.mouse.up()
    for curve in answered.value.json()["curves"]:
        if curve["key"] == "Loss/value_loss":
            assert max(curve["max"]) == 46.0
            assert 19_000 < curve["x"][0] < 21_000
    assert re.search("from=.*to=", page.url)
    page.get_by_role("button", name="whole range").click()
    expect(page.get_by_role("button", name="whole range")).to_be_hidden()
    assert "from=" not in page.url


def test_a_zoomed_address_opens_zoomed(page: Page, server: Server) -> None:
    with page.expect_response(re.compile("curves.*from_step=20000&to_step=25000")):
        page.goto(f"/runs/{server.runs['solved']}?from=20000&to=25000")
    expect(page.get_by_role("button", name="whole range")).to_be_visible()


def test_the_axis_can_be_time(page: Page, server: Server) -> None:
    page.goto(f"/runs/{server.runs['solved']}")
    with page.expect_response(re.compile("curves.*x=wall_time_s")):
        page.get_by_label("Horizontal axis").select_option("wall_time_s")
    assert ink(chart(page, "eval/mean_return")) > 100
    assert "x=wall_time_s" in page.url


def test_smoothing_draws_another_line_over_the_raw_one(page: Page, server: Server) -> None:
    page.goto(f"/runs/{server.runs['solved']}")
    figure = chart(page, "Rewards/rew_avg")
    before = ink(figure)
    page.get_by_label("Smoothing").fill("0.05")
    page.wait_for_timeout(200)
    assert 0 < ink(figure) < before


def test_other_metrics_are_loaded_when_their_group_is_opened(page: Page, server: Server) -> None:
    page.goto(f"/runs/{server.runs['solved']}")
    expect(page.locator("canvas")).to_have_count(7)
    with page.expect_response(re.compile("curves.*Grads")):
        page.locator("summary", has_text="Gradients").click()
        page.locator("summary", has_text="Gradients").scroll_into_view_if_needed()
    assert ink(chart(page, "Grads/agent")) > 50


def test_a_run_is_followed_while_it_learns(page: Page, server: Server) -> None:
    [run] = server.lab.submit(experiment="live", name="learning")
    server.lab.claim_this(run)
    page.goto(f"/runs/{run}")
    expect(page.locator("#connection")).to_have_text("live")
    expect(chart(page, "sps").locator("[data-latest]")).to_have_text("–")
    server.lab.train(run, Plot(), until=8_000)
    expect(chart(page, "Rewards/rew_avg").locator("canvas")).to_be_visible()
    expect(page.locator("#log")).to_contain_text("step  8,000")
    expect(page.locator("#run-header")).to_contain_text("20 %")
    first = chart(page, "sps").locator("[data-latest]").inner_text()
    point = {"env_steps": 8_100, "train_steps": 3_538, "wall_time_s": 653.2, "sps": 99.5}
    known = server.lab.client.get(f"/api/v1/runs/{run}/records?from=0&limit=1").json()["total"]
    server.lab.post(f"/runs/{run}/metrics", {"offset": known, "records": [point]}, **server.lab.lease(run))
    expect(chart(page, "sps").locator("[data-latest]")).to_have_text("99.5")
    assert first != "99.5"


def test_a_tab_that_nobody_looks_at_frees_its_connection_and_catches_up(page: Page, server: Server) -> None:
    [run] = server.lab.submit(experiment="live", name="out of sight")
    page.clock.install()
    page.goto(f"/runs/{run}")
    expect(page.locator("#connection")).to_have_text("live")
    hide = "hidden => { Object.defineProperty(document, 'hidden', {value: hidden, configurable: true});"
    hide += "document.dispatchEvent(new Event('visibilitychange')); }"
    page.evaluate(hide, True)
    page.clock.fast_forward(31_000)
    expect(page.locator("#connection")).to_have_text("paused")
    server.lab.claim_this(run)
    server.lab.train(run, Plot(), until=4_000)
    page.evaluate(hide, False)
    expect(page.locator("#connection")).to_have_text("live")
    expect(page.locator("#run-header .state").first).to_have_text("running")
    expect(page.locator("#log")).to_contain_text("step  4,000")
    assert ink(chart(page, "sps")) > 20


def test_a_metric_that_is_new_gets_its_chart(page: Page, server: Server) -> None:
    answer = server.lab.post("/runs", {"experiment": "foreign", "name": "theirs"})
    page.goto(f"/runs/{answer['id']}")
    expect(page.locator("#connection")).to_have_text("live")
    expect(page.locator("#board")).to_contain_text("No numbers yet.")
    records = [{"env_steps": step, "charts/return": step * 0.5} for step in range(1, 50)]
    server.lab.post(f"/runs/{answer['id']}/metrics", {"offset": 0, "records": records})
    assert ink(chart(page, "charts/return")) > 20


def test_a_slow_header_does_not_keep_a_new_metric_from_its_chart(page: Page, server: Server) -> None:
    answer = server.lab.post("/runs", {"experiment": "foreign", "name": "slow header"})
    page.goto(f"/runs/{answer['id']}")
    expect(page.locator("#connection")).to_have_text("live")
    held: list[Route] = []
    page.route(f"**/runs/{answer['id']}", lambda route: held.append(route))
    server.lab.client.patch(f"/api/v1/runs/{answer['id']}", json={"conclusion": "makes the header come again"})
    while not held:
        page.wait_for_timeout(20)
    records = [{"env_steps": step, "charts/return": 2.0} for step in (1, 2)]
    server.lab.post(f"/runs/{answer['id']}/metrics", {"offset": 0, "records": records})
    expect(chart(page, "charts/return").locator("canvas")).to_be_visible()
    held[0].continue_()


def test_cancelling_asks_first_and_tells_the_worker(page: Page, server: Server) -> None:
    [run] = server.lab.submit(experiment="live", name="to be stopped")
    server.lab.claim_this(run)
    page.goto(f"/runs/{run}")
    page.get_by_role("button", name="Cancel the run").click()
    page.get_by_role("button", name="No, leave it").click()
    expect(page.locator("#run-header .state").first).to_have_text("running")
    page.get_by_role("button", name="Cancel the run").click()
    page.locator("#ask-yes").click()
    expect(page.locator("#run-header .state").first).to_have_text("stopping")
    server.lab.end(run, "cancelled")
    expect(page.locator("#run-header .state").first).to_have_text("cancelled")
    expect(page.get_by_role("button", name="Retry")).to_be_visible()


def test_notes_are_kept(page: Page, server: Server) -> None:
    run = server.runs["forgot"]
    page.goto(f"/runs/{run}")
    page.get_by_label("Conclusion").fill("It forgot what it knew.")
    page.get_by_label("Tags").fill("odd, forgets")
    page.get_by_role("button", name="Save").click()
    expect(page.locator("[data-saved]")).to_have_text("saved")
    kept = server.lab.client.get(f"/api/v1/runs/{run}").json()
    assert (kept["conclusion"], kept["tags"]) == ("It forgot what it knew.", ["forgets", "odd"])


def test_settings_are_searched(page: Page, server: Server) -> None:
    page.goto(f"/runs/{server.runs['solved']}")
    rows = page.locator("table.settings tbody tr:visible")
    page.get_by_label("Search the settings").fill("total_steps")
    expect(rows).to_have_count(1)
    page.get_by_label("Search the settings").fill("")
    page.locator("#config-changed").check()
    expect(rows.first).to_contain_text("algo.total_steps")


def test_ids_and_commands_can_be_copied(page: Page, server: Server) -> None:
    run = server.runs["solved"]
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.goto(f"/runs/{run}")
    page.get_by_role("button", name="Copy the run's id").click()
    assert page.evaluate("navigator.clipboard.readText()") == run


def test_the_chart_follows_the_colour_scheme(page: Page, server: Server) -> None:
    page.goto(f"/runs/{server.runs['solved']}")
    assert ink(chart(page, "sps")) > 100
    page.emulate_media(color_scheme="dark")
    page.wait_for_timeout(200)
    assert ink(chart(page, "sps")) > 100
