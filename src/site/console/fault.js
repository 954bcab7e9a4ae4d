/**
 * What went wrong, for people.
 */
import { Refusal } from "./api.js";

/** What is no refusal is an answer that could not be drawn: one of a proxy, say. @param {unknown} error */
export const faultOf = (error) =>
  error instanceof Refusal
    ? error.message
    : "What answered is not Pollhook, or not one that this page knows.";

/** Whether another try may do better, which takes away what it said. @param {unknown} error */
export const isOutage = (error) => !(error instanceof Refusal) || error.status < 400 || error.status >= 500;
