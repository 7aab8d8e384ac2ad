const BYTES = 64 * 1024;

const filled = (part: string): string => part.repeat(Math.ceil(BYTES / part.length)).slice(0, BYTES);

/** Texts of 64 KiB that rules of every kind look into at length, and that few of them find anything in. */
export const HOSTILE_TEXTS: Readonly<Record<string, string>> = {
  signs: filled("!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"),
  sql: filled("1 union all select 2, 3 from t where a = 'b' or 4 <> 5 -- "),
  scripts: filled('<a href="x" onmouse over=y style="z:expression" src=data: >'),
  "shell commands": filled(";l$'s c\\at\" $(w'h'o) | sh -c `id` && wget "),
  php: filled("<?php $_GET[a](base64_ decode($b . 'c')); ?>"),
  blanks: filled(" \t"),
  quotes: filled("'\"`"),
};
