/** Workers and queues: asked for again soon after any job changes. */

import { follow, gathered } from "./live.js";

const GATHER_MS = 700;

const refresh = gathered(GATHER_MS, () => htmx.trigger("#house", "changed"));

follow("/api/v1/live", { run: refresh, missed: refresh });
document.addEventListener("sent", refresh);
