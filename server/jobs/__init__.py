"""Jobs and workers: submitting, claiming, leases, ending, and what to do when nobody is heard of any more.

                submit, retry, resume
                          │
                          ▼        claim (compare-and-swap)
     cancelled ◄─cancel─ queued ─────────────────────────► running ──succeeded──► succeeded
         ▲                 ▲                                │  │ │
         │                 └──── drained, lost (with a wait)┘  │ └──failed, limited,
         │                                                     │    lost too often──► failed
         │                                               cancel▼
         └───────cancelled, drained, lost────────────────── stopping ──succeeded, failed──► as it really ended

The run's row holds the state; the job's row holds the queue's side and the lease. Whoever changes either holds the
run's row first, then the job, then its streams; of several runs, in the order of their ids. See docs/jobs.md.
"""
