/** All charts of a run's page: which are seen, what they need, how far they are zoomed, and what comes live. */

import { call } from "./api.js";
import { Chart } from "./chart.js";
import { gathered } from "./live.js";
import { say } from "./messages.js";

const GATHER_MS = 40;
const MOST_POINTS = 2000;
const AXES = ["env_steps", "train_steps", "wall_time_s"];

export class Board {
  /** @param {string} run */
  constructor(run) {
    this.run = run;
    const address = new URLSearchParams(location.search);
    this.x = AXES.includes(address.get("x") ?? "") ? address.get("x") : "env_steps";
    const ends = ["from", "to"].map((name) => parseFloat(address.get(name) ?? ""));
    /** @type {[number, number] | null} */
    this.zoomed = ends.every(Number.isFinite) ? [ends[0], ends[1]] : null;
    this.smoothing = 0;
    this.asking = 0; // counts what makes older answers worthless
    /** @type {Map<Element, Chart>} */ this.charts = new Map();
    /** @type {Set<Chart>} */ this.seen = new Set();
    this.fetchSoon = gathered(GATHER_MS, () => this.fetch());
    this.watcher = new IntersectionObserver((entries) => this.watch(entries), { rootMargin: "120px" });
    this.sizer = new ResizeObserver((entries) => {
      for (const entry of entries) this.charts.get(entry.target.closest(".chart"))?.resize();
    });
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.redraw());
  }

  axis = () => this.x;
  width = () => this.smoothing;
  range = () => this.zoomed;
  onZoom = (/** @type {[number, number] | null} */ range) => this.show(this.x, range);

  /** Take charge of the figures that the page has now; forget those that it had. */
  adopt() {
    for (const chart of this.charts.values()) chart.forget();
    this.watcher.disconnect();
    this.sizer.disconnect();
    this.charts.clear();
    this.seen.clear();
    for (const figure of document.querySelectorAll("figure.chart")) {
      const chart = new Chart(/** @type {HTMLElement} */ (figure), this);
      this.charts.set(figure, chart);
      this.watcher.observe(figure);
      this.sizer.observe(chart.place);
    }
  }

  /** @param {IntersectionObserverEntry[]} entries */
  watch(entries) {
    for (const entry of entries) {
      const chart = this.charts.get(entry.target);
      if (!chart) continue;
      if (entry.isIntersecting) this.seen.add(chart);
      else this.seen.delete(chart);
    }
    this.fetchSoon();
  }

  /** One request for all charts in view of about the same width; what is loaded already is only drawn. */
  async fetch() {
    const wanted = [...this.seen].filter((chart) => !chart.isLoaded);
    for (const chart of this.seen) if (chart.isLoaded && chart.isStale && !chart.isAwaited) chart.draw();
    await Promise.all([...Map.groupBy(wanted, pointsFor)].map(([points, charts]) => this.fetchSome(points, charts)));
  }

  /**
   * @param {number} points
   * @param {Chart[]} charts
   */
  async fetchSome(points, charts) {
    const asked = { runs: [this.run], keys: charts.map((chart) => chart.key), points, x: this.x };
    const [from, to] = this.zoomed ?? [];
    if (from !== undefined) Object.assign(asked, { from_step: Math.floor(from), to_step: Math.ceil(to) });
    for (const chart of charts) chart.expect();
    const mine = this.asking;
    try {
      const answer = await curvesOf(asked);
      if (mine !== this.asking) return;
      const curves = new Map(answer.curves.map((curve) => [curve.key, curve]));
      for (const chart of charts) {
        chart.load(curves.get(chart.key) ?? null);
        chart.draw();
      }
    } catch (error) {
      for (const chart of charts) chart.giveUp();
      say(error.message, true);
    }
  }

  /** Everything again from the server: after a rewind, or when too much was missed. */
  reload() {
    this.asking += 1;
    for (const chart of this.charts.values()) chart.isLoaded = false;
    this.fetchSoon();
  }

  /** @param {any[]} records */
  append(records) {
    if (this.zoomed) return; // what is looked at stays; leaving the zoom asks anew
    for (const chart of this.charts.values()) {
      if (!chart.isLoaded) continue;
      for (const record of records) {
        const at = record[this.x];
        if (chart.key in record && typeof at === "number") chart.append(at, record[chart.key]);
      }
      if (chart.series.x.length > 2 * MOST_POINTS) chart.isLoaded = false;
    }
    this.fetchSoon();
  }

  /** @param {string[]} keys whether every one of them has a chart */
  knows(keys) {
    const known = new Set([...this.charts.values()].map((chart) => chart.key));
    return keys.every((key) => known.has(key));
  }

  /**
   * @param {string} x
   * @param {[number, number] | null} range
   */
  show(x, range) {
    this.x = x;
    this.zoomed = range;
    document.getElementById("zoom-out").hidden = range === null;
    const address = new URL(location.href);
    for (const [name, value] of Object.entries({ x: x === "env_steps" ? null : x, from: range?.[0], to: range?.[1] })) {
      if (value === null || value === undefined) address.searchParams.delete(name);
      else address.searchParams.set(name, typeof value === "number" ? String(Math.round(value)) : value);
    }
    history.replaceState(history.state, "", address);
    for (const chart of this.charts.values()) chart.forget();
    this.reload();
  }

  /** @param {number} width a share of the axis */
  smooth(width) {
    this.smoothing = width;
    for (const chart of this.charts.values()) chart.isStale = true;
    this.fetchSoon();
  }

  redraw() {
    for (const chart of this.charts.values()) {
      chart.forget();
      chart.isStale = true;
    }
    this.fetchSoon();
  }
}

/**
 * By address, which the browser can keep and ask whether it is still true; keys with commas need a body.
 * @param {Record<string, any>} asked
 */
function curvesOf(asked) {
  if (asked.keys.some((/** @type {string} */ key) => key.includes(","))) return call("POST", "/api/v1/curves", asked);
  const words = Object.entries(asked).map(([name, value]) => [name, String(value)]);
  return call("GET", `/api/v1/curves?${new URLSearchParams(words)}`);
}

/** @param {Chart} chart */
function pointsFor(chart) {
  return Math.min(MOST_POINTS, Math.max(100, Math.ceil(chart.width / 100) * 100));
}
