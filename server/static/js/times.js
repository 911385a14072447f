/** Relative times that go on counting, in the server's words; on hover the absolute one, in the reader's zone. */

const UNITS = [[86400, "d"], [3600, "h"], [60, "min"], [1, "s"]];

/** @param {number} seconds */
export function ago(seconds) {
  for (const [size, unit] of UNITS) if (seconds >= size) return `${Math.floor(seconds / size)} ${unit} ago`;
  return "now";
}

/** @param {ParentNode} [within] */
export function refreshTimes(within = document) {
  for (const time of within.querySelectorAll("time[datetime]")) {
    const at = new Date(time.getAttribute("datetime"));
    const words = ago((Date.now() - at.getTime()) / 1000);
    if (time.textContent !== words) time.textContent = words;
    if (!time.dataset.local) {
      time.title = at.toLocaleString(undefined, { dateStyle: "medium", timeStyle: "long" });
      time.dataset.local = "yes";
    }
  }
}
