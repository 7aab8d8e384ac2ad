import type { Command, Option } from "./command.ts";
import { type Guess, guessOf, oneLine, optionsOf, quoted } from "./completion-words.ts";

export function zshCompletion(commands: readonly Command[]): string {
  const described = commands.map(({ name, summary }) => `    ${quoted(`${name}:${summary}`)}\n`).join("");
  return `#compdef postern
# zsh completion of postern, by 'postern completion zsh'
_postern() {
  local -a commands
  commands=(
${described}    'help:Tells how a command is used.'
  )
  if (( CURRENT == 2 )); then
    _describe -t commands command commands
    return
  fi
  local command=$words[2]
  shift words
  (( CURRENT-- ))
  case $command in
${commands.map(commandCase).join("")}    help)
      _describe -t commands command commands
      ;;
  esac
}

if [[ $funcstack[1] == _postern ]]; then
  _postern "$@"
else
  compdef _postern postern
fi
`;
}

function commandCase(command: Command): string {
  const specs = optionsOf(command).map(([name, option]) => optionSpec(name, option));
  if (command.words !== undefined) specs.push(quoted(`1:word:(${command.words.join(" ")})`));
  specs.push("'*:file:_files'");
  return `    ${command.name})\n      _arguments -S \\\n${specs.map((spec) => `        ${spec}`).join(" \\\n")}\n      ;;\n`;
}

/** As `_arguments` takes it: spellings that exclude each other, what it does, and what may follow. */
function optionSpec(name: string, option: Option): string {
  const { short, multiple, value } = option;
  const guess = guessOf(option);
  const tail = quoted(
    `[${escaped(oneLine(option))}]${guess === null ? "" : `:${escaped(value ?? "")}:${actionOf(guess)}`}`,
  );
  const long = `--${name}${guess === null ? "" : "="}`;
  const again = multiple === true ? "*" : "";
  if (short === undefined) return `${quoted(again)}${long}${tail}`.replace(/^''/, "");
  const excluded = multiple === true ? "'*'" : `'(-${short} --${name})'`;
  return `${excluded}{-${short}${guess === null ? "" : "+"},${long}}${tail}`;
}

function actionOf(guess: Guess): string {
  if (guess === "files") return "_files";
  if (guess === "folders") return "_files -/";
  return guess === "nothing" ? " " : `(${(guess as readonly string[]).join(" ")})`;
}

function escaped(text: string): string {
  return text.replace(/[[\]:\\]/g, "\\$&");
}
