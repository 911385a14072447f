/** Curves of some runs beside the band of a baseline, with the limits that they are held against. */

import { call } from "./api.js";
import { say } from "./messages.js";
import { number, tick } from "./words.js";

const POINTS = 400;
const FONT = "11px system-ui, sans-serif";
const SERIES = 8;
// So that lines can be told apart without their colours; the legend draws the same ones.
const DASHES = [[], [7, 4], [2, 3]];
const LOW = 1, HIGH = 2, MIDDLE = 3; // rows of the band, where there is one

/** @typedef {{steps: number[], low: number[], middle: number[], high: number[]}} Band */

export class BandChart {
  /** @param {HTMLElement} figure with data-key, data-band, data-runs and data-limits */
  constructor(figure) {
    this.figure = figure;
    this.key = figure.dataset.key;
    this.place = /** @type {HTMLElement} */ (figure.querySelector(".plot"));
    /** @type {{y: number, label: string}[]} */
    this.limits = JSON.parse(figure.dataset.limits || "[]");
    this.runs = figure.dataset.runs ? figure.dataset.runs.split(",") : [];
    this.hasBand = false;
    this.plot = null;
    /** @type {any} */ this.rows = null;
  }

  async load() {
    const [band, curves] = await Promise.all([this.band(), this.curves()]);
    this.hasBand = band !== null;
    const tables = [...(band ? [band] : []), ...curves].filter((table) => table[0].length);
    this.place.querySelector(".skeleton")?.remove();
    this.place.classList.toggle("empty-plot", tables.length === 0);
    this.rows = tables.length ? uPlot.join(tables) : null;
    this.draw();
  }

  /** One table of the band: steps, lowest, highest, middle. A single curve is its own band. */
  async band() {
    if (!this.figure.dataset.band) return null;
    const found = await call("GET", this.figure.dataset.band);
    const { band, curves } = found;
    if (band) return [band.steps, band.low, band.high, band.middle].map(finite);
    const [only] = curves;
    return only ? [only.steps, only.values, only.values, only.values].map(finite) : null;
  }

  /** A table for each run. A run without the metric has an empty one: colours stay with their runs. */
  async curves() {
    if (this.runs.length === 0) return [];
    const asked = { runs: this.runs, keys: [this.key], points: POINTS, x: "env_steps" };
    const answer = await call("POST", "/api/v1/curves", asked);
    const found = new Map(answer.curves.map((curve) => [curve.run, curve]));
    this.drawn = this.runs.map((run, place) => ({ run, place })).filter(({ run }) => found.get(run)?.x.length);
    return this.drawn.map(({ run }) => [finite(found.get(run).x), finite(found.get(run).last)]);
  }

  draw() {
    this.plot?.destroy();
    this.plot = this.rows ? new uPlot(this.options(), this.rows, this.place) : null;
  }

  resize() {
    this.plot?.setSize({ width: this.width, height: this.place.clientHeight });
  }

  get width() {
    return Math.max(120, Math.round(this.place.clientWidth));
  }

  options() {
    const style = getComputedStyle(document.documentElement);
    const colour = (/** @type {string} */ name) => style.getPropertyValue(name).trim();
    const grid = { stroke: colour("--line"), width: 1 };
    const axis = { stroke: colour("--ink-soft"), font: FONT, grid, ticks: { show: false } };
    const hidden = { stroke: "transparent", width: 0, points: { show: false }, spanGaps: true };
    const soft = colour("--ink-soft");
    const middle = { ...hidden, stroke: soft, width: 1.4, dash: [4, 4] };
    const lines = (this.drawn ?? []).map(({ place }) => ({
      stroke: colour(`--series-${place % SERIES}`),
      width: 1.6,
      dash: DASHES[place % DASHES.length],
      spanGaps: true,
      points: { show: false },
    }));
    return {
      width: this.width,
      height: this.place.clientHeight,
      legend: { show: false },
      padding: [8, 14, 0, 0],
      scales: { x: { time: false }, y: { range: (_, low, high) => this.range(low, high) } },
      axes: [
        { ...axis, size: 26, gap: 4, space: 70, values: (_, ticks) => ticks.map(tick) },
        { ...axis, size: 48, gap: 4, space: 32, values: (_, ticks) => ticks.map(tick) },
      ],
      series: [{}, ...(this.hasBand ? [hidden, hidden, middle] : []), ...lines],
      bands: this.hasBand ? [{ series: [HIGH, LOW], fill: `${soft}38` }] : [],
      cursor: { y: false, drag: { x: true, y: false } },
      hooks: {
        setCursor: [(plot) => this.read(plot)],
        draw: [(plot) => this.rule(plot, colour("--bad"))],
      },
    };
  }

  /** All lines, and the limits too. */
  range(low, high) {
    const levels = this.limits.map((limit) => limit.y);
    const least = Math.min(low ?? Infinity, ...levels);
    const most = Math.max(high ?? -Infinity, ...levels);
    const room = (most - least || Math.abs(most) || 1) * 0.06;
    return [least - room, most + room];
  }

  read(plot) {
    const place = this.figure.querySelector("[data-readout]");
    const i = plot.cursor.idx;
    const at = i === null || i === undefined ? undefined : plot.data[0][i];
    if (at === undefined) {
      place.textContent = "";
      return;
    }
    const first = this.hasBand ? MIDDLE + 1 : 1;
    const words = [];
    if (this.hasBand && plot.data[MIDDLE][i] !== undefined && plot.data[MIDDLE][i] !== null) {
      words.push(`baseline ${number(plot.data[LOW][i])} … ${number(plot.data[HIGH][i])}`);
    }
    for (let row = first; row < plot.data.length; row++) {
      const value = plot.data[row][i];
      if (value !== null && value !== undefined) words.push(number(value));
    }
    place.textContent = words.length ? `${words.slice(0, 6).join(", ")} @ ${number(at)}` : "";
  }

  /** Each limit as a line over the whole width. Its words stand at the left, where curves begin far from it. */
  rule(plot, colour) {
    const { ctx, bbox } = plot;
    ctx.save();
    ctx.strokeStyle = ctx.fillStyle = colour;
    ctx.lineWidth = devicePixelRatio;
    ctx.setLineDash([6 * devicePixelRatio, 4 * devicePixelRatio]);
    ctx.font = `${11 * devicePixelRatio}px system-ui, sans-serif`;
    for (const { y, label } of this.limits) {
      const at = plot.valToPos(y, "y", true);
      ctx.beginPath();
      ctx.moveTo(bbox.left, at);
      ctx.lineTo(bbox.left + bbox.width, at);
      ctx.stroke();
      ctx.fillText(`${label} ${number(y)}`, bbox.left + 6 * devicePixelRatio, at - 4 * devicePixelRatio);
    }
    ctx.restore();
  }
}

/** Words for what is not finite become holes. @param {unknown[]} values */
function finite(values) {
  return values.map((value) => (typeof value === "number" && Number.isFinite(value) ? value : null));
}

const charts = [...document.querySelectorAll("figure.band")].map((figure) => new BandChart(/** @type {HTMLElement} */ (figure)));
const sizer = new ResizeObserver(() => charts.forEach((chart) => chart.resize()));
for (const chart of charts) {
  sizer.observe(chart.place);
  chart.load().catch((error) => say(error.message, true));
}
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => charts.forEach((chart) => chart.draw()));
document.addEventListener("change", (event) => {
  const field = /** @type {HTMLSelectElement} */ (event.target);
  if (field.matches("select[data-submits]")) field.form.submit();
});
