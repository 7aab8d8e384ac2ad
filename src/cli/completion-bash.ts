import type { Command, Option } from "./command.ts";
import { guessOf, optionsOf, spellings } from "./completion-words.ts";

/** Where this has nothing to offer, bash completes names of files. */
export function bashCompletion(commands: readonly Command[]): string {
  const names = commands.map(({ name }) => name).join(" ");
  return `# bash completion of postern, by 'postern completion bash'
_postern() {
  local word="\${COMP_WORDS[COMP_CWORD]}" before="\${COMP_WORDS[COMP_CWORD - 1]}" command="\${COMP_WORDS[1]}"
  local options="" words=""
  COMPREPLY=()
  # --option=value comes in three parts.
  if [[ $word == "=" ]]; then
    word=""
  elif [[ $before == "=" ]]; then
    before="\${COMP_WORDS[COMP_CWORD - 2]}"
  fi
  if ((COMP_CWORD == 1)); then
    COMPREPLY=($(compgen -W "${names} help --help --version" -- "$word"))
    return
  fi
  case "$command $before" in
${commands.flatMap(wordCases).join("")}    ${commands.flatMap(freeHeads).join(" | ")}) return ;;
  esac
  case "$command" in
${commands.map(commandCase).join("")}    help) words="${names}" ;;
  esac
  if [[ $word == -* ]]; then
    COMPREPLY=($(compgen -W "$options" -- "$word"))
  elif ((COMP_CWORD == 2)); then
    COMPREPLY=($(compgen -W "$words" -- "$word"))
  fi
}
complete -o default -F _postern postern
`;
}

/** Options whose value is one of some words. */
function wordCases(command: Command): readonly string[] {
  return optionsOf(command).flatMap(([name, option]) => {
    const guess = guessOf(option);
    if (guess === null || typeof guess === "string") return [];
    const words = `COMPREPLY=($(compgen -W "${guess.join(" ")}" -- "$word"))`;
    return [`    ${headsOf(command, name, option).join(" | ")})\n      ${words}\n      return\n      ;;\n`];
  });
}

/** Those with any other value: nothing is offered but what bash has. */
function freeHeads(command: Command): readonly string[] {
  return optionsOf(command).flatMap(([name, option]) =>
    typeof guessOf(option) === "string" ? headsOf(command, name, option) : [],
  );
}

function headsOf(command: Command, name: string, option: Option): readonly string[] {
  return spellings(name, option).map((spelling) => `"${command.name} ${spelling}"`);
}

function commandCase(command: Command): string {
  const options = optionsOf(command).flatMap(([name, option]) => spellings(name, option));
  const words = command.words === undefined ? "" : ` words="${command.words.join(" ")}"`;
  return `    ${command.name}) options="${options.join(" ")}"${words} ;;\n`;
}
