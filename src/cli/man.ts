import { type Command, EXIT, misuse, type Option, parseOptions } from "./command.ts";

/** What the page says of the whole: from package.json. */
export interface About {
  readonly version: string;
  readonly description: string;
}

/** `all`: every command, of which the page is made. */
export function createManCommand(all: () => Promise<readonly Command[]>, about: () => Promise<About>): Command {
  const command: Command = {
    name: "man",
    summary: "Prints the manual page, postern(1).",
    usage: "",
    options: {},
    example: `postern man | man -l -
postern man > /usr/local/share/man/man1/postern.1
Exit code 0: printed. 2: used wrongly.`,
    async run(args, io) {
      const parsed = parseOptions(args, {});
      if (!parsed.ok) return misuse(command, parsed.error, io);
      if (parsed.value.positionals.length > 0) return misuse(command, "expected no arguments", io);
      io.stdout(manPage(await all(), await about()));
      return EXIT.fine;
    },
  };
  return command;
}

/** The page as troff reads it with the macros of man(7). It has no date, so that the same sources give the same page. */
export function manPage(commands: readonly Command[], { version, description }: About): string {
  return `.TH POSTERN 1 "" "postern ${version}" "User Commands"
.SH NAME
postern \\- a security sidecar for HTTP APIs
.SH SYNOPSIS
.B postern
.I COMMAND
.RI [ OPTION ]...
.br
.B postern
.RI [ COMMAND ]
.B \\-\\-help
.br
.B postern \\-\\-version
.SH DESCRIPTION
${line(description)}
Most commands take
.B \\-\\-json
and then tell machines what they tell people without it.
.SH COMMANDS
${commands.map(commandPart).join("")}.SH EXIT STATUS
.TP
.B 0
Nothing is wrong.
.TP
.B 1
The command did its work and found something wrong.
.TP
.B 2
The command line makes no sense.
.SH ENVIRONMENT
.TP
.B NO_COLOR
If it is not empty, nothing is coloured.
.TP
.B FORCE_COLOR
If it is neither empty nor 0, colours are there also where the output is no terminal.
.TP
.B TERM
On a terminal that is
.I dumb
nothing is coloured and no progress shown.
`;
}

function commandPart({ name, summary, usage, options, notes, example }: Command): string {
  const forms = usage.split("\n").map((form) => `postern ${name} ${form}`.trimEnd());
  const told = Object.entries(options).map(([key, option]) => optionPart(key, option));
  const parts = [
    lines(forms.join("\n")),
    ...told,
    notes === undefined ? "" : lines(notes),
    `.PP\nExample:\n${lines(example)}`,
  ];
  return `.SS ${name}\n${line(summary)}\n${parts.join("")}`;
}

function optionPart(name: string, { short, value, text }: Option): string {
  const head = `${short === undefined ? "" : `\\fB\\-${short}\\fR, `}\\fB\\-\\-${line(name)}\\fR`;
  return `.TP\n${head}${value === undefined ? "" : ` \\fI${line(value)}\\fR`}\n${text.split("\n").map(line).join("\n")}\n`;
}

/** Lines as they are. */
function lines(text: string): string {
  return `.PP\n.nf\n${text.split("\n").map(line).join("\n")}\n.fi\n`;
}

/** A text that troff takes for nothing but itself. */
function line(text: string): string {
  const safe = text.replaceAll("\\", "\\e").replaceAll("-", "\\-").replace(/^[.']/, "\\&$&");
  return safe.replace(
    /[^\x00-\x7f]/g,
    (char) => `\\[u${char.charCodeAt(0).toString(16).toUpperCase().padStart(4, "0")}]`,
  );
}
