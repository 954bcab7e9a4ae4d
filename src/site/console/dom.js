/**
 * Makes elements. Whatever comes from outside goes in as text or as an attribute's value, never as markup: nothing in
 * the console writes HTML.
 */

/** @typedef {Node | string | number | null | undefined | false} Child */
/** @typedef {{ [name: string]: unknown }} Props */

const SVG = "http://www.w3.org/2000/svg";

/**
 * An element with its children. Of `props`, functions are listeners (`onclick`), `true` is an attribute without value,
 * `false`, `null` and `undefined` are left out, and everything else is an attribute.
 *
 * @template {keyof HTMLElementTagNameMap} Name
 * @param {Name} name
 * @param {Props} [props]
 * @param {...(Child | Child[])} children
 * @returns {HTMLElementTagNameMap[Name]}
 */
export function h(name, props = {}, ...children) {
  return fill(document.createElement(name), props, children);
}

/**
 * The same of SVG.
 *
 * @param {string} name
 * @param {Props} [props]
 * @param {...(Child | Child[])} children
 * @returns {SVGElement}
 */
export function svg(name, props = {}, ...children) {
  return fill(/** @type {SVGElement} */ (document.createElementNS(SVG, name)), props, children);
}

/**
 * @template {Element} E
 * @param {E} element
 * @param {Props} props
 * @param {(Child | Child[])[]} children
 * @returns {E}
 */
function fill(element, props, children) {
  for (const [name, value] of Object.entries(props)) {
    if (typeof value === "function")
      element.addEventListener(name.slice(2), /** @type {EventListener} */ (value));
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined)
      element.setAttribute(name, String(value));
  }
  element.append(...present(children));
  return element;
}

/**
 * Puts other children in place of those that the element has.
 *
 * @param {Element} element
 * @param {...(Child | Child[])} children
 */
export function replace(element, ...children) {
  element.replaceChildren(...present(children));
}

/** @param {(Child | Child[])[]} children */
const present = (children) =>
  children
    .flat()
    .filter((child) => child !== null && child !== undefined && child !== false)
    .map((child) => (child instanceof Node ? child : String(child)));
