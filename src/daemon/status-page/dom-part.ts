import type { Attributes, Children, Dom, PageDocument, PageNode } from "./dom.ts";

/** Elements by their names; every text stands as text, never as markup. */
export function domPart(page: PageDocument): Dom {
  const fill = (node: PageNode, attributes: Attributes, children: Children): PageNode => {
    for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, String(value));
    node.append(...children);
    return node;
  };
  return {
    make: (tag, attributes, ...children) => fill(page.createElement(tag), attributes, children),
    draw: (tag, attributes, ...children) =>
      fill(page.createElementNS("http://www.w3.org/2000/svg", tag), attributes, children),
    find: (id) => {
      const found = page.getElementById(id);
      if (found === null) throw new Error(`no element ${id}`);
      return found;
    },
  };
}
