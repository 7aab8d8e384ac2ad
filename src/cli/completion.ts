import { type Command, EXIT, misuse, parseOptions } from "./command.ts";
import { bashCompletion } from "./completion-bash.ts";
import { fishCompletion } from "./completion-fish.ts";
import { zshCompletion } from "./completion-zsh.ts";

export const COMPLETIONS = { bash: bashCompletion, zsh: zshCompletion, fish: fishCompletion } as const;

type Shell = keyof typeof COMPLETIONS;

/** `all`: every command, of which the script is made. */
export function createCompletionCommand(all: () => Promise<readonly Command[]>): Command {
  const shells = Object.keys(COMPLETIONS);
  const command: Command = {
    name: "completion",
    summary: "Prints a script that completes commands, options and their values in a shell.",
    usage: shells.join(" | "),
    words: shells,
    options: {},
    example: `source <(postern completion bash)
postern completion bash > ~/.local/share/bash-completion/completions/postern
postern completion zsh > "\${fpath[1]}/_postern"
postern completion fish > ~/.config/fish/completions/postern.fish
Exit code 0: printed. 2: used wrongly.`,
    async run(args, io) {
      const parsed = parseOptions(args, {});
      if (!parsed.ok) return misuse(command, parsed.error, io);
      const [shell, ...rest] = parsed.value.positionals;
      if (!isShell(shell) || rest.length > 0) return misuse(command, `expected one of ${shells.join(", ")}`, io);
      io.stdout(COMPLETIONS[shell](await all()));
      return EXIT.fine;
    },
  };
  return command;
}

function isShell(word: string | undefined): word is Shell {
  return word !== undefined && Object.hasOwn(COMPLETIONS, word);
}
