/** Numbers and lengths of time on the axes and in the readouts of charts. */

/** @param {number | string | null | undefined} value */
export function number(value) {
  if (value === null || value === undefined) return "–";
  if (typeof value !== "number") return String(value);
  const size = Math.abs(value);
  if (size !== 0 && (size >= 1e9 || size < 1e-4)) return value.toExponential(2);
  return value.toLocaleString("en-US", { maximumSignificantDigits: size >= 1000 ? 6 : 4 });
}

/** For an axis: as short as it can be. @param {number} value */
export function tick(value) {
  const size = Math.abs(value);
  for (const [limit, unit] of /** @type {[number, string][]} */ ([[1e9, "G"], [1e6, "M"], [1e3, "k"]])) {
    if (size >= limit) return `${Number((value / limit).toPrecision(4))}${unit}`;
  }
  if (size !== 0 && size < 1e-3) return value.toExponential();
  return String(Number(value.toPrecision(4)));
}

/** @param {number} seconds */
export function span(seconds) {
  const units = /** @type {[number, string][]} */ ([[86400, "d"], [3600, "h"], [60, "min"], [1, "s"]]);
  for (const [size, unit] of units) {
    if (Math.abs(seconds) >= size) return `${Number((seconds / size).toPrecision(3))} ${unit}`;
  }
  return `${Number(seconds.toPrecision(3))} s`;
}
