/** Curves of some runs beside the band of a baseline, with the limits that they are held against. */

import { call } from "./api.js";
import { say } from "./messages.js";
import { number, tick } from "./words.js";

const POINTS = 400;
const FONT = "11px system-ui, sans-serif";
const SERIES = 8;
const MOST_READ = 6;
// So that lines can be told apart without their colours; the legend draws the same ones.
const DASHES = [[], [7, 4], [2, 3]];

/**
 * What is drawn of one side: a line alone, or with a band around it.
 * @typedef {{steps: number[], low?: number[], middle: (number | null)[], high?: number[]}} Shape
 * @typedef {{shape: Shape, colour: string, dash: number[], isBaseline: boolean}} Drawn
 */

export class BandChart {
  /**
   * @param {HTMLElement} figure with data-key; and data-band (the baseline's curve) and data-runs, or data-sides (bands
   *   of several sides); perhaps data-limits
   */
  constructor(figure) {
    this.figure = figure;
    this.key = figure.dataset.key;
    this.place = /** @type {HTMLElement} */ (figure.querySelector(".plot"));
    /** @type {{y: number, label: string}[]} */
    this.limits = JSON.parse(figure.dataset.limits || "[]");
    /** @type {Drawn[]} */ this.drawn = [];
    this.plot = null;
    /** @type {any} */ this.rows = null;
  }

  async load() {
    const { sides } = this.figure.dataset;
    const [baseline, others] = sides ? await this.sides(sides) : await Promise.all([this.baseline(), this.runs()]);
    const places = others.map((shape, place) => ({ shape, ...look(place) }));
    const first = { shape: baseline, colour: "--ink-soft", dash: [4, 4], isBaseline: true };
    this.drawn = [first, ...places].filter(({ shape }) => shape?.steps.length);
    this.place.querySelector(".skeleton")?.remove();
    this.place.classList.toggle("empty-plot", this.drawn.length === 0);
    this.rows = this.drawn.length ? uPlot.join(this.drawn.map(({ shape }) => table(shape))) : null;
    this.draw();
  }

  /** @param {string} address @returns {Promise<[Shape | null, (Shape | null)[]]>} */
  async sides(address) {
    const found = await call("GET", address);
    return [found.baseline, found.sides];
  }

  /** A single curve is its own band. @returns {Promise<Shape | null>} */
  async baseline() {
    if (!this.figure.dataset.band) return null;
    const { band, curves } = await call("GET", this.figure.dataset.band);
    return band ?? (curves.length === 1 ? { steps: curves[0].steps, middle: curves[0].values } : null);
  }

  /** One for each run, also where it has no such metric: colours stay with their runs. */
  async runs() {
    const runs = this.figure.dataset.runs ? this.figure.dataset.runs.split(",") : [];
    if (runs.length === 0) return [];
    const answer = await call("POST", "/api/v1/curves", { runs, keys: [this.key], points: POINTS, x: "env_steps" });
    const found = new Map(answer.curves.map((curve) => [curve.run, { steps: curve.x, middle: curve.last }]));
    return runs.map((run) => found.get(run) ?? null);
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
    const series = [{}];
    const bands = [];
    this.middles = []; // the row of each side's line
    for (const { shape, colour: name, dash } of this.drawn) {
      const stroke = colour(name);
      const line = { stroke, width: 1.6, dash, spanGaps: true, points: { show: shape.steps.length === 1 } };
      const edge = { ...line, stroke: "transparent", width: 0 };
      if (shape.low) {
        bands.push({ series: [series.length + 1, series.length], fill: `${stroke}30` });
        series.push(edge, edge);
      }
      this.middles.push(series.length);
      series.push(line);
    }
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
      series,
      bands,
      cursor: { y: false, drag: { x: true, y: false }, sync: { key: "bands", setSeries: false } },
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
    const words = at === undefined ? [] : this.middles.map((row, which) => this.said(plot, row, which, i));
    const known = words.filter(Boolean);
    place.textContent = known.length ? `${known.slice(0, MOST_READ).join(", ")} @ ${number(at)}` : "";
  }

  /** What one side has at a place: of a baseline its whole band. */
  said(plot, row, which, i) {
    const value = plot.data[row][i];
    if (value === null || value === undefined) return "";
    const { shape, isBaseline } = this.drawn[which];
    if (!isBaseline) return number(value);
    return shape.low ? `baseline ${number(plot.data[row - 2][i])} … ${number(plot.data[row - 1][i])}` : `baseline ${number(value)}`;
  }

  /** Each limit as a line over the whole width. Its words stand at the left, where curves begin far from it. */
  rule(plot, colour) {
    const { ctx, bbox } = plot;
    const unit = devicePixelRatio;
    ctx.save();
    ctx.strokeStyle = ctx.fillStyle = colour;
    ctx.lineWidth = unit;
    ctx.setLineDash([6 * unit, 4 * unit]);
    ctx.font = `${11 * unit}px system-ui, sans-serif`;
    ctx.textAlign = "left";
    ctx.textBaseline = "bottom";
    let before = { y: -Infinity, end: bbox.left };
    for (const { y, label } of this.limits.toSorted((one, other) => other.y - one.y)) {
      const at = plot.valToPos(y, "y", true);
      ctx.beginPath();
      ctx.moveTo(bbox.left, at);
      ctx.lineTo(bbox.left + bbox.width, at);
      ctx.stroke();
      const isNear = at - before.y < 13 * unit; // then beside the words above it
      const x = (isNear ? before.end : bbox.left) + 8 * unit;
      const words = `${label} ${number(y)}`;
      ctx.fillText(words, x, at - 2 * unit);
      before = { y: at, end: x + ctx.measureText(words).width };
    }
    ctx.restore();
  }
}

/** @param {number} place */
function look(place) {
  return { colour: `--series-${place % SERIES}`, dash: DASHES[place % DASHES.length], isBaseline: false };
}

/** Rows for the chart: steps, lowest and highest where there are any, the middle. @param {Shape} shape */
function table({ steps, low, middle, high }) {
  return (low ? [steps, low, high, middle] : [steps, middle]).map(finite);
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
