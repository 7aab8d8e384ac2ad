/** What conditions take, to be loaded with the first of them. */
export { readerOf, typeOf } from "../../expression/attribute-variable.ts";
export { comparedNames } from "../../expression/compared.ts";
export { compileExpression, EvalFault } from "../../expression/index.ts";
