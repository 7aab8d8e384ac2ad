/** Domains below which anybody gets a name, for nothing: of https://publicsuffix.org those that browsers' pages mostly come from. */
const HOSTS: ReadonlySet<string> = new Set([
  "amazonaws.com",
  "appspot.com",
  "azurestaticapps.net",
  "azurewebsites.net",
  "blogspot.com",
  "cloudfront.net",
  "codesandbox.io",
  "deno.dev",
  "firebaseapp.com",
  "fly.dev",
  "github.io",
  "gitlab.io",
  "glitch.me",
  "herokuapp.com",
  "hf.space",
  "myshopify.com",
  "netlify.app",
  "ngrok-free.app",
  "ngrok.io",
  "onrender.com",
  "pages.dev",
  "readthedocs.io",
  "replit.app",
  "run.app",
  "streamlit.app",
  "surge.sh",
  "trycloudflare.com",
  "vercel.app",
  "web.app",
  "webflow.io",
  "wixsite.com",
  "wordpress.com",
  "workers.dev",
]);
/** As registries of countries have it: co.uk, com.au, or.at. */
const OF_A_COUNTRY = /^(?:ac|co|com|edu|go|gov|ne|net|or|org)\.[a-z]{2}$/;

/** Whether names below a domain belong to whoever asks for one. */
export function isSharedDomain(domain: string): boolean {
  return HOSTS.has(domain) || OF_A_COUNTRY.test(domain);
}
