/** One chart in one <figure>: a band of lowest to highest, a faint raw line, a line, marks where it is not finite. */

import { Series } from "./series.js";
import { number, span, tick } from "./words.js";

const FONT = "11px system-ui, sans-serif";
const SYNC = "run";
const WIDE = 30; // times the lowest: more than this, and a linear axis shows the highest alone
const WHOLE = [1, 2, 5].flatMap((n) => Array.from({ length: 13 }, (_, power) => n * 10 ** power)).sort((a, b) => a - b);
const LINE = 4; // of the rows: x, highest, lowest, raw, and the line itself

export class Chart {
  /**
   * @param {HTMLElement} figure with data-key
   * @param {import("./board.js").Board} board
   */
  constructor(figure, board) {
    this.figure = figure;
    this.board = board;
    this.key = figure.dataset.key;
    this.series = new Series(this.key);
    this.place = /** @type {HTMLElement} */ (figure.querySelector(".plot"));
    this.plot = null;
    this.isLoaded = false; // or is about to be
    /** @type {[number, number | string][]} points that came while the curve was on its way */ this.late = [];
    this.isAwaited = false;
    this.isLog = false;
    this.isStale = true; // its series has changed since it was drawn, or it never was
    this.colour = figure.dataset.colour ?? "--series-0";
  }

  /** Pixels to draw on: how many buckets are worth asking for. */
  get width() {
    return Math.max(120, Math.round(this.place.clientWidth));
  }

  /** Its curve is asked for: once, however often the answer is waited for. */
  expect() {
    this.isLoaded = true;
    this.isAwaited = true;
  }

  /** @param {import("./series.js").Curve | null} curve null: the run has no such metric */
  load(curve) {
    if (curve) this.series.load(curve);
    else this.series.clear();
    for (const [x, value] of this.late) this.series.append(x, value);
    this.late = [];
    this.isAwaited = false;
    this.isStale = true;
  }

  /** The curve did not come. */
  giveUp() {
    this.isLoaded = false;
    this.isAwaited = false;
  }

  /**
   * A point of the live stream.
   * @param {number} x
   * @param {number | string} value
   */
  append(x, value) {
    if (this.isAwaited) this.late.push([x, value]);
    else if (this.series.append(x, value)) this.isStale = true;
  }

  draw() {
    this.isStale = false;
    this.place.querySelector(".skeleton")?.remove();
    this.place.classList.toggle("empty-plot", this.series.x.length === 0);
    this.tell();
    if (this.isOnePoint()) {
      this.forget();
      return;
    }
    if (this.plot && this.isLog !== this.isLogarithmic()) this.forget();
    const rows = this.series.rows(this.board.width());
    if (this.plot) this.plot.setData(rows);
    else this.plot = new uPlot(this.options(), rows, this.place);
  }

  /** A point is no curve: its value stands above, and here where it is from. An axis around it would be made up. */
  isOnePoint() {
    const { x } = this.series;
    if (x.length === 1) this.place.dataset.single = `one record, at ${this.at(x[0])}`;
    else delete this.place.dataset.single;
    return x.length < 2;
  }

  /** @param {number} x */
  at(x) {
    const axis = this.board.axis();
    if (axis === "wall_time_s") return span(x);
    return `${axis === "env_steps" ? "step" : "update"} ${number(Math.round(x))}`;
  }

  /** Before it learns, a run is a thousand times as fast: such a speed is drawn so that both can be read. */
  isLogarithmic() {
    if (!(this.figure.dataset.unit ?? "").endsWith("/s")) return false;
    const [lows, highs] = [this.series.low, this.series.high].map((all) => all.filter(Number.isFinite));
    const low = Math.min(...lows);
    return low > 0 && Math.max(...highs) > WIDE * low;
  }

  resize() {
    this.plot?.setSize({ width: this.width, height: this.place.clientHeight });
  }

  /** After another colour scheme or axis: the next draw begins anew. */
  forget() {
    this.plot?.destroy();
    this.plot = null;
  }

  /** The newest value, beside the title. */
  tell() {
    const latest = this.series.latest;
    if (latest === null || this.board.range()) return;
    const place = this.figure.querySelector("[data-latest]");
    place.textContent = number(latest);
    place.classList.toggle("bad", typeof latest === "string");
    const warning = /** @type {HTMLElement} */ (this.figure.querySelector("[data-non-finite]"));
    if (this.series.marks.length) warning.hidden = false;
  }

