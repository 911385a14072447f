/** A part of a page that is asked for again, as the server renders it, soon after any job changes. */

import { follow, gathered } from "./live.js";

const GATHER_MS = 700;

const part = () => document.querySelector("[data-live]");
const refresh = gathered(GATHER_MS, () => part()?.dataset.live === "yes" && htmx.trigger(part(), "changed"));

if (part()?.dataset.live === "yes") follow("/api/v1/live", { run: refresh, missed: refresh });
