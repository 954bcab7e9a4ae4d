/** All bad answers, and who gives them. */
import type { BadAnswer } from "./bad-answer.ts";
import { CODINGS } from "./codings.ts";
import { CONNECTIONS } from "./connections.ts";
import { ECHOES } from "./echoes.ts";
import { FRAMING } from "./framing.ts";
import { HEADERS } from "./headers.ts";
import { JSONS } from "./jsons.ts";
import { STATUS_LINES } from "./status-lines.ts";
import { TEXTS } from "./texts.ts";
import { WAITS } from "./waits.ts";

export const BAD_ANSWERS: readonly BadAnswer[] = [
  ...STATUS_LINES,
  ...HEADERS,
  ...FRAMING,
  ...CODINGS,
  ...TEXTS,
  ...JSONS,
  ...WAITS,
  ...ECHOES,
  ...CONNECTIONS,
];
