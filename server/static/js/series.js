/** One metric of one run, as buckets of (x, last, lowest, highest): what a chart draws. No drawing here. */

/**
 * As `/api/v1/curves` answers it.
 * @typedef {{x: number[], last: (number | string | null)[], min: (number | null)[], max: (number | null)[],
 *   non_finite?: number[]}} Curve
 */

export class Series {
  /** @param {string} key */
  constructor(key) {
    this.key = key;
    this.clear();
  }

  clear() {
    /** @type {number[]} */ this.x = [];
    /** @type {(number | null)[]} */ this.last = [];
    /** @type {(number | null)[]} */ this.low = [];
    /** @type {(number | null)[]} */ this.high = [];
    /** @type {number[]} where at least one value was not finite */ this.marks = [];
    /** @type {number | string | null} the newest value; a word where it is not finite */ this.latest = null;
  }

  /**
   * In place of all that was.
   * @param {Curve} curve
   */
  load(curve) {
    this.clear();
    this.x = curve.x.map(Number);
    this.last = curve.last.map(finite);
    this.low = curve.min.map(finite);
    this.high = curve.max.map(finite);
    this.marks = this.x.filter((_, i) => (curve.non_finite?.[i] ?? 0) > 0);
    this.latest = curve.last.at(-1) ?? null;
  }

  /**
   * A new point at the right end. What is here already is skipped: the stream and the curve may overlap.
   * @param {number} x
   * @param {number | string} value
   * @returns {boolean} whether it was new
   */
  append(x, value) {
    if (this.x.length && x <= this.x.at(-1)) return false;
    const number = finite(value);
    this.x.push(x);
    this.last.push(number);
    this.low.push(number);
    this.high.push(number);
    if (number === null) this.marks.push(x);
    this.latest = value;
    return true;
  }

  /**
   * Rows for the chart: x, highest, lowest, the raw line, the smooth line.
   * @param {number} width how far back the smooth line remembers, as a share of the axis; 0 leaves the line as it is
   */
  rows(width) {
    const reach = width * ((this.x.at(-1) ?? 0) - (this.x[0] ?? 0));
    return [this.x, this.high, this.low, this.last, reach > 0 ? smooth(this.x, this.last, reach) : this.last];
  }
}

/**
 * A running mean that forgets along the axis, not along the points: a metric that comes seldom is not smoothed more.
 * @param {number[]} x
 * @param {(number | null)[]} values
 * @param {number} reach
 */
export function smooth(x, values, reach) {
  let sum = 0;
  let weight = 0;
  let before = x[0];
  return values.map((value, i) => {
    if (value === null) return null;
    const kept = Math.exp((before - x[i]) / reach);
    before = x[i];
    sum = sum * kept + value;
    weight = weight * kept + 1;
    return sum / weight;
  });
}

/** @param {unknown} value */
function finite(value) {
  return typeof value === "number" && Number.isFinite(value) ? value : null;
}
