/**
 * The examples of answers. Those of requests stand with their operations: each of them works against `npm start`.
 */
const CALLBACK = "https://your-app.example.com/hook";

export const JOB = {
  id: "job_k5zcct67ygy3wdgtzggqgg7u6oqwee5e",
  status: "waiting",
  outcome: null,
  endpoint: "v4/dreambooth",
  request_id: "13443927",
  callback_url: CALLBACK,
  destination: null,
  format: "standard",
  metadata: { user: 7 },
  eta: 20,
  registered_at: "2026-11-20T12:00:00.000Z",
  deadline_at: "2026-11-20T13:00:00.000Z",
  finished_at: null,
  delivered_at: null,
  expires_at: null,
  next_poll_at: "2026-11-20T12:00:20.000Z",
  next_attempt_at: null,
  parked: null,
  polls: 0,
  attempts: 0,
  error: null,
  delivery_error: null,
  event_id: "msg_udhmzzczsixqkwt5utldgvrbfxllotkb",
};
const REGISTERED = { at: "2026-11-20T12:00:00.000Z", type: "registered" };

export const WAITING_JOB = { ...JOB, result: null, timeline: [REGISTERED] };

export const DELIVERED_LISTED = {
  ...JOB,
  status: "delivered",
  outcome: "succeeded",
  finished_at: "2026-11-20T12:00:21.000Z",
  delivered_at: "2026-11-20T12:00:26.210Z",
  expires_at: "2026-11-27T12:00:26.210Z",
  next_poll_at: null,
  polls: 1,
  attempts: 2,
};

const OUTPUT = ["https://pub.your-provider.example/generations/1.png"];

export const DELIVERED_JOB = {
  ...DELIVERED_LISTED,
  result: { status: "success", id: 13443927, output: OUTPUT },
  timeline: [
    REGISTERED,
    {
      at: "2026-11-20T12:00:20.958Z",
      type: "poll",
      result: "succeeded",
      http_status: 200,
      duration_ms: 41,
    },
    {
      at: "2026-11-20T12:00:21.002Z",
      type: "attempt",
      result: "failed",
      reason: "http_error",
      http_status: 503,
      duration_ms: 12,
      response: "deploying",
    },
    {
      at: "2026-11-20T12:00:26.201Z",
      type: "attempt",
      result: "delivered",
      http_status: 204,
      duration_ms: 9,
    },
  ],
};

export const CANCELED_JOB = {
  ...WAITING_JOB,
  status: "canceled",
  outcome: "canceled",
  finished_at: "2026-11-20T12:00:05.000Z",
  expires_at: "2026-11-27T12:00:05.000Z",
  next_poll_at: null,
  timeline: [REGISTERED, { at: "2026-11-20T12:00:05.000Z", type: "cancel" }],
};

export const REDELIVERED_JOB = {
  ...DELIVERED_JOB,
  status: "delivering",
  delivered_at: null,
  expires_at: null,
  next_attempt_at: "2026-11-20T12:30:00.000Z",
  timeline: [...DELIVERED_JOB.timeline, { at: "2026-11-20T12:30:00.000Z", type: "redeliver" }],
};

/** What follows a job's events reads. */
export const EVENT_STREAM = `id: 1795176020958-0
event: poll
data: {"at":"2026-11-20T12:00:20.958Z","type":"poll","result":"succeeded","http_status":200,"duration_ms":41}

id: 1795176021002-0
event: outcome
data: {"outcome":"succeeded","error":null}

id: 1795176026201-0
event: attempt
data: {"at":"2026-11-20T12:00:26.201Z","type":"attempt","result":"delivered","http_status":204,"duration_ms":9}

id: 1795176026210-0
event: done
data: {"status":"delivered","outcome":"succeeded"}

`;

const FIGURES = {
  registered: 1204,
  outcomes: { succeeded: 1180, failed: 14, expired: 2, canceled: 1 },
  delivered: 1171,
  undelivered: 3,
  attempts_per_delivery: 1.042,
  polls_per_job: 1.31,
  detection_lag_ms: { p50: 1020, p95: 3080, p99: 6110 },
  delivery_ms: { p50: 31, p95: 88, p99: 5040 },
};

export const STATS = {
  window: "24h",
  from: "2026-11-19T12:00:00.000Z",
  to: "2026-11-20T12:00:00.000Z",
  statuses: { waiting: 7, delivering: 1, delivered: 3410, undelivered: 3, finished: 0, canceled: 1 },
  series: Array.from({ length: 48 }, (_, i) => ({
    at: new Date(Date.UTC(2026, 10, 19, 12, 30 * i)).toISOString(),
    succeeded: 24,
    failed: i % 4 === 0 ? 1 : 0,
    expired: 0,
    canceled: 0,
  })),
  total: FIGURES,
  endpoints: { "v4/dreambooth": FIGURES },
};

const OPERATION_ID = "op_gk3qaz7cbnwq2ye5mdlxgjf4irvu6tso";
export const OPERATION = { id: OPERATION_ID, status: "running", total: 412, done: 50, failed: 0 };
export const STARTED_OPERATION = { ...OPERATION, done: 0 };

export const DESTINATION = {
  name: "app",
  url: CALLBACK,
  host: "your-app.example.com",
  format: "standard",
  retry_schedule: [5, 60, 3600],
  header_names: ["authorization"],
  max_in_flight: 10,
  max_per_second: null,
  status: "active",
  paused_at: null,
  flow: {
    state: "closed",
    failures: 0,
    opened_at: null,
    next_probe_at: null,
    in_flight: 0,
    parked: 0,
  },
  previous_until: null,
  created_at: "2026-11-20T12:00:00.000Z",
  updated_at: "2026-11-20T12:00:00.000Z",
};

/** Bytes that anybody can see to be no secret. */
export const SECRET = "whsec_ZXhhbXBsZSBleGFtcGxlIGV4YW1wbGUgZXhhbXBsZSE=";

export const PROCESSING = {
  status: "processing",
  id: 13443927,
  eta: 12,
  message: "Your request is being processed; fetch it again after eta seconds, or wait for the webhook.",
  fetch_result: "https://pollhook.your-domain.example/api/v4/dreambooth/fetch/13443927",
  output: [],
  job_id: JOB.id,
};
export const SUCCESS = DELIVERED_JOB.result;
