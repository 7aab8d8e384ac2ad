import { existsSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Contestant } from "./contestant.ts";
import { CONNECTIONS, nginx, nginxCommand, proxyServer } from "./nginx.ts";
import { CRS_RULES, CRS_SETUP } from "./searched.ts";

const MODULE = "/usr/lib/nginx/modules/ngx_http_modsecurity_module.so";

/** nginx with libmodsecurity, as Debian has both, and the same rules. */
export const modsecurity: Contestant = {
  ...nginx,
  name: "modsecurity",
  missing: () =>
    nginx.missing() ??
    ([MODULE, CRS_SETUP].every(existsSync) ? null : "ModSecurity for nginx, or its rules, are not installed"),
  supports: ({ searched }) => searched !== null,
  configure(workload, world, ports, folder) {
    mkdirSync(folder, { recursive: true });
    const rules = join(folder, "rules.conf");
    writeFileSync(rules, RULES);
    const more = `  modsecurity on;\n  modsecurity_rules_file ${rules};\n`;
    return nginxCommand(folder, proxyServer(workload, world, ports), {
      accessLog: false,
      connections: CONNECTIONS,
      modules: `load_module ${MODULE};\n`,
      more,
    });
  },
};

/** What its own recommended configuration says of bodies; neither side looks into answers. */
const RULES = `SecRuleEngine On
SecRequestBodyAccess On
SecResponseBodyAccess Off
SecRequestBodyLimit 13107200
SecRequestBodyNoFilesLimit 131072
SecAuditEngine Off
SecRule REQUEST_HEADERS:Content-Type "^(?:application(?:/soap\\+|/)|text/)xml" "id:200000,phase:1,t:none,t:lowercase,pass,nolog,ctl:requestBodyProcessor=XML"
SecRule REQUEST_HEADERS:Content-Type "^application/json" "id:200001,phase:1,t:none,t:lowercase,pass,nolog,ctl:requestBodyProcessor=JSON"
Include ${CRS_SETUP}
${ruleFiles()
  .map((name) => `Include ${join(CRS_RULES, name)}`)
  .join("\n")}
`;

function ruleFiles(): readonly string[] {
  if (!existsSync(CRS_RULES)) return [];
  return readdirSync(CRS_RULES)
    .filter((name) => name.endsWith(".conf"))
    .sort();
}