  options() {
    const style = getComputedStyle(document.documentElement);
    const colour = (/** @type {string} */ name) => style.getPropertyValue(name).trim();
    const line = colour(this.colour);
    const isTime = this.board.axis() === "wall_time_s";
    this.isLog = this.isLogarithmic();
    this.figure.querySelector("[data-log]")?.toggleAttribute("hidden", !this.isLog);
    const grid = { stroke: colour("--line"), width: 1 };
    const axis = { stroke: colour("--ink-soft"), font: FONT, grid, ticks: { show: false } };
    return {
      width: this.width,
      height: this.place.clientHeight,
      legend: { show: false },
      padding: [8, 14, 0, 0],
      scales: {
        x: { time: false, range: (_, low, high) => this.board.range() ?? [low, high > low ? high : low + 1] },
        ...(this.isLog ? { y: { distr: 3 } } : {}),
      },
      axes: [
        {
          ...axis,
          size: 26,
          gap: 4,
          space: 70,
          values: (_, ticks) => ticks.map(isTime ? span : tick),
          ...(isTime ? {} : { incrs: WHOLE }),
        },
        { ...axis, size: 48, gap: 4, space: 32, values: (_, ticks) => ticks.map((at) => (at === null ? "" : tick(at))) },
      ],
      series: [
        {},
        { stroke: "transparent", width: 0, points: { show: false } },
        { stroke: "transparent", width: 0, points: { show: false } },
        { stroke: faint(line, "55"), width: 1, points: { show: false }, show: true },
        { stroke: line, width: 1.6, points: { show: this.series.x.length < 60, size: 4, fill: line } },
      ],
      bands: [{ series: [1, 2], fill: faint(line, "33") }],
      cursor: {
        y: false,
        sync: { key: SYNC, setSeries: false },
        drag: { x: true, y: false, setScale: false },
        points: { size: (_, i) => (i === LINE ? 6 : 0), width: () => 0, fill: () => line },
        bind: { dblclick: () => () => this.board.onZoom(null) },
      },
      hooks: {
        setSelect: [(plot) => this.zoom(plot)],
        setCursor: [(plot) => this.read(plot)],
        draw: [(plot) => this.mark(plot, colour("--bad"))],
      },
    };
  }

  /** @param {any} plot */
  zoom(plot) {
    if (plot.select.width < 4) return;
    const from = plot.posToVal(plot.select.left, "x");
    const to = plot.posToVal(plot.select.left + plot.select.width, "x");
    plot.setSelect({ left: 0, width: 0, top: 0, height: 0 }, false);
    this.board.onZoom([from, to]);
  }

  /** What is under the cursor: the last value there, and where the bucket is more than a point, its extremes. */
  read(plot) {
    const place = this.figure.querySelector("[data-readout]");
    const i = plot.cursor.idx;
    if (i === null || i === undefined || this.series.x[i] === undefined) {
      place.textContent = "";
      return;
    }
    const { x, last, low, high } = this.series;
    const at = this.board.axis() === "wall_time_s" ? span(x[i]) : number(Math.round(x[i]));
    const extremes = low[i] !== high[i] ? ` (${number(low[i])} … ${number(high[i])})` : "";
    place.textContent = `${number(last[i])}${extremes} @ ${at}`;
  }

  /** A cross on the upper edge wherever a value was NaN or infinite: it must not look like a gap. */
  mark(plot, colour) {
    const { ctx, bbox } = plot;
    const size = 3 * devicePixelRatio;
    ctx.save();
    ctx.strokeStyle = colour;
    ctx.lineWidth = 1.5 * devicePixelRatio;
    for (const at of this.series.marks) {
      const x = plot.valToPos(at, "x", true);
      if (x < bbox.left || x > bbox.left + bbox.width) continue;
      const y = bbox.top + size;
      ctx.beginPath();
      ctx.moveTo(x - size, y - size);
      ctx.lineTo(x + size, y + size);
      ctx.moveTo(x + size, y - size);
      ctx.lineTo(x - size, y + size);
      ctx.stroke();
    }
    ctx.restore();
  }
}

/**
 * @param {string} colour #rrggbb
 * @param {string} alpha two hexadecimal digits
 */
function faint(colour, alpha) {
  return `${colour}${alpha}`;
}
