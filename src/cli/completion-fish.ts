import type { Command, Option } from "./command.ts";
import { guessOf, oneLine, optionsOf } from "./completion-words.ts";

export function fishCompletion(commands: readonly Command[]): string {
  const names = commands.map(({ name }) => name).join(" ");
  return `# fish completion of postern, by 'postern completion fish'
function __postern_is
    set -l words (commandline -opc)
    test (count $words) -ge 2; and test $words[2] = $argv[1]
end
function __postern_words
    test (count (commandline -opc)) -eq $argv[1]
end
${commands.map(({ name, summary }) => `complete -c postern -f -n '__postern_words 1' -a ${name} -d ${fishQuoted(summary)}\n`).join("")}complete -c postern -f -n '__postern_words 1' -a help -d 'Tells how a command is used.'
complete -c postern -f -n '__postern_is help; and __postern_words 2' -a '${names}'
${commands.flatMap(commandLines).join("")}`;
}

function commandLines(command: Command): readonly string[] {
  const head = `complete -c postern -n '__postern_is ${command.name}'`;
  const options = optionsOf(command).map(([name, option]) => `${head} ${optionFlags(name, option)}\n`);
  if (command.words === undefined) return options;
  const isFirst = `__postern_is ${command.name}; and __postern_words 2`;
  return [`complete -c postern -f -n '${isFirst}' -a '${command.words.join(" ")}'\n`, ...options];
}

function optionFlags(name: string, option: Option): string {
  const guess = guessOf(option);
  const short = option.short === undefined ? "" : `-s ${option.short} `;
  const value =
    guess === null
      ? ""
      : guess === "files"
        ? " -r -F"
        : guess === "folders"
          ? " -x -a '(__fish_complete_directories)'"
          : ` -x${guess === "nothing" ? "" : ` -a '${(guess as readonly string[]).join(" ")}'`}`;
  return `${short}-l ${name} -d ${fishQuoted(oneLine(option))}${value}`;
}

/** In single quotes fish takes a backslash before another one or a quote. */
function fishQuoted(text: string): string {
  return `'${text.replace(/[\\']/g, "\\$&")}'`;
}
