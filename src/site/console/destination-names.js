/**
 * The names of the tenant's destinations, to choose from.
 */
import { call, mayUnbounded } from "./api.js";
import { h, replace } from "./dom.js";

/** More than anybody would scroll through; a name that is not offered can be typed. */
const MAX_PAGES = 5;

/**
 * Fills the list, once, where the token may know them.
 *
 * @param {HTMLDataListElement} list
 */
export async function offerDestinations(list) {
  if (list.dataset.asked || !mayUnbounded("destinations:read")) return;
  list.dataset.asked = "yes";
  /** @type {string[]} */
  const names = [];
  let cursor = "";
  try {
    for (let pages = 0; pages < MAX_PAGES; pages++) {
      const page = await call("GET", `/v1/destinations?limit=200${cursor && `&cursor=${cursor}`}`);
      names.push(...page.destinations.map((/** @type {{ name: string }} */ { name }) => name));
      cursor = page.next_cursor ?? "";
      if (cursor === "") break;
    }
  } catch {
    // It is a help and no more: names can be typed, and the next time is another try.
    delete list.dataset.asked;
  }
  replace(
    list,
    names.map((value) => h("option", { value })),
  );
}
