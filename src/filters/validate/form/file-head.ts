import { extensionOf, fileNameFault, hidesExtension } from "../../../bodies/file-name.ts";
import type { PartHead } from "../../../bodies/part-head.ts";
import { excerpt } from "../../../support/excerpt.ts";
import type { FileRule, FormFault, FormRules } from "./rules.ts";

/**
 * What is wrong with a file before a byte of it has come; null for nothing. A file field of a page in which nobody chose a
 * file comes with an empty name. `count`: how many files of this field there are with it.
 */
export function judgeFileHead(
  { name, fileName, type }: PartHead,
  file: FileRule | null,
  rules: FormRules,
  count: number,
): FormFault | null {
  if (fileName === null || fileName === "") return null;
  const place = (keyword: string) => (file ?? rules).placeOf(keyword);
  const wrongName = (keyword: string, seen: string, detail: string): FormFault => {
    return { reason: "file_name_invalid", name, keyword, detail, seen, place: place(keyword) };
  };
  const fault = fileNameFault(fileName);
  if (fault !== null) return wrongName("fileName", `a file name with ${fault}`, "expected the name of a file alone");
  if (file === null) return null;
  const { extensions, types, countMax } = file;
  if (extensions !== null && !extensions.some((one) => fileName.toLowerCase().endsWith(`.${one}`))) {
    const seen = `extension '${excerpt(extensionOf(fileName))}'`;
    return wrongName("extensions", seen, `expected a file name that ends with one of: ${extensions.join(", ")}`);
  }
  if (extensions !== null && hidesExtension(fileName))
    return wrongName("extensions", "a file name with two extensions", "expected a file name with one extension");
  if (types !== null && !types.some((range) => isOf(type, range))) {
    const seen = type === null ? "no type" : `type ${excerpt(type)}`;
    const detail = `expected a file of one of: ${types.join(", ")}`;
    return { reason: "file_type_unsupported", name, keyword: "types", detail, seen, place: place("types") };
  }
  if (count <= countMax) return null;
  const detail = `expected at most ${countMax} file${countMax === 1 ? "" : "s"}`;
  const keyword = "maxCount";
  return { reason: "form_field_invalid", name, keyword, detail, seen: "more files", place: place(keyword) };
}

function isOf(type: string | null, range: string): boolean {
  if (type === null) return false;
  return range.endsWith("/*") ? type.startsWith(range.slice(0, -1)) : type === range;
}
